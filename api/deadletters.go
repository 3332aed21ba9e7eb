package api

import (
	"net/http"

	"github.com/unwindhq/unwind"
)

var (
	replayDecoder  = newDecoder[unwind.ReplayRequest]()
	resolveDecoder = newDecoder[unwind.ResolveRequest]()
)

var deadLetterParams = withPage(
	param{name: "saga", text: "The definition's name", kind: "string"},
	param{name: "service", text: "The service that was called", kind: "string"},
	param{name: "group", text: "The fingerprint of the cause", kind: "string"},
	param{name: "state", text: "Where it stands", kind: "string", enum: texts(deadLetterStates)},
)

func (c *call) deadLetters() error {
	q := c.query(deadLetterParams)
	f := unwind.DeadLetterFilter{
		Page: q.page(), Saga: q.text("saga"), Service: q.text("service"), Group: q.text("group"),
		State: one(q, "state", deadLetterStates...),
	}
	if err := q.err(); err != nil {
		return err
	}
	list, err := c.h.cfg.Service.DeadLetters(c.r.Context(), f)
	return answerList(c, list, err)
}

func (c *call) deadLetter() error {
	if err := c.query(nil).err(); err != nil {
		return err
	}
	d, err := c.h.cfg.Service.DeadLetter(c.r.Context(), c.r.PathValue("id"))
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, d)
}

func (c *call) replay() error {
	req := unwind.ReplayRequest{Actor: c.who.name}
	if err := read(c, replayDecoder, maxBody, &req); err != nil {
		return err
	}
	d, err := c.h.cfg.Service.Replay(c.r.Context(), c.r.PathValue("id"), req)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, d)
}

func (c *call) resolve() error {
	req := unwind.ResolveRequest{Actor: c.who.name}
	if err := read(c, resolveDecoder, maxBody, &req); err != nil {
		return err
	}
	d, err := c.h.cfg.Service.Resolve(c.r.Context(), c.r.PathValue("id"), req)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, d)
}
