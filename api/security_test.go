package api_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/api"
)

// concrete fills in a path's wildcards.
func concrete(route string) (method, path string) {
	method, path, _ = strings.Cut(route, " ")
	for _, name := range []string{"{id}", "{token}", "{name}"} {
		path = strings.ReplaceAll(path, name, "x")
	}
	return method, path
}

func mutating(route string) bool { return !strings.HasPrefix(route, "GET ") }

func TestEveryRouteIsOpenToItsRolesOnly(t *testing.T) {
	f := newFixture(t, func(c *api.Config) { c.Tokens = tokens })
	rank := map[api.Role]int{api.Viewer: 1, api.Operator: 2, api.Admin: 3}
	for _, who := range []struct {
		name, header string
		rank         int
	}{
		{"nobody", "", 0},
		{"a wrong token", "Bearer canary-viewer-012345678x", 0},
		{"a token's beginning", "Bearer canary-viewer", 0},
		{"an empty token", "Bearer ", 0},
		{"another scheme", "Basic " + adminSecret, 0},
		{"the digest", "Bearer " + fmt.Sprintf("%x", sha256Base64(adminSecret)), 0},
		{"the viewer", "Bearer " + viewerSecret, 1},
		{"the operator", "bearer " + operatorSecret, 2},
		{"the admin", "Bearer " + adminSecret, 3},
	} {
		for _, route := range f.handler.Routes() {
			if route == "GET /v1/events" && who.rank > 0 {
				continue // it would not end; TestEventsNeedARole has it
			}
			method, path := concrete(route)
			r := f.do(method, path, "", "Authorization: "+who.header)
			least := api.LeastRole[route]
			want := "in"
			switch {
			case least == api.Anyone || who.rank >= rank[least]:
			case who.rank == 0:
				want = "unauthenticated"
			default:
				want = "forbidden"
			}
			got := "in"
			switch r.status {
			case http.StatusUnauthorized:
				got = "unauthenticated"
				if r.header.Get("WWW-Authenticate") != `Bearer realm="unwind"` {
					t.Errorf("%s: %s: the answer does not say how to authenticate", route, who.name)
				}
			case http.StatusForbidden:
				got = "forbidden"
			}
			if got != want {
				t.Errorf("%s: %s is %s, want %s", route, who.name, got, want)
			}
		}
	}
}

func TestTheActorIsTheToken(t *testing.T) {
	f := newFixture(t, func(c *api.Config) { c.Tokens = tokens })
	f.token = operatorSecret
	f.start("dead", "")
	var page unwind.List[unwind.DeadLetter]
	f.do("GET", "/v1/dead-letters", "").decode(t, &page)
	f.do("POST", "/v1/dead-letters/"+page.Items[0].ID+"/resolve", `{"reason":"r","evidence":"e"}`)
	var audit unwind.List[unwind.AuditRow]
	f.do("GET", "/v1/audit?limit=1", "").decode(t, &audit)
	if len(audit.Items) != 1 || audit.Items[0].Actor != "oskar" {
		t.Errorf("the audit says %+v, want oskar", audit.Items)
	}
	if r := f.do("POST", "/v1/dead-letters/"+page.Items[0].ID+"/resolve", `{"reason":"r","evidence":"e","actor":"ada"}`); r.status != 422 {
		t.Errorf("an actor in the body: got %d", r.status)
	}
}

// A page of another site can make a browser send these.
func TestCrossSiteRequestsAreRefusedOnEveryMutatingRoute(t *testing.T) {
	for name, change := range map[string]func(*api.Config){"without tokens": nil, "with tokens": func(c *api.Config) { c.Tokens = tokens }} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, change)
			var tried int
			for _, route := range f.handler.Routes() {
				if !mutating(route) {
					continue
				}
				tried++
				method, path := concrete(route)
				for _, headers := range [][]string{
					{"Origin: https://evil.example"},
					{"Origin: null"},
					{"Origin: http://localhost.evil.example"},
					{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site"},
					{"Sec-Fetch-Site: same-site"},
					{"Sec-Fetch-Site: cross-site", "Content-Type: text/plain"},
				} {
					if r := f.do(method, path, "{}", headers...); r.status != http.StatusForbidden {
						t.Errorf("%s with %v: got %d %s", route, headers, r.status, r.body)
					}
				}
				if r := f.do(method, path, "{}", "Origin: "+f.url, "Sec-Fetch-Site: same-origin"); r.status == http.StatusForbidden {
					t.Errorf("%s from a page of our own: got %d %s", route, r.status, r.body)
				}
			}
			if tried < 8 {
				t.Errorf("only %d mutating routes", tried)
			}
		})
	}
}

