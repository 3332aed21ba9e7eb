package api

import (
	"net/http"
	"reflect"

	"github.com/unwindhq/unwind"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

func ok[T any](text string) []answer {
	return []answer{{status: http.StatusOK, text: text, body: typeOf[T]()}}
}

// table lists every route. What is not in it does not exist.
func (h *Handler) table() []route {
	routes := append(sagaRoutes(), definitionRoutes()...)
	routes = append(routes, deadLetterRoutes()...)
	routes = append(routes, operationRoutes()...)
	routes = append(routes, observeRoutes()...)
	routes = append(routes, restoreRoutes()...)
	if h.cfg.Events != nil {
		routes = append(routes, eventRoute())
	}
	if h.cfg.Gatherer != nil {
		routes = append(routes, metricsRoute(h.cfg.Gatherer))
	}
	return append(routes, healthRoutes()...)
}

// lists holds the texts of the statuses in the document.
var (
	sagaStatuses     = []unwind.Status{unwind.Running, unwind.Compensating, unwind.Completed, unwind.Compensated, unwind.DeadLettered}
	deadLetterStates = []unwind.DeadLetterState{unwind.DeadLetterOpen, unwind.DeadLetterReplaying, unwind.DeadLetterReplayed, unwind.DeadLetterResolved}
)

func texts[T ~string](words []T) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = string(w)
	}
	return out
}

func sagaRoutes() []route {
	return []route{{
		key: "POST /v1/sagas", id: "start-saga", tag: "sagas", summary: "Start a saga",
		text: "Answers once the start is durable; with wait, once the saga is at rest or the wait is over. " +
			"The same key with the same input gives the saga that it began; where that is past its retention and only the key is kept, it is purged, and without steps.",
		serve: (*call).start, body: typeOf[unwind.StartRequest](),
		header: []param{{name: "Idempotency-Key", kind: "string", text: "The same as key"}},
		answers: []answer{
			{status: http.StatusCreated, text: "It was started", body: typeOf[unwind.Instance]()},
			{status: http.StatusOK, text: "The key began it before", body: typeOf[unwind.Instance]()},
		},
		refusals: []unwind.Code{unwind.UnknownSaga, unwind.KeyReused, unwind.Overloaded},
	}, {
		key: "POST /v1/sagas:batch", id: "start-sagas", tag: "sagas", summary: "Start many sagas",
		text: "NDJSON: one start per line, without wait, at most 10,000. The answer has one line for each, in order, " +
			"and is sent while the request is still being read: read it while you write.",
		serve: (*call).batch, body: typeOf[unwind.StartRequest](), bodyType: ndjsonType,
		answers: []answer{{status: http.StatusOK, text: "One line for each line", body: typeOf[BatchLine](), contentType: ndjsonType}},
	}, {
		key: "GET /v1/sagas", id: "list-sagas", tag: "sagas", summary: "List sagas, newest first",
		text:  "Items are without the outputs and errors of their steps; get one saga for those.",
		serve: (*call).list, query: listParams, answers: ok[unwind.List[unwind.Instance]]("A page"),
	}, {
		key: "GET /v1/sagas/{id}", id: "get-saga", tag: "sagas", summary: "Get a saga",
		text:  "Step by step: what was done, what is undone, which call comes next and what it waits for.",
		serve: (*call).get, answers: ok[unwind.Instance]("The saga"),
		refusals: []unwind.Code{unwind.NotFound},
	}, {
		key: "GET /v1/sagas/{id}/history", id: "get-history", tag: "sagas", summary: "Read a saga's journal, oldest first",
		text:  "Everything that happened to it: each order of a call, each answer, each act of a person.",
		serve: (*call).history, query: pageParams, answers: ok[unwind.List[unwind.Entry]]("A page"),
		refusals: []unwind.Code{unwind.NotFound},
	}, {
		key: "POST /v1/sagas/{id}/cancel", id: "cancel-saga", tag: "sagas", summary: "Turn a saga back",
		text:  "What it did is undone. A saga past its pivot, or at rest, is a conflict.",
		serve: (*call).cancel, body: typeOf[unwind.CancelRequest](),
		answers:  []answer{{status: http.StatusAccepted, text: "It is durable that it turns back", body: typeOf[unwind.Instance]()}},
		refusals: []unwind.Code{unwind.NotFound, unwind.Conflict, unwind.PastPivot},
	}, {
		key: "POST /v1/sagas/{id}/signal", id: "signal-saga", tag: "sagas", summary: "Answer a step that waits for a signal",
		text:  "name is the step's, data becomes its output.",
		serve: (*call).signal, body: typeOf[unwind.SignalRequest](), answers: ok[unwind.Instance]("The saga"),
		refusals: []unwind.Code{unwind.NotFound, unwind.Conflict},
	}, {
		key: "POST /v1/sagas/{id}/send", id: "send-now", tag: "sagas", summary: "Have one waiting call sent at once",
		text: "Whatever the pace, gate, breaker or pause of its lane say. It still counts in every limit, and where the " +
			"breaker is open it is its probe.",
		serve: (*call).sendNow, body: typeOf[unwind.SendNow](), answers: ok[unwind.Instance]("It is durable"),
		refusals: []unwind.Code{unwind.NotFound, unwind.Conflict},
	}, {
		key: "POST /v1/calls/{token}", id: "complete-call", tag: "sagas", summary: "Complete an asynchronous call",
		text:  "For participants that answered 202; the step's call_token is the token.",
		serve: (*call).complete, body: typeOf[unwind.Completion](),
		answers:  []answer{{status: http.StatusNoContent, text: "It is durable"}},
		refusals: []unwind.Code{unwind.NotFound, unwind.Conflict},
	}}
}

