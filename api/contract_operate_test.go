package api_test

import (
	"net/url"
	"strings"
	"time"

	"github.com/unwindhq/unwind"
)

func (c *contract) deadLetters() {
	const list, get = "GET /v1/dead-letters", "GET /v1/dead-letters/{id}"
	const replay, resolve = "POST /v1/dead-letters/{id}/replay", "POST /v1/dead-letters/{id}/resolve"
	c.start("dead", "D1")
	var page unwind.List[unwind.DeadLetter]
	c.call(200, list, "/v1/dead-letters?state=open&saga=dead&limit=10", "").decode(c.t, &page)
	if len(page.Items) != 1 {
		c.t.Fatalf("got %d dead letters", len(page.Items))
	}
	id := "/v1/dead-letters/" + page.Items[0].ID
	c.call(422, list, "/v1/dead-letters?state=closed", "")
	c.call(400, list, "/v1/dead-letters?cursor=nonsense", "")
	c.call(200, get, id, "")
	c.call(404, get, "/v1/dead-letters/x", "")
	c.call(422, replay, id+"/replay", `{"reason":""}`)
	c.call(422, replay, id+"/replay", `{"reason":"it is up again","new_key":true}`)
	c.call(404, replay, "/v1/dead-letters/x/replay", `{"reason":"it is up again"}`)
	c.call(200, replay, id+"/replay", `{"reason":"it is up again"}`)
	c.deadAgain(page.Items[0].ID)
	c.call(422, resolve, id+"/resolve", `{"reason":"by hand"}`)
	c.call(422, resolve, id+"/resolve", `{"reason":"by hand","evidence":""}`)
	c.call(200, resolve, id+"/resolve", `{"reason":"by hand","evidence":"R-17"}`)
	r := c.call(409, resolve, id+"/resolve", `{"reason":"by hand","evidence":"R-17"}`)
	var p problem
	r.decode(c.t, &p)
	if p.By != "local" || p.Action != "resolved" || p.At == "" {
		c.t.Errorf("the conflict does not say who did what when: %s", r.body)
	}
	const groups, reopen, note = "GET /v1/dead-letters/groups", "POST /v1/dead-letters/{id}/reopen", "POST /v1/dead-letters/{id}/note"
	c.call(200, note, id+"/note", `{"text":"the bank is asked","owner":"ann"}`)
	c.call(422, note, id+"/note", `{}`)
	c.call(422, note, id+"/note", `{"text":"`+strings.Repeat("x", 5000)+`"}`)
	c.call(404, note, "/v1/dead-letters/x/note", `{"owner":"ann"}`)
	c.call(422, reopen, id+"/reopen", `{"reason":""}`)
	c.call(404, reopen, "/v1/dead-letters/x/reopen", `{"reason":"a mistake"}`)
	c.call(200, reopen, id+"/reopen", `{"reason":"a mistake"}`)
	c.call(409, reopen, id+"/reopen", `{"reason":"a mistake"}`).decode(c.t, &p)
	if p.By != "local" || p.Action != "open" {
		c.t.Errorf("the conflict does not say who did what: %+v", p)
	}
	c.call(200, groups, "/v1/dead-letters/groups?saga=dead&state=open&limit=1", "")
	c.call(200, groups, "/v1/dead-letters/groups?service=nobody", "")
	c.call(422, groups, "/v1/dead-letters/groups?state=closed&group=x", "")
	c.call(400, groups, "/v1/dead-letters/groups?cursor="+url.QueryEscape("g1.2"), "")
}

