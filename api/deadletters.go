package api

import (
	"context"
	"net/http"

	"github.com/unwindhq/unwind"
)

var (
	replayDecoder  = newDecoder[unwind.ReplayRequest]()
	resolveDecoder = newDecoder[unwind.ResolveRequest]()
	reopenDecoder  = newDecoder[unwind.ReopenRequest]()
	noteDecoder    = newDecoder[unwind.NoteRequest]()
)

var deadLetterParams = withPage(
	param{name: "saga", text: "The definition's name", kind: "string"},
	param{name: "service", text: "The service that was called", kind: "string"},
	param{name: "group", text: "The fingerprint of the cause", kind: "string"},
	param{name: "state", text: "Where it stands", kind: "string", enum: texts(deadLetterStates)},
)

var groupParams = withPage(
	param{name: "saga", text: "The definition's name", kind: "string"},
	param{name: "service", text: "The service that was called", kind: "string"},
	param{name: "state", text: "Groups that hold one in this state", kind: "string", enum: texts(deadLetterStates)},
)

func (c *call) deadLetterGroups() error {
	q := c.query(groupParams)
	f := unwind.GroupFilter{Page: q.page(), Saga: q.text("saga"), Service: q.text("service"), State: one(q, "state", deadLetterStates...)}
	if err := q.err(); err != nil {
		return err
	}
	list, err := c.h.cfg.Service.DeadLetterGroups(c.r.Context(), f)
	return answerList(c, list, err)
}

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
	return settle(c, replayDecoder, &req, c.h.cfg.Service.Replay)
}

func (c *call) resolve() error {
	req := unwind.ResolveRequest{Actor: c.who.name}
	return settle(c, resolveDecoder, &req, c.h.cfg.Service.Resolve)
}

func (c *call) reopen() error {
	req := unwind.ReopenRequest{Actor: c.who.name}
	return settle(c, reopenDecoder, &req, c.h.cfg.Service.Reopen)
}

func (c *call) note() error {
	req := unwind.NoteRequest{Actor: c.who.name}
	return settle(c, noteDecoder, &req, c.h.cfg.Service.Note)
}

// settle reads what is asked of one dead letter, does it, and answers with it as
// it stands then.
func settle[T any](c *call, d *decoder[T], req *T, do func(context.Context, string, T) (*unwind.DeadLetter, error)) error {
	if err := read(c, d, maxBody, req); err != nil {
		return err
	}
	dead, err := do(c.r.Context(), c.r.PathValue("id"), *req)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, dead)
}
