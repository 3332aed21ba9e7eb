package api_test

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/api"
	"github.com/unwindhq/unwind/engine"
)

// A contract sends requests and holds each answer against the document.
type contract struct {
	*fixture
	doc       document
	succeeded map[string]bool
	refused   map[string]bool
}

// call sends a request and checks that the document says of its route: this
// status, with this content type, and a body of this shape.
func (c *contract) call(want int, key, path, body string, headers ...string) reply {
	c.t.Helper()
	method, template, _ := strings.Cut(key, " ")
	bare, _, _ := strings.Cut(path, "?")
	if !pathMatches(template, bare) {
		c.t.Fatalf("%s is no path of %s", path, key)
	}
	r := c.do(method, path, body, headers...)
	if r.status != want {
		c.t.Errorf("%s %s %s: got %d, want %d\n%s", method, path, body, r.status, want, r.body)
	}
	if r.status < 400 {
		c.succeeded[key] = true
	} else {
		c.refused[key] = true
	}
	for _, wrong := range c.judge(key, r) {
		c.t.Errorf("%s %s: %d: %s\n%s", method, path, r.status, wrong, r.body)
	}
	return r
}

// judge holds an answer against the document.
func (c *contract) judge(key string, r reply) []string {
	status := strconv.Itoa(r.status)
	responses, _ := c.doc.operation(key)["responses"].(map[string]any)
	response, ok := responses[status].(map[string]any)
	if !ok {
		return []string{"the document does not know this status"}
	}
	content, _ := response["content"].(map[string]any)
	if len(content) == 0 {
		if r.body != "" {
			return []string{"the document knows no body"}
		}
		return nil
	}
	got, _, err := mime.ParseMediaType(r.header.Get("Content-Type"))
	media, ok := content[got].(map[string]any)
	if err != nil || !ok {
		return []string{fmt.Sprintf("the document does not know the content type %q", r.header.Get("Content-Type"))}
	}
	if media["schema"] == nil {
		return nil
	}
	var wrong []string
	d := json.NewDecoder(strings.NewReader(r.body))
	d.UseNumber()
	for d.More() {
		var v any
		if err := d.Decode(&v); err != nil {
			return append(wrong, err.Error())
		}
		wrong = append(wrong, c.doc.check("", media["schema"], v)...)
	}
	if got == "application/problem+json" {
		var p problem
		r.decode(c.t, &p)
		if p.Status != r.status || p.RequestID != r.header.Get("X-Request-Id") || !strings.HasPrefix(p.Type, "urn:unwind:problem:") || p.Detail == "" {
			wrong = append(wrong, "the problem's status, request id, type or detail")
		}
	}
	return wrong
}

func TestEveryRouteDoesWhatTheDocumentSays(t *testing.T) {
	f := newFixture(t, nil)
	c := &contract{fixture: f, doc: f.document(), succeeded: map[string]bool{}, refused: map[string]bool{}}
	saga := c.sagas()
	c.definitions()
	c.deadLetters()
	c.operations()
	c.lists()
	c.infrastructure(saga)
	c.hold()
	for _, key := range f.handler.Routes() {
		if key == "GET /v1/events" {
			continue // it never ends; events_test.go has it
		}
		if !c.succeeded[key] || !c.refused[key] {
			t.Errorf("%s: succeeded %t, refused %t; want both tried", key, c.succeeded[key], c.refused[key])
		}
	}
}

