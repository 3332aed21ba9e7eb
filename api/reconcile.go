package api

import (
	"net/http"

	"github.com/unwindhq/unwind"
)

var (
	reconcileDecoder = newDecoder[unwind.ReconcileRequest]()
	releaseDecoder   = newDecoder[unwind.ReleaseRequest]()
)

func restoreRoutes() []route {
	return []route{{
		key: "POST /v1/reconciliations", id: "reconcile", tag: "operations", summary: "Compare a part of the journal with what the services say",
		text: "Asks the services' status paths, through their forward lanes, about the calls that the journal knows as done, undone, " +
			"uncertain or dead, and on hold also about those that are ordered or not begun. Asks for five seconds at most; " +
			"next_cursor goes on. It changes nothing.",
		serve: (*call).reconcile, body: typeOf[unwind.ReconcileRequest](), answers: ok[unwind.Reconciliation]("What came of the part"),
		refusals: []unwind.Code{unwind.NotFound, unwind.UnknownSaga, unwind.Overloaded},
	}, {
		key: "POST /v1/release", id: "release", tag: "operations", summary: "End the hold of a server that was started with it",
		text:  "From then on it calls services and takes starts. A server that is not on hold is a conflict.",
		serve: (*call).releaseHold, body: typeOf[unwind.ReleaseRequest](),
		answers:  []answer{{status: http.StatusNoContent, text: "It is durable"}},
		refusals: []unwind.Code{unwind.Conflict},
	}}
}

func (c *call) reconcile() error {
	var req unwind.ReconcileRequest
	if err := read(c, reconcileDecoder, maxBody, &req); err != nil {
		return err
	}
	out, err := c.h.cfg.Service.Reconcile(c.r.Context(), req)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, out)
}

func (c *call) releaseHold() error {
	var req unwind.ReleaseRequest
	if err := read(c, releaseDecoder, maxBody, &req); err != nil {
		return err
	}
	req.Actor = c.who.name
	if err := c.h.cfg.Service.Release(c.r.Context(), req); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