// A name that somebody else controls may resolve to 127.0.0.1.
func TestWithoutTokensOnlyThisMachineIsAnswered(t *testing.T) {
	f := newFixture(t, nil)
	for _, route := range f.handler.Routes() {
		method, path := concrete(route)
		for _, headers := range [][]string{{"Host: evil.example"}, {"Host: 127.0.0.1.evil.example:7070"}, {"Host: 192.168.1.7"}, {"Host: [fe80::1]:80"}, {"Origin: http://evil.example"}} {
			if r := f.do(method, path, "", headers...); r.status != http.StatusForbidden {
				t.Errorf("%s with %v: got %d", route, headers, r.status)
			}
		}
	}
	for _, host := range []string{"localhost", "LOCALHOST:7070", "127.0.0.1", "127.8.9.10:1", "[::1]", "[::1]:7070"} {
		if r := f.do("GET", "/v1/stats", "", "Host: "+host); r.status != http.StatusOK {
			t.Errorf("Host: %s: got %d %s", host, r.status, r.body)
		}
	}
}

func TestWithoutTokensOtherAddressesAreNotAnswered(t *testing.T) {
	f := newFixture(t, nil)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/v1/stats", nil)
	ctx := contextWithAddr(r.Context(), &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 7070})
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r.WithContext(ctx))
	if w.Code != http.StatusForbidden {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestListeningBeyondLoopbackNeedsTokens(t *testing.T) {
	for _, c := range []struct {
		addr string
		ok   bool
	}{
		{"127.0.0.1:7070", true}, {"localhost:7070", true}, {"[::1]:7070", true}, {"127.1.2.3:0", true},
		{":7070", false}, {"0.0.0.0:7070", false}, {"[::]:7070", false}, {"10.0.0.1:7070", false},
		{"unwind.example:7070", false}, {"[::1%lo]:7070", false},
	} {
		if err := api.CheckListen(c.addr, nil); (err == nil) != c.ok {
			t.Errorf("%s without tokens: %v", c.addr, err)
		} else if err != nil && !strings.Contains(err.Error(), "declare tokens under auth:") {
			t.Errorf("%s: the error does not say what to do: %v", c.addr, err)
		}
		if err := api.CheckListen(c.addr, tokens); err != nil {
			t.Errorf("%s with tokens: %v", c.addr, err)
		}
	}
	if api.CheckListen("7070", tokens) == nil {
		t.Error("an address without a port is taken")
	}
}

func TestConfigurationsThatWouldLetAnybodyInAreRefused(t *testing.T) {
	f := newFixture(t, nil)
	for name, list := range map[string][]api.Token{
		"short":        {{Name: "a", Role: api.Viewer, Secret: "short"}},
		"empty":        {{Name: "a", Role: api.Viewer}},
		"blank":        {{Name: "a", Role: api.Viewer, Secret: "0123456789 012345"}},
		"no role":      {{Name: "a", Secret: adminSecret}},
		"odd role":     {{Name: "a", Role: "root", Secret: adminSecret}},
		"anyone":       {{Name: "a", Role: api.Anyone, Secret: adminSecret}},
		"no name":      {{Role: api.Viewer, Secret: adminSecret}},
		"same name":    {{Name: "a", Role: api.Viewer, Secret: adminSecret}, {Name: "a", Role: api.Admin, Secret: viewerSecret}},
		"same secrets": {{Name: "a", Role: api.Viewer, Secret: adminSecret}, {Name: "b", Role: api.Admin, Secret: adminSecret}},
	} {
		if _, err := api.New(api.Config{Service: f.engine, Tokens: list}); err == nil {
			t.Errorf("%s: it is taken", name)
		} else if strings.Contains(err.Error(), adminSecret) {
			t.Errorf("%s: the error tells the secret: %v", name, err)
		}
	}
}

func TestTokensAreToldToNobody(t *testing.T) {
	f := newFixture(t, func(c *api.Config) { c.Tokens = tokens; c.Service = panicking{} })
	var told bytes.Buffer
	for _, secret := range []string{viewerSecret, operatorSecret, adminSecret} {
		for _, route := range f.handler.Routes() {
			if route == "GET /v1/events" {
				continue
			}
			method, path := concrete(route)
			for _, body := range []string{"", "{}", `{"saga":"order"}`, `{"reason":"r","evidence":"e"}`} {
				if method == "GET" && body != "" {
					continue
				}
				r := f.do(method, path, body, "Authorization: Bearer "+secret)
				fmt.Fprintln(&told, r.header, r.body)
			}
		}
	}
	fmt.Fprintf(&told, "%v %+v %#v %s", tokens, tokens, tokens, tokens[0])
	b, err := json.Marshal(tokens)
	if err != nil {
		t.Fatal(err)
	}
	told.Write(b)
	slog.New(slog.NewTextHandler(&told, nil)).Info("tokens", "one", tokens[0], "all", tokens)
	if !strings.Contains(f.log.String(), "panicked") {
		t.Error("nothing was logged; the test proves nothing")
	}
	for where, text := range map[string]string{"the answers": told.String(), "the log": f.log.String()} {
		if strings.Contains(text, "canary-") { // as every one of them begins
			t.Errorf("%s tell a secret", where)
		}
	}
}

// A panicking service has nothing behind it.
type panicking struct{ unwind.Service }

func TestPanicsAreAnsweredOnceAndLoggedOnce(t *testing.T) {
	f := newFixture(t, func(c *api.Config) { c.Service = panicking{} })
	r := f.do("GET", "/v1/stats", "", "X-Request-Id: the-one")
	var p problem
	r.decode(t, &p)
	if r.status != 500 || p.RequestID != "the-one" || p.Type != "urn:unwind:problem:internal" {
		t.Errorf("got %d %s", r.status, r.body)
	}
	if strings.Contains(r.body, "goroutine") || strings.Contains(r.body, "nil pointer") || strings.Contains(r.body, ".go") {
		t.Errorf("the answer tells what is inside: %s", r.body)
	}
	log := f.log.String()
	if strings.Count(log, "request_id=the-one") != 1 || !strings.Contains(log, "stack=") {
		t.Errorf("the log is\n%s", log)
	}
}

func TestErrorsWithoutACodeStayInside(t *testing.T) {
	f := newFixture(t, func(c *api.Config) { c.Service = failing{} })
	r := f.do("GET", "/v1/stats", "")
	if r.status != 500 || strings.Contains(r.body, "disk sector 7") {
		t.Errorf("got %d %s", r.status, r.body)
	}
	if strings.Count(f.log.String(), "disk sector 7") != 1 {
		t.Errorf("the log is\n%s", f.log)
	}
}

func TestCompressedBodiesAreRefusedUnread(t *testing.T) {
	f := newFixture(t, nil)
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	if _, err := io.CopyN(z, zeros{}, 8<<20); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for _, enc := range []string{"gzip", "deflate", "br", "GZIP", "gzip, gzip"} {
		for _, path := range []string{"/v1/sagas", "/v1/sagas:batch"} {
			kind := "application/json"
			if strings.HasSuffix(path, "batch") {
				kind = "application/x-ndjson"
			}
			if r := f.do("POST", path, bomb.String(), "Content-Encoding: "+enc, "Content-Type: "+kind); r.status != http.StatusUnsupportedMediaType {
				t.Errorf("%s %s: got %d %s", enc, path, r.status, r.body)
			}
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestDeepJSONIsRefusedBeforeItIsDecoded(t *testing.T) {
	f := newFixture(t, nil)
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, c := range []struct {
		body   string
		status int
	}{
		{`{"saga":"order","input":` + deep(api.MaxDepth-1) + `}`, 201},
		{`{"saga":"order","input":` + deep(api.MaxDepth) + `}`, 400},
		{`{"saga":"order","input":"` + strings.Repeat(`[\"`, 100) + `"}`, 201},
		{`{"saga":"order","input":` + strings.Repeat(`{"a":`, 100_000), 400},
	} {
		if r := f.do("POST", "/v1/sagas", c.body); r.status != c.status {
			t.Errorf("%.60s: got %d %s, want %d", c.body, r.status, r.body, c.status)
		}
	}
	if r := f.do("PUT", "/v1/definitions/deep", `{"steps":`+deep(50_000)+`}`); r.status != 400 {
		t.Errorf("a deep definition: got %d %s", r.status, r.body)
	}
}

// The bounds of Server, shortened, against clients that take their time.
func TestSlowClientsAreCutOff(t *testing.T) {
	f := newFixture(t, nil)
	s := api.Server(f.handler)
	if s.ReadHeaderTimeout <= 0 || s.ReadTimeout <= 0 || s.WriteTimeout <= 60*time.Second || s.IdleTimeout <= 0 || s.MaxHeaderBytes <= 0 {
		t.Errorf("a bound is missing: %+v", s)
	}
	s.ReadHeaderTimeout, s.ReadTimeout, s.IdleTimeout = 50*time.Millisecond, 100*time.Millisecond, 100*time.Millisecond
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	for name, sent := range map[string]string{
		"nothing":       "",
		"half a header": "POST /v1/sagas HTTP/1.1\r\nHost: localhost\r\nX-A: ",
		"half a body":   "POST /v1/sagas HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"saga\":",
		"half a chunk":  "POST /v1/sagas HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n100\r\n{",
		"no more":       "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, sent); err != nil {
				t.Fatal(err)
			}
			if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, bufio.NewReader(conn)); err != nil && errors.Is(err, errDeadline) {
				t.Error("the connection was kept")
			}
		})
	}
	r := f.do("GET", "/livez", "", "X-Large: "+strings.Repeat("x", 64<<10))
	if r.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a large header: got %d", r.status)
	}
}