func (c *contract) sagas() string {
	const start, batch = "POST /v1/sagas", "POST /v1/sagas:batch"
	var inst unwind.Instance
	c.call(201, start, "/v1/sagas", `{"saga":"order","key":"A","tenant":"t","input":{"n":1.10},"wait":"10s"}`).decode(c.t, &inst)
	c.call(200, start, "/v1/sagas", `{"saga":"order","key":"A","tenant":"t","input":{ "n":1.10 }}`)
	c.call(201, start, "/v1/sagas", `{"saga":"order"}`, "Idempotency-Key: B")
	c.call(200, start, "/v1/sagas", `{"saga":"order","key":"B"}`, "Idempotency-Key: B")
	c.call(422, start, "/v1/sagas", `{"saga":"order","key":"C"}`, "Idempotency-Key: B")
	c.call(422, start, "/v1/sagas", `{"saga":"order","key":"A","tenant":"t","input":{"n":1.1}}`)
	c.call(404, start, "/v1/sagas", `{"saga":"nothing"}`)
	c.call(422, start, "/v1/sagas", `{"saga":"order","wait":"61s"}`)
	c.call(422, start, "/v1/sagas", `{"saga":"order","wait":3}`)
	c.call(422, start, "/v1/sagas", `{"saga":"order","what":3}`)
	c.call(422, start, "/v1/sagas", `{"key":"D"}`)
	c.call(422, start, "/v1/sagas", `{"saga":"order","saga":"order"}`)
	c.call(422, start, "/v1/sagas", `{"Saga":"order"}`)
	c.call(422, start, "/v1/sagas?wait=10s", `{"saga":"order"}`)
	c.call(400, start, "/v1/sagas", `{"saga":"order"`)
	c.call(400, start, "/v1/sagas", `[]`)
	c.call(400, start, "/v1/sagas", `{"saga":"order"} {}`)
	c.call(400, start, "/v1/sagas", strings.Repeat("[", 100_000))
	c.call(400, start, "/v1/sagas", "{\"saga\":\"\xff\"}")
	c.call(415, start, "/v1/sagas", `{"saga":"order"}`, "Content-Type: text/plain")
	c.call(415, start, "/v1/sagas", `{"saga":"order"}`, "Content-Type: ")
	c.call(415, start, "/v1/sagas", `{"saga":"order"}`, "Content-Encoding: gzip")
	c.call(413, start, "/v1/sagas", `{"saga":"order","input":"`+strings.Repeat("x", unwind.MaxInput)+`"}`)
	c.call(413, start, "/v1/sagas", `{"saga":"order","input":"`+strings.Repeat("x", 2*unwind.MaxInput)+`"}`)

	c.call(200, batch, "/v1/sagas:batch", "{\"saga\":\"order\",\"key\":\"A\",\"tenant\":\"t\",\"input\":{\"n\":1.10}}\n\n{\"saga\":\"nothing\"}\n{}", "Content-Type: application/x-ndjson")
	c.call(415, batch, "/v1/sagas:batch", `{"saga":"order"}`)

	id := "/v1/sagas/" + inst.ID
	c.call(200, "GET /v1/sagas/{id}", id, "")
	c.call(404, "GET /v1/sagas/{id}", "/v1/sagas/01932e07-7b0c-7000-8000-000000000000", "")
	c.call(404, "GET /v1/sagas/{id}", "/v1/sagas/x", "")
	c.call(200, "GET /v1/sagas/{id}/history", id+"/history?limit=2", "")
	c.call(400, "GET /v1/sagas/{id}/history", id+"/history?cursor=!", "")
	c.call(404, "GET /v1/sagas/{id}/history", "/v1/sagas/x/history", "")

	const cancel, signal, complete = "POST /v1/sagas/{id}/cancel", "POST /v1/sagas/{id}/signal", "POST /v1/calls/{token}"
	c.call(409, cancel, id+"/cancel", `{"reason":"late"}`)
	c.call(404, cancel, "/v1/sagas/x/cancel", `{"reason":"late"}`)
	c.call(422, cancel, id+"/cancel", `{"reason":null}`)
	for i, step := range []string{"cancel", "signal"} {
		var held unwind.Instance
		c.call(201, start, "/v1/sagas", fmt.Sprintf(`{"saga":"approval","key":"H%d"}`, i)).decode(c.t, &held)
		c.awaitSignal(held.ID)
		path := "/v1/sagas/" + held.ID + "/" + step
		if step == "cancel" {
			c.call(202, cancel, path, `{}`)
			continue
		}
		c.call(422, signal, path, `{}`)
		c.call(200, signal, path, `{"name":"approve","data":{"by":"me"}}`)
		c.call(409, signal, path, `{"name":"approve"}`)
	}
	c.call(404, complete, "/v1/calls/nonsense", `{"outcome":"done"}`)
	token := c.asyncToken()
	c.call(422, complete, "/v1/calls/"+token, `{"outcome":"maybe"}`)
	c.call(204, complete, "/v1/calls/"+token, `{"outcome":"done","output":{"ok":true}}`)
	return inst.ID
}

