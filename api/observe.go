package api

import (
	"net/http"

	"github.com/unwindhq/unwind"
)

func (c *call) services() error {
	if err := c.query(nil).err(); err != nil {
		return err
	}
	states, err := c.h.cfg.Service.Participants(c.r.Context())
	return answerList(c, unwind.List[unwind.ServiceState]{Items: states}, err)
}

func (c *call) service() error {
	if err := c.query(nil).err(); err != nil {
		return err
	}
	states, err := c.h.cfg.Service.Participants(c.r.Context())
	if err != nil {
		return err
	}
	name := c.r.PathValue("name")
	for i := range states {
		if states[i].Name == name {
			return c.answer(http.StatusOK, &states[i])
		}
	}
	return unwind.Errorf(unwind.NotFound, "there is no service %q; GET /v1/services lists them", clip(name))
}

var alertParams = withPage(param{name: "firing", text: "true leaves out what is over", kind: "string", enum: []string{"true", "false"}})

func (c *call) alerts() error {
	q := c.query(alertParams)
	f := unwind.AlertFilter{Page: q.page(), Firing: one(q, "firing", "true", "false") == "true"}
	if err := q.err(); err != nil {
		return err
	}
	list, err := c.h.cfg.Service.Alerts(c.r.Context(), f)
	return answerList(c, list, err)
}

var auditParams = withPage(
	param{name: "action", text: "Exactly this action, as in pause", kind: "string"},
	param{name: "actor", text: "Exactly this actor", kind: "string"},
	param{name: "target", text: "Exactly this target", kind: "string"},
	param{name: "since", text: "Done then or later", kind: "string", format: "date-time"},
)

func (c *call) audit() error {
	q := c.query(auditParams)
	q.word("since") // it is a time, and not empty
	f := unwind.AuditFilter{Page: q.page(), Action: q.word("action"), Actor: q.word("actor"), Target: q.word("target"), Since: q.time("since")}
	if err := q.err(); err != nil {
		return err
	}
	list, err := c.h.cfg.Service.Audit(c.r.Context(), f)
	return answerList(c, list, err)
}

func (c *call) auditHead() error {
	if err := c.query(nil).err(); err != nil {
		return err
	}
	head, err := c.h.cfg.Service.AuditHead(c.r.Context())
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, head)
}

func (c *call) stats() error {
	if err := c.query(nil).err(); err != nil {
		return err
	}
	s, err := c.h.cfg.Service.Stats(c.r.Context())
	if err != nil {
		return err
	}
	if s.Sagas == nil {
		s.Sagas = map[unwind.Status]int64{}
	}
	return c.answer(http.StatusOK, s)
}
