package api_test

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/unwindhq/unwind"
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
	c.services()
	c.scopes()
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
	c.call(201, start, "/v1/sagas", `{"saga":"order","key":"A","tenant":"t","input":{"n":1.10},"wait":"60s"}`).decode(c.t, &inst)
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

func (c *contract) lists() {
	c.call(200, "GET /v1/sagas", "/v1/sagas?status=completed&saga=order&tenant=t&key=A&since=2020-01-02T15:04:05Z&limit=1", "")
	c.call(422, "GET /v1/sagas", "/v1/sagas?status=done&since=yesterday&limit=1001", "")
	c.call(422, "GET /v1/sagas", "/v1/sagas?limit=1&limit=2", "")
	c.call(400, "GET /v1/sagas", "/v1/sagas?cursor=nonsense", "")
	for _, path := range []string{"/v1/alerts", "/v1/audit"} {
		c.call(200, "GET "+path, path+"?limit=1", "")
		c.call(400, "GET "+path, path+"?cursor=nonsense", "")
	}
	const audit = "GET /v1/audit"
	var puts, none unwind.List[unwind.AuditRow]
	c.call(200, audit, "/v1/audit?action=put-definition&actor=configuration&since=2020-01-02T15:04:05Z&limit=1", "").decode(c.t, &puts)
	c.call(200, audit, "/v1/audit?action=put-definition&target=nothing", "").decode(c.t, &none)
	if len(puts.Items) != 1 || puts.Items[0].Action != "put-definition" || len(none.Items) > 0 {
		c.t.Errorf("the audit is filtered to %+v and %+v", puts, none)
	}
	for _, query := range []string{"action=", "actor=", "target=", "since=", "since=24h", "actoin=pause", "action=pause&action=resume"} {
		c.call(422, audit, "/v1/audit?"+query, "")
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
