package api

import (
	"net/http"

	"github.com/unwindhq/unwind"
)

var (
	operationDecoder = newDecoder[unwind.OperationRequest]()
	changeOpDecoder  = newDecoder[unwind.OperationChange]()

	operationStates = []unwind.OperationState{unwind.OperationRunning, unwind.OperationPaused, unwind.OperationFinished, unwind.OperationAborted}
	operationParams = withPage(param{name: "state", text: "Where it stands", kind: "string", enum: texts(operationStates)})
	abortParams     = []param{{name: "reason", text: "Why, for those who read the audit", kind: "string"}}
)

func operationRoutes() []route {
	return []route{{
		key: "POST /v1/operations", id: "start-operation", tag: "operations", summary: "Replay many dead letters, or cancel many sagas",
		text: "With dry_run the selection is frozen and kept for 15 minutes, and the answer says what would be done; name its " +
			"selection_id to run it. Else the operation begins, and goes on by itself, over restarts too. What comes later is not part of it.",
		serve: (*call).startOperation, body: typeOf[unwind.OperationRequest](),
		header: []param{{name: "Idempotency-Key", kind: "string", text: "The same key with the same request is one operation"}},
		answers: []answer{
			{status: http.StatusOK, text: "What would be done", body: typeOf[unwind.OperationPlan]()},
			{status: http.StatusAccepted, text: "It is durable that it goes on", body: typeOf[unwind.Operation]()},
		},
		refusals: []unwind.Code{unwind.NotFound, unwind.Conflict, unwind.KeyReused, unwind.Overloaded},
	}, {
		key: "GET /v1/operations", id: "list-operations", tag: "operations", summary: "List operations, newest first",
		text:  "With exact counts of what became of their items.",
		serve: (*call).operations, query: operationParams, answers: ok[unwind.List[unwind.Operation]]("A page"),
	}, {
		key: "GET /v1/operations/{id}", id: "get-operation", tag: "operations", summary: "Get an operation",
		text:  "With exact counts of what became of its items.",
		serve: (*call).operation, answers: ok[unwind.Operation]("The operation"),
		refusals: []unwind.Code{unwind.NotFound},
	}, {
		key: "PATCH /v1/operations/{id}", id: "change-operation", tag: "operations", summary: "Change an operation's rate, pause or resume it",
		text:  "What is being called again goes on; to resume also passes the canary.",
		serve: (*call).changeOperation, body: typeOf[unwind.OperationChange](), answers: ok[unwind.Operation]("It is durable"),
		refusals: []unwind.Code{unwind.NotFound, unwind.Conflict},
	}, {
		key: "DELETE /v1/operations/{id}", id: "abort-operation", tag: "operations", summary: "Abort an operation",
		text:  "What is being called again goes on, and is counted; what is queued stays a dead letter. The operation can be read on.",
		serve: (*call).abortOperation, query: abortParams, answers: ok[unwind.Operation]("Nothing more is taken up"),
		refusals: []unwind.Code{unwind.NotFound, unwind.Conflict},
	}}
}

func (c *call) startOperation() error {
	var req unwind.OperationRequest
	if err := read(c, operationDecoder, maxBody, &req); err != nil {
		return err
	}
	req.Actor, req.Key = c.who.name, c.r.Header.Get("Idempotency-Key")
	if req.DryRun {
		plan, err := c.h.cfg.Service.PlanOperation(c.r.Context(), req)
		if err != nil {
			return err
		}
		return c.answer(http.StatusOK, plan)
	}
	op, err := c.h.cfg.Service.StartOperation(c.r.Context(), req)
	if err != nil {
		return err
	}
	return c.answer(http.StatusAccepted, op)
}

func (c *call) operations() error {
	q := c.query(operationParams)
	f := unwind.OperationFilter{Page: q.page(), State: one(q, "state", operationStates...)}
	if err := q.err(); err != nil {
		return err
	}
	list, err := c.h.cfg.Service.Operations(c.r.Context(), f)
	return answerList(c, list, err)
}

func (c *call) operation() error {
	if err := c.query(nil).err(); err != nil {
		return err
	}
	op, err := c.h.cfg.Service.Operation(c.r.Context(), c.r.PathValue("id"))
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, op)
}

func (c *call) changeOperation() error {
	var req unwind.OperationChange
	if err := read(c, changeOpDecoder, maxBody, &req); err != nil {
		return err
	}
	req.Actor = c.who.name
	op, err := c.h.cfg.Service.ChangeOperation(c.r.Context(), c.r.PathValue("id"), req)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, op)
}

func (c *call) abortOperation() error {
	q := c.query(abortParams)
	if err := q.err(); err != nil {
		return err
	}
	op, err := c.h.cfg.Service.AbortOperation(c.r.Context(), c.r.PathValue("id"), unwind.AbortRequest{Reason: q.text("reason"), Actor: c.who.name})
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, op)
}