func definitionRoutes() []route {
	return []route{{
		key: "GET /v1/definitions", id: "list-definitions", tag: "definitions", summary: "List the newest definitions by name",
		text:  "Those of the configuration and those that were put.",
		serve: (*call).definitions, query: pageParams, answers: ok[unwind.List[unwind.Revision]]("A page"),
	}, {
		key: "GET /v1/definitions/{name}", id: "get-definition", tag: "definitions", summary: "Get a definition",
		text:  "The newest revision, or the one that a saga began with.",
		serve: (*call).definition, query: versionParams, answers: ok[unwind.Revision]("The definition"),
		refusals: []unwind.Code{unwind.UnknownSaga},
	}, {
		key: "PUT /v1/definitions/{name}", id: "put-definition", tag: "definitions", summary: "Store a definition",
		text:  "New starts run by it; running sagas keep the definition that they began with.",
		serve: (*call).putDefinition, body: typeOf[unwind.Definition](), answers: ok[unwind.Revision]("It is stored"),
	}, {
		key: "POST /v1/definitions:validate", id: "validate-definition", tag: "definitions", summary: "Find every fault of a definition",
		text:  "Nothing is stored. Warnings are listed too, and refuse nothing.",
		serve: (*call).validate, body: typeOf[unwind.Definition](), answers: ok[Validation]("Its faults"),
	}}
}