func (c *contract) definitions() {
	const put, get, list, validate = "PUT /v1/definitions/{name}", "GET /v1/definitions/{name}", "GET /v1/definitions", "POST /v1/definitions:validate"
	good := `{"deadline":"10m","on_dead_letter":"block","steps":[{"name":"charge","action":{"service":"payments","path":"/charge","timeout":"2s","body":{"n":"${input.n}"}},"compensation":{"service":"payments","path":"/refund","priority":"money"},"retry":{"attempts":3}},{"name":"tell","after":[],"action":{"service":"payments","path":"/tell"},"compensation":"none"}]}`
	c.call(200, put, "/v1/definitions/paid", good)
	c.call(200, get, "/v1/definitions/paid", "")
	c.call(404, get, "/v1/definitions/nothing", "")
	c.call(422, put, "/v1/definitions/paid", `{"name":"other",`+good[1:])
	c.call(422, put, "/v1/definitions/a%20b", good)
	c.call(422, put, "/v1/definitions/paid", strings.ReplaceAll(good, `"payments"`, `"paymentz"`))
	c.call(400, put, "/v1/definitions/paid", `steps: []`)
	c.call(400, put, "/v1/definitions/paid", `[]`)
	c.call(413, put, "/v1/definitions/paid", strings.Repeat(" ", 1<<20)+good)
	c.call(200, list, "/v1/definitions?limit=2", "")
	c.call(422, list, "/v1/definitions?limit=0", "")
	c.call(200, validate, "/v1/definitions:validate", `{"name":"paid",`+good[1:])
	c.call(200, validate, "/v1/definitions:validate", `{"stepz":1}`)
	c.call(400, validate, "/v1/definitions:validate", `{`)
}

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

func (c *contract) lists() {
	c.call(200, "GET /v1/sagas", "/v1/sagas?status=completed&saga=order&tenant=t&key=A&since=2020-01-02T15:04:05Z&limit=1", "")
	c.call(422, "GET /v1/sagas", "/v1/sagas?status=done&since=yesterday&limit=1001", "")
	c.call(422, "GET /v1/sagas", "/v1/sagas?limit=1&limit=2", "")
	c.call(400, "GET /v1/sagas", "/v1/sagas?cursor=nonsense", "")
	for _, path := range []string{"/v1/alerts", "/v1/audit"} {
		c.call(200, "GET "+path, path+"?limit=1", "")
		c.call(400, "GET "+path, path+"?cursor=nonsense", "")
	}
	for _, path := range []string{"/v1/services", "/v1/stats", "/v1/audit/head"} {
		c.call(200, "GET "+path, path, "")
		c.call(422, "GET "+path, path+"?x=1", "")
	}
	c.call(200, "GET /v1/services/{name}", "/v1/services/payments", "")
	c.call(404, "GET /v1/services/{name}", "/v1/services/nothing", "")
	c.call(200, "POST /v1/reconciliations", "/v1/reconciliations", `{"since":"2020-01-02T15:04:05Z","rate":"50/s","calls":10}`)
	c.call(422, "POST /v1/reconciliations", "/v1/reconciliations", `{"cursor":"x/y"}`)
	c.call(404, "POST /v1/reconciliations", "/v1/reconciliations", `{"service":"nothing"}`)
	c.call(422, "POST /v1/release", "/v1/release", `{"reason":""}`)
	pause, resume := "POST /v1/services/{name}/pause", "POST /v1/services/{name}/resume"
	c.call(422, pause, "/v1/services/payments/pause", `{"lane":"sideways","reason":"x"}`)
	c.call(422, pause, "/v1/services/payments/pause", `{"lane":"forward","reason":""}`)
	c.call(404, pause, "/v1/services/nothing/pause", `{"lane":"forward","reason":"x"}`)
	c.call(409, resume, "/v1/services/payments/resume", `{"lane":"forward","reason":"x"}`)
	c.call(404, resume, "/v1/services/nothing/resume", `{"lane":"forward","reason":"x"}`)
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
	limit, breaker := "PATCH /v1/services/{name}", "POST /v1/services/{name}/breaker"
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
	c.call(200, "GET /v1/scopes", "/v1/scopes", "")
	c.call(422, "GET /v1/scopes", "/v1/scopes?x=1", "")
	scope := "PATCH /v1/scopes"
	c.call(200, scope, "/v1/scopes", `{"scope":{"kind":"tenant","name":"order","tenant":"acme"},"limits":{"weight":4,"rate":"5/s"},"reason":"they pay more"}`)
	c.call(200, scope, "/v1/scopes", `{"scope":{"kind":"global"},"paused":true,"reason":"a storm"}`)
	c.call(200, scope, "/v1/scopes", `{"scope":{"kind":"global"},"paused":false,"reason":"it is over"}`)
	c.call(409, scope, "/v1/scopes", `{"scope":{"kind":"global"},"paused":false,"reason":"it is over"}`)
	c.call(422, scope, "/v1/scopes", `{"scope":"global","paused":false,"reason":"x"}`)
	c.call(422, scope, "/v1/scopes", `{"scope":{"kind":"global","weight":1},"paused":false,"reason":"x"}`)
	c.call(404, scope, "/v1/scopes", `{"scope":{"kind":"saga","name":"nothing"},"paused":true,"reason":"x"}`)
}