func (c *contract) operations() {
	const start, list, get = "POST /v1/operations", "GET /v1/operations", "GET /v1/operations/{id}"
	const change, abort = "PATCH /v1/operations/{id}", "DELETE /v1/operations/{id}"
	const replay = `{"kind":"replay","selection":{"saga":"dead","before":"2999-01-02T15:04:05Z"},"rate":"20/s","canary":1,"auto":true,"reason":"mended"`
	var plan unwind.OperationPlan
	c.call(200, start, "/v1/operations", replay+`,"dry_run":true}`).decode(c.t, &plan)
	if plan.Eligible != 1 || !strings.HasPrefix(plan.Command, "unwind dlq replay --selection "+plan.SelectionID+" --rate 20/s --canary 1 --auto") {
		c.t.Errorf("the plan is %+v", plan)
	}
	c.call(422, start, "/v1/operations", `{"kind":"replay","selection":{},"reason":"r"}`)
	c.call(422, start, "/v1/operations", `{"kind":"replay","selection":{"ids":[]},"reason":"r"}`)
	c.call(422, start, "/v1/operations", `{"kind":"replay","selection":{"ids":"all"},"reason":"r"}`)
	c.call(422, start, "/v1/operations", `{"kind":"replay","selection":{"ids":[1]},"reason":"r"}`)
	c.call(422, start, "/v1/operations", `{"kind":"replay","selection":{"before":"yesterday","saga":"dead"},"reason":"r"}`)
	c.call(422, start, "/v1/operations", `{"kind":"replay","selection":{"before":1,"saga":"dead"},"reason":"r"}`)
	c.call(422, start, "/v1/operations", `{"kind":"replay","selection":{"status":"open"},"reason":"r"}`)
	c.call(422, start, "/v1/operations", `{"kind":"replay","selection":{"ids":[`+strings.Repeat(`"x",`, 10_000)+`"x"]},"reason":"r"}`)
	c.call(413, start, "/v1/operations", `{"kind":"replay","selection":{"ids":["`+strings.Repeat("x", 2<<20)+`"]},"reason":"r"}`)
	c.call(404, start, "/v1/operations", `{"kind":"replay","selection_id":"nonsense","reason":"r"}`)
	c.call(409, start, "/v1/operations", `{"kind":"replay","selection":{"ids":["nonsense","01a20600-0000-7000-8000-000000000000.1.c"]},"reason":"r"}`)
	var op unwind.Operation
	run := `{"kind":"replay","selection_id":"` + plan.SelectionID + `","rate":"1/h","reason":"mended"}`
	c.call(202, start, "/v1/operations", run, "Idempotency-Key: op-1").decode(c.t, &op)
	c.call(202, start, "/v1/operations", run, "Idempotency-Key: op-1")
	c.call(422, start, "/v1/operations", replay+`}`, "Idempotency-Key: op-1")
	id := "/v1/operations/" + op.ID
	c.call(200, get, id, "")
	c.call(404, get, "/v1/operations/x", "")
	c.call(200, list, "/v1/operations?state=running&limit=1", "")
	c.call(422, list, "/v1/operations?state=selection", "")
	c.call(400, list, "/v1/operations?cursor=d1.2.3.4", "")
	c.call(200, change, id, `{"rate":"2/h","paused":true,"reason":"wait"}`)
	c.call(200, change, id, `{"paused":false}`)
	c.call(409, change, id, `{"paused":false}`)
	c.call(422, change, id, `{}`)
	c.call(422, change, id, `{"state":"finished"}`)
	c.call(404, change, "/v1/operations/99", `{"paused":true}`)
	c.call(200, abort, id+"?reason=enough", "")
	r := c.call(409, abort, id, "")
	var p problem
	r.decode(c.t, &p)
	if p.Action != "aborted" || p.At == "" {
		c.t.Errorf("the conflict does not say what was done when: %s", r.body)
	}
}