func deadLetterRoutes() []route {
	return []route{{
		key: "GET /v1/dead-letters", id: "list-dead-letters", tag: "dead letters", summary: "List dead letters, newest first",
		text:  "Calls that are not made again before a person decides.",
		serve: (*call).deadLetters, query: deadLetterParams, answers: ok[unwind.List[unwind.DeadLetter]]("A page"),
	}, {
		key: "GET /v1/dead-letters/groups", id: "list-dead-letter-groups", tag: "dead letters", summary: "Count dead letters by their cause",
		text:  "The counts are exact. Groups with most open ones come first, then the latest.",
		serve: (*call).deadLetterGroups, query: groupParams, answers: ok[unwind.List[unwind.DeadLetterGroup]]("A page"),
	}, {
		key: "GET /v1/dead-letters/{id}", id: "get-dead-letter", tag: "dead letters", summary: "Get a dead letter with its verdict, notes and history",
		text:  "The history is the journal of its step and direction.",
		serve: (*call).deadLetter, answers: ok[unwind.DeadLetter]("The dead letter"),
		refusals: []unwind.Code{unwind.NotFound},
	}, {
		key: "POST /v1/dead-letters/{id}/replay", id: "replay-dead-letter", tag: "dead letters", summary: "Call again",
		text:  "Under the same key, or with new_key and evidence under a new one.",
		serve: (*call).replay, body: typeOf[unwind.ReplayRequest](), answers: ok[unwind.DeadLetter]("It is durable that it is called again"),
		refusals: []unwind.Code{unwind.NotFound, unwind.Conflict},
	}, {
		key: "POST /v1/dead-letters/{id}/resolve", id: "resolve-dead-letter", tag: "dead letters", summary: "Settle by hand, without a call",
		text:  "A compensation counts as done; an action past its pivot is resolved as done, with an output, or as refused.",
		serve: (*call).resolve, body: typeOf[unwind.ResolveRequest](), answers: ok[unwind.DeadLetter]("It is settled"),
		refusals: []unwind.Code{unwind.NotFound, unwind.Conflict},
	}, {
		key: "POST /v1/dead-letters/{id}/reopen", id: "reopen-dead-letter", tag: "dead letters", summary: "Take back that it was settled by hand",
		text:  "Of a compensation, while its saga is at rest; the saga is dead_lettered then.",
		serve: (*call).reopen, body: typeOf[unwind.ReopenRequest](), answers: ok[unwind.DeadLetter]("It is open again"),
		refusals: []unwind.Code{unwind.NotFound, unwind.Conflict},
	}, {
		key: "POST /v1/dead-letters/{id}/note", id: "note-dead-letter", tag: "dead letters", summary: "Write down what there is to know, and who looks after it",
		text:  "It is kept with the dead letter, and in the audit.",
		serve: (*call).note, body: typeOf[unwind.NoteRequest](), answers: ok[unwind.DeadLetter]("It is written down"),
		refusals: []unwind.Code{unwind.NotFound},
	}}
}