func (c *contract) hold() {
	c.fixture = openFixture(c.t, nil, func(cfg *engine.Config) { cfg.Hold = true })
	r := c.call(503, "POST /v1/sagas", "/v1/sagas", `{"saga":"order"}`)
	if !strings.Contains(r.body, "urn:unwind:problem:held") || !strings.Contains(r.body, "unwind release --reason") {
		c.t.Errorf("a start on hold is answered with %s", r.body)
	}
	c.call(204, "POST /v1/release", "/v1/release", `{"reason":"compared"}`)
	c.call(409, "POST /v1/release", "/v1/release", `{"reason":"compared"}`)
	c.call(201, "POST /v1/sagas", "/v1/sagas", `{"saga":"order"}`)
}

func (c *contract) infrastructure(saga string) {
	for _, path := range []string{"/livez", "/readyz", "/healthz", "/metrics", "/openapi.json", "/docs"} {
		c.call(200, "GET "+path, path, "")
		c.call(403, "GET "+path, path, "", "Host: evil.example")
	}
	if r := c.do("HEAD", "/v1/sagas/"+saga, ""); r.status != http.StatusOK || r.body != "" || r.header.Get("Content-Length") == "0" {
		c.t.Errorf("HEAD: got %d %v", r.status, r.header)
	}
}

func TestWhatDoesNotExistIsAProblem(t *testing.T) {
	f := newFixture(t, nil)
	for _, c := range []struct {
		method, path string
		status       int
		kind, allow  string
	}{
		{"GET", "/", 404, "not-found", ""},
		{"GET", "/v1/operation", 404, "not-found", ""},
		{"GET", "/v1/sagas/", 404, "not-found", ""},
		{"GET", "/v1//sagas", 404, "not-found", ""},
		{"GET", "/v1/../v1/sagas", 404, "not-found", ""},
		{"POST", "/v1/dead-letters/x/forget", 404, "not-found", ""},
		{"DELETE", "/v1/sagas", 405, "method-not-allowed", "GET, HEAD, POST"},
		{"OPTIONS", "/v1/sagas", 405, "method-not-allowed", "GET, HEAD, POST"},
		{"PUT", "/v1/services/payments", 405, "method-not-allowed", "GET, HEAD, PATCH"},
	} {
		r := f.do(c.method, c.path, "")
		var p problem
		r.decode(t, &p)
		if r.status != c.status || p.Type != "urn:unwind:problem:"+c.kind || r.header.Get("Allow") != c.allow || r.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s: got %d %v %s", c.method, c.path, r.status, r.header, r.body)
		}
	}
}

func TestEveryAnswerHasARequestID(t *testing.T) {
	f := newFixture(t, nil)
	for _, c := range []struct {
		sent string
		kept bool
	}{{"", false}, {"abc-DEF_1.2", true}, {"with space", false}, {"<script>", false}, {strings.Repeat("x", 129), false}} {
		for _, path := range []string{"/livez", "/nothing", "/v1/sagas"} {
			got := f.do("GET", path, "", "X-Request-Id: "+c.sent).header.Get("X-Request-Id")
			if got == "" || (got == c.sent) != c.kept {
				t.Errorf("GET %s with %q: got %q", path, c.sent, got)
			}
		}
	}
}

func TestNotReadyNamesWhatIsNot(t *testing.T) {
	checks := []api.Check{{Name: "store", Ready: ready}, {Name: "relay", Ready: notReady}}
	f := newFixture(t, func(c *api.Config) { c.Checks, c.Tokens = checks, tokens })
	for _, secret := range []string{viewerSecret, ""} {
		f.token = secret
		r := f.do("GET", "/readyz", "")
		var p problem
		r.decode(t, &p)
		if r.status != 503 || p.Detail != "not ready: relay" || len(p.Errors) != 1 || p.Errors[0].Pointer != "/relay" {
			t.Errorf("got %d %s", r.status, r.body)
		}
		if told := strings.Contains(r.body, "10.0.0.7"); told != (secret != "") {
			t.Errorf("token %q: told the cause: %t", secret, told)
		}
	}
	if r := f.do("GET", "/livez", ""); r.status != 200 {
		t.Errorf("livez: got %d %s", r.status, r.body)
	}
	if !slices.Contains(f.handler.Routes(), "GET /healthz") {
		t.Error("there is no /healthz")
	}
}