func (c *contract) services() {
	const pause, resume = "POST /v1/services/{name}/pause", "POST /v1/services/{name}/resume"
	c.call(422, pause, "/v1/services/payments/pause", `{"lane":"sideways","reason":"x"}`)
	c.call(422, pause, "/v1/services/payments/pause", `{"lane":"forward","reason":""}`)
	c.call(404, pause, "/v1/services/nothing/pause", `{"lane":"forward","reason":"x"}`)
	c.call(409, resume, "/v1/services/payments/resume", `{"lane":"forward","reason":"x"}`)
	c.call(404, resume, "/v1/services/nothing/resume", `{"lane":"forward","reason":"x"}`)
	c.call(422, pause, "/v1/services/payments/pause", `{"lane":"forward","expires_in":"1ms","reason":"x"}`)
	c.call(422, resume, "/v1/services/payments/resume", `{"lane":"forward","expires_in":"10m","reason":"x"}`)
	var moves unwind.ServiceState
	c.call(200, pause, "/v1/services/payments/pause", `{"lane":"forward","expires_in":"10m","reason":"they move house"}`).decode(c.t, &moves)
	if p := moves.Lanes.Forward.Paused; p == nil || p.Until == nil || p.Until.Sub(p.At.Time) != 10*time.Minute {
		c.t.Errorf("a pause for ten minutes stands as %+v", p)
	}
	c.call(200, pause, "/v1/services/payments/pause", `{"lane":"forward","reason":"they move house"}`)
	const send = "POST /v1/sagas/{id}/send"
	var waits unwind.Instance
	c.call(201, "POST /v1/sagas", "/v1/sagas", `{"saga":"async"}`).decode(c.t, &waits)
	c.call(404, send, "/v1/sagas/"+waits.ID+"/send", `{"step":"chrage","reason":"x"}`)
	c.call(409, send, "/v1/sagas/"+waits.ID+"/send", `{"step":"charge","reason":"x"}`)
	c.call(422, send, "/v1/sagas/"+waits.ID+"/send", `{"step":"charge","direction":"sideways","reason":"x"}`)
	c.call(422, send, "/v1/sagas/"+waits.ID+"/send", `{"step":"charge"}`)
	c.call(200, send, "/v1/sagas/"+waits.ID+"/send", `{"step":"charge","direction":"action","reason":"are they there?"}`)
	c.call(200, resume, "/v1/services/payments/resume", `{"lane":"forward","reason":"they have moved"}`)
	const open = "POST /v1/services/{name}/open-gate"
	c.call(409, open, "/v1/services/payments/open-gate", `{"lane":"compensation","reason":"it is not closed"}`)
	c.call(422, open, "/v1/services/payments/open-gate", `{"reason":"x"}`)
	c.call(404, open, "/v1/services/nothing/open-gate", `{"lane":"forward","reason":"x"}`)
	c.call(201, "POST /v1/sagas", "/v1/sagas", `{"saga":"busy"}`)
	for begin := time.Now(); !strings.Contains(c.do("GET", "/v1/services/payments", "").body, `"reason":"429"`); {
		if time.Since(begin) > time.Minute {
			c.t.Fatal("a Retry-After of a minute closes nothing")
		}
	}
	if r := c.call(200, open, "/v1/services/payments/open-gate", `{"lane":"forward","reason":"their header was wrong"}`); strings.Contains(r.body, `"reason":"429"`) {
		c.t.Errorf("it is closed still: %s", r.body)
	}
	const limit, breaker = "PATCH /v1/services/{name}", "POST /v1/services/{name}/breaker"
	c.call(200, limit, "/v1/services/payments", `{"compensation":{"rate":"20/s","concurrency":5,"window":"2000/1m","adaptive":true},"expires_in":"1h","reason":"they asked"}`)
	c.call(200, limit, "/v1/services/payments", `{"reset":"compensation","reason":"they thanked"}`)
	c.call(422, limit, "/v1/services/payments", `{"compensation":{"rate":20},"reason":"x"}`)
	c.call(422, limit, "/v1/services/payments", `{"compensation":{"rate":"20/s"},"forward":{"rate":"20/s"},"reason":"x"}`)
	c.call(422, limit, "/v1/services/payments", `{"compensation":{"speed":"20/s"},"reason":"x"}`)
	c.call(422, limit, "/v1/services/payments", `{"compensation":{"rate":"2/s"}}`)
	c.call(422, limit, "/v1/services/payments", `{"reason":"x"}`)
	c.call(404, limit, "/v1/services/nothing", `{"reset":"forward","reason":"x"}`)
	c.call(200, breaker, "/v1/services/payments/breaker", `{"state":"open","reason":"they asked"}`)
	c.call(200, breaker, "/v1/services/payments/breaker", `{"state":"auto","lane":"compensation","reason":"they thanked"}`)
	c.call(422, breaker, "/v1/services/payments/breaker", `{"state":"ajar","reason":"x"}`)
	c.call(404, breaker, "/v1/services/nothing/breaker", `{"state":"auto","reason":"x"}`)
}

func (c *contract) scopes() {
	c.call(200, "GET /v1/scopes", "/v1/scopes", "")
	c.call(422, "GET /v1/scopes", "/v1/scopes?x=1", "")
	const scope = "PATCH /v1/scopes"
	c.call(200, scope, "/v1/scopes", `{"scope":{"kind":"tenant","name":"order","tenant":"acme"},"limits":{"weight":4,"rate":"5/s"},"reason":"they pay more"}`)
	c.call(200, scope, "/v1/scopes", `{"scope":{"kind":"global"},"paused":true,"reason":"a storm"}`)
	c.call(200, scope, "/v1/scopes", `{"scope":{"kind":"global"},"paused":false,"reason":"it is over"}`)
	c.call(409, scope, "/v1/scopes", `{"scope":{"kind":"global"},"paused":false,"reason":"it is over"}`)
	c.call(422, scope, "/v1/scopes", `{"scope":{"kind":"global"},"open_gate":true,"reason":"x"}`)
	c.call(422, scope, "/v1/scopes", `{"scope":{"kind":"forward","name":"payments"},"open_gate":true,"paused":true,"reason":"x"}`)
	c.call(422, scope, "/v1/scopes", `{"scope":"global","paused":false,"reason":"x"}`)
	c.call(422, scope, "/v1/scopes", `{"scope":{"kind":"global","weight":1},"paused":false,"reason":"x"}`)
	c.call(404, scope, "/v1/scopes", `{"scope":{"kind":"saga","name":"nothing"},"paused":true,"reason":"x"}`)
}
