package api

import (
	"net/http"

	"github.com/unwindhq/unwind"
)

var (
	startDecoder      = newDecoder[unwind.StartRequest]()
	cancelDecoder     = newDecoder[unwind.CancelRequest]()
	signalDecoder     = newDecoder[unwind.SignalRequest]()
	sendNowDecoder    = newDecoder[unwind.SendNow]()
	completionDecoder = newDecoder[unwind.Completion]()
)

// read reads and decodes a request's body.
func read[T any](c *call, d *decoder[T], limit int64, into *T) error {
	body, err := c.body(limit)
	if err != nil {
		return err
	}
	return d.decode(body, into)
}

// start is the hot path.
func (c *call) start() error {
	if err := c.query(nil).err(); err != nil {
		return err
	}
	var req unwind.StartRequest
	if err := read(c, startDecoder, maxStartBody, &req); err != nil {
		return err
	}
	if keys := c.r.Header["Idempotency-Key"]; len(keys) > 0 {
		switch {
		case len(keys) > 1 || keys[0] == "":
			return invalid("/header/Idempotency-Key", "send it once, and not empty")
		case req.Key != "" && req.Key != keys[0]:
			return invalid("/key", "it differs from the header Idempotency-Key; send one of them, or the same in both")
		}
		req.Key = keys[0]
	}
	if err := c.h.starts.take("starts"); err != nil {
		return err
	}
	defer c.h.starts.leave()
	inst, created, err := c.h.cfg.Service.Start(c.r.Context(), req)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return c.answer(status, inst)
}

// places are taken by those who wait; its capacity is how many there are.
type places chan struct{}

// take takes a place, or refuses; leave gives it back.
func (p places) take(what string) error {
	select {
	case p <- struct{}{}:
		return nil
	default:
		err := unwind.Errorf(unwind.Overloaded, "%d %s wait already; try again later", cap(p), what)
		err.RetryAfter = unwind.Second
		return err
	}
}

func (p places) leave() { <-p }

func (c *call) get() error {
	if err := c.query(nil).err(); err != nil {
		return err
	}
	inst, err := c.h.cfg.Service.Get(c.r.Context(), c.r.PathValue("id"))
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, inst)
}

func (c *call) history() error {
	q := c.query(pageParams)
	page := q.page()
	if err := q.err(); err != nil {
		return err
	}
	list, err := c.h.cfg.Service.History(c.r.Context(), c.r.PathValue("id"), page)
	return answerList(c, list, err)
}

var listParams = withPage(
	param{name: "status", text: "Where it stands", kind: "string", enum: texts(sagaStatuses)},
	param{name: "saga", text: "The definition's name", kind: "string"},
	param{name: "tenant", text: "The tenant", kind: "string"},
	param{name: "key", text: "The key that began it", kind: "string"},
	param{name: "since", text: "Begun then or later", kind: "string", format: "date-time"},
)

func (c *call) list() error {
	q := c.query(listParams)
	f := unwind.Filter{
		Page: q.page(), Status: one(q, "status", sagaStatuses...), Saga: q.text("saga"),
		Tenant: q.text("tenant"), Key: q.text("key"), Since: q.time("since"),
	}
	if err := q.err(); err != nil {
		return err
	}
	list, err := c.h.cfg.Service.List(c.r.Context(), f)
	return answerList(c, list, err)
}

// answerList writes a page, whose items are never null.
func answerList[T any](c *call, list unwind.List[T], err error) error {
	if err != nil {
		return err
	}
	if list.Items == nil {
		list.Items = []T{}
	}
	return c.answer(http.StatusOK, list)
}

func (c *call) cancel() error {
	req := unwind.CancelRequest{Actor: c.who.name}
	if err := read(c, cancelDecoder, maxBody, &req); err != nil {
		return err
	}
	inst, err := c.h.cfg.Service.Cancel(c.r.Context(), c.r.PathValue("id"), req)
	if err != nil {
		return err
	}
	return c.answer(http.StatusAccepted, inst)
}

func (c *call) sendNow() error {
	req := unwind.SendNow{Actor: c.who.name}
	if err := read(c, sendNowDecoder, maxBody, &req); err != nil {
		return err
	}
	inst, err := c.h.cfg.Service.SendNow(c.r.Context(), c.r.PathValue("id"), req)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, inst)
}

func (c *call) signal() error {
	req := unwind.SignalRequest{Actor: c.who.name}
	if err := read(c, signalDecoder, maxBody, &req); err != nil {
		return err
	}
	inst, err := c.h.cfg.Service.Signal(c.r.Context(), c.r.PathValue("id"), req)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, inst)
}

func (c *call) complete() error {
	var req unwind.Completion
	if err := read(c, completionDecoder, maxBody, &req); err != nil {
		return err
	}
	if err := c.h.cfg.Service.Complete(c.r.Context(), c.r.PathValue("token"), req); err != nil {
		return err
	}
	c.w.Header()["Cache-Control"] = noStore
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