func observeRoutes() []route {
	return []route{{
		key: "GET /v1/services", id: "list-services", tag: "operations", summary: "See the lanes of every service",
		text:  "Rates in calls per second, what is in flight, what waits and why.",
		serve: (*call).services, answers: ok[unwind.List[unwind.ServiceState]]("All of them"),
	}, {
		key: "GET /v1/services/{name}", id: "get-service", tag: "operations", summary: "See the lanes of a service",
		text:  "As in the list.",
		serve: (*call).service, answers: ok[unwind.ServiceState]("The service"),
		refusals: []unwind.Code{unwind.NotFound},
	}, {
		key: "POST /v1/services/{name}/pause", id: "pause-lane", tag: "operations", summary: "Pause a lane of a service",
		text:  "Nothing more is sent through it until it is resumed or the pause expires, over restarts too; what is in flight is awaited, and what waits is kept.",
		serve: (*call).pause, body: typeOf[PauseRequest](), answers: ok[unwind.ServiceState]("It is durable that it is paused"),
		refusals: []unwind.Code{unwind.NotFound},
	}, {
		key: "POST /v1/services/{name}/resume", id: "resume-lane", tag: "operations", summary: "Let a paused lane go on",
		text:  "Whoever paused it. A lane that is not paused is a conflict.",
		serve: (*call).resume, body: typeOf[LaneRequest](), answers: ok[unwind.ServiceState]("It goes on"),
		refusals: []unwind.Code{unwind.NotFound, unwind.Conflict},
	}, {
		key: "PATCH /v1/services/{name}", id: "limit-lane", tag: "operations", summary: "Change the limits of a lane of a service",
		text: "They stand above the configuration until they are changed, reset or expire, over restarts too. " +
			"It is in force within a second and no burst follows it. One lane in a request.",
		serve: (*call).limit, body: typeOf[ServiceChange](), answers: ok[unwind.ServiceState]("It is durable"),
		refusals: []unwind.Code{unwind.NotFound},
	}, {
		key: "POST /v1/services/{name}/breaker", id: "set-breaker", tag: "operations", summary: "Hold a lane's breaker open or closed, or let it decide",
		text:  "Open sends nothing but what send-now lets through, closed sends whatever comes back, auto lets the answers decide.",
		serve: (*call).breaker, body: typeOf[BreakerRequest](), answers: ok[unwind.ServiceState]("It is durable"),
		refusals: []unwind.Code{unwind.NotFound},
	}, {
		key: "POST /v1/services/{name}/open-gate", id: "open-gate", tag: "operations", summary: "Open the gate of a lane that a wrong Retry-After has closed",
		text: "Or a RateLimit header. It stays open over a restart; calls that were refused wait for what they were told still, " +
			"and the next answer of that kind closes it again. A pause, an open breaker and a service fault go on, every limit " +
			"counts, and no burst follows. A lane that is not closed so is a conflict.",
		serve: (*call).openGate, body: typeOf[LaneRequest](), answers: ok[unwind.ServiceState]("It is durable, and open"),
		refusals: []unwind.Code{unwind.NotFound, unwind.Conflict},
	}, {
		key: "GET /v1/scopes", id: "list-scopes", tag: "operations", summary: "See every scope that has limits",
		text:  "Everything, the lanes of services, saga types, and tenants of saga types.",
		serve: (*call).scopes, answers: ok[unwind.List[unwind.ScopeState]]("All of them"),
	}, {
		key: "PATCH /v1/scopes", id: "change-scope", tag: "operations", summary: "Pause, resume or limit any scope",
		text: "As for a service, at every scope. A pause holds at once; what is in flight is awaited. To resume a scope " +
			"that is not paused, or to open a gate that is not closed, is a conflict.",
		serve: (*call).changeScope, body: typeOf[unwind.ControlRequest](), answers: ok[unwind.ScopeState]("It is durable"),
		refusals: []unwind.Code{unwind.NotFound, unwind.UnknownSaga, unwind.Conflict},
	}, {
		key: "GET /v1/alerts", id: "list-alerts", tag: "operations", summary: "List alerts, newest first",
		text:  "What a person must know. It fires until resolved_at; delivered says whether every sink has it; runbook says what to do, link leads to what it is about.",
		serve: (*call).alerts, query: alertParams, answers: ok[unwind.List[unwind.Alert]]("A page"),
	}, {
		key: "GET /v1/audit", id: "list-audit", tag: "operations", summary: "List what operators did, newest first",
		text: "One row for each act, written in the transaction of what it changed, with the hash of the one before. " +
			"The cursor oldest begins at the first row. With a filter a page may hold fewer rows than limit, or none: there are " +
			"more behind it as long as it has a next_cursor.",
		serve: (*call).audit, query: auditParams, answers: ok[unwind.List[unwind.AuditRow]]("A page"),
	}, {
		key: "GET /v1/audit/head", id: "get-audit-head", tag: "operations", summary: "Get the end of the audit",
		text:  "Kept elsewhere, it shows whether the rows up to it are what was written.",
		serve: (*call).auditHead, answers: ok[unwind.AuditHead]("The head"),
	}, {
		key: "GET /v1/stats", id: "get-stats", tag: "operations", summary: "Count what the engine holds",
		text:  "Sagas by state, what is active, starts that were taken and refused.",
		serve: (*call).stats, answers: ok[unwind.Stats]("The counts"),
	}}
}
