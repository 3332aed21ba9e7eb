package api_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/unwindhq/unwind/api"
)

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
