package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/api"
	"github.com/unwindhq/unwind/engine"
	"github.com/unwindhq/unwind/store/memory"
)

func TestRawJSONGoesThroughUntouched(t *testing.T) {
	f := newFixture(t, nil)
	const input = `{"big":123456789012345678901234567890,"exact":0.1000,"html":"<a href=\"x\">&</a>","e":1e400,"nothing":null,"é":"\u0041"}`
	r := f.do("POST", "/v1/sagas", `{"saga":"order","wait":"60s","input":`+input+`}`)
	if !strings.Contains(r.body, `"input":`+input) {
		t.Errorf("the input is not verbatim:\n%s", r.body)
	}
	if !strings.Contains(r.body, `"output":{"ok":true,"n":12345678901234567890}`) {
		t.Errorf("the outputs are not verbatim:\n%s", r.body)
	}
}

func TestFaultsArePointedAt(t *testing.T) {
	f := newFixture(t, nil)
	for body, want := range map[string][]string{
		`{"sga":"order","key":1,"wait":"soon","a/b~c":2}`: {"/sga", "/key", "/wait", "/a~1b~0c", "/saga"},
		`{"saga":null}`:                                             {"/saga"},
		`{"saga":"order","tenant":{}}`:                              {"/tenant"},
		`{"saga":"order","key":"a\u0000b"}`:                         {"/key"},
		`{"saga":"order","key":"a\u202eb"}`:                         {"/key"},
		`{"saga":"order","tenant":"\u2028"}`:                        {"/tenant"},
		`{"saga":"order","tenant":"\u0085"}`:                        {"/tenant"},
		`{"saga":"order","key":"\ud800"}`:                           {"/key"},
		`{"saga":"order","key":"\ud800\u0041"}`:                     {"/key"},
		`{"saga":"order","key":"\ufffd\udc00"}`:                     {"/key"},
		`{"saga":"order","key":"\\\ud800","tenant":"\udc00\ud83d"}`: {"/key", "/tenant"},
		`{"saga":"order","wait":"-1s"}`:                             {"/wait"},
		`{"saga":"order","wait":"2h"}`:                              {"/wait"},
		`{"saga":"order","key":"x","input":{},"input":{}}`:          {"/input"},
		`{"saga":""}`: {"/saga"},
	} {
		var p problem
		f.do("POST", "/v1/sagas", body).decode(t, &p)
		var got []string
		for _, e := range p.Errors {
			got = append(got, e.Pointer)
		}
		if p.Status != 422 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %d %v, want %v", body, p.Status, got, want)
		}
	}
}

// What looks like such a fault and is a name.
func TestKeysInEveryScriptAreTaken(t *testing.T) {
	f := newFixture(t, nil)
	for written, want := range map[string]string{
		`"\ud83d\ude00"`: "😀", `"\ufffd"`: "\ufffd", `"\\ud800"`: `\ud800`, `"عميل"`: "عميل", `"می\u200cخواهم"`: "می\u200cخواهم",
	} {
		r := f.do("POST", "/v1/sagas", `{"saga":"order","key":`+written+`}`)
		var inst unwind.Instance
		r.decode(t, &inst)
		if r.status != 201 || inst.Key != want {
			t.Errorf("%s: got %d %q", written, r.status, inst.Key)
		}
	}
}

// A busy service answers no start before it is let go.
type busy struct {
	unwind.Service
	entered chan struct{}
	release chan struct{}
}

func (b busy) Start(ctx context.Context, _ unwind.StartRequest) (*unwind.Instance, bool, error) {
	b.entered <- struct{}{}
	select {
	case <-b.release:
		return &unwind.Instance{Steps: []unwind.StepInstance{}}, true, nil
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
}

func TestStartsThatWaitAreBounded(t *testing.T) {
	b := busy{entered: make(chan struct{}), release: make(chan struct{})}
	f := newFixture(t, func(c *api.Config) { c.Service, c.MaxStarts = b, 2 })
	answers := make(chan int, 2)
	for range 2 {
		go func() { answers <- f.do("POST", "/v1/sagas", `{"saga":"order"}`).status }()
		<-b.entered
	}
	r := f.do("POST", "/v1/sagas", `{"saga":"order"}`)
	if r.status != 429 || r.header.Get("Retry-After") != "1" || !strings.Contains(r.body, "urn:unwind:problem:overloaded") {
		t.Errorf("got %d %v %s", r.status, r.header, r.body)
	}
	close(b.release)
	for range 2 {
		if status := <-answers; status != 201 {
			t.Errorf("a start that waited got %d", status)
		}
	}
}

// The server bounds how long a request is read; a start may wait longer. net/http
// sees to that when it watches for the client to hang up.
func TestAWaitOutlastsTheTimeToRead(t *testing.T) {
	for readTime := 30 * time.Millisecond; !waitOutlasts(t, readTime); readTime *= 2 {
		if readTime > time.Minute {
			t.Fatalf("a request is not read within %s", readTime)
		}
	}
}

// waitOutlasts is false where the request was not there within the time to read, as may
// be on a busy machine.
func waitOutlasts(t *testing.T, readTime time.Duration) bool {
	t.Helper()
	b := busy{entered: make(chan struct{}), release: make(chan struct{})}
	f := newFixture(t, func(c *api.Config) { c.Service = b })
	s := httptest.NewUnstartedServer(nil)
	s.Config = api.Server(f.handler)
	s.Config.ReadTimeout = readTime
	s.Start()
	t.Cleanup(s.Close)
	type answer struct {
		status int
		err    error
	}
	answers := make(chan answer, 1)
	go func() {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/v1/sagas", strings.NewReader(`{"saga":"order","wait":"30s"}`))
		if err != nil {
			answers <- answer{0, err}
			return
		}
		r.Header.Set("Content-Type", "application/json")
		resp, err := f.http.Do(r)
		if err != nil {
			answers <- answer{0, err}
			return
		}
		resp.Body.Close()
		answers <- answer{resp.StatusCode, nil}
	}()
	select {
	case <-answers:
		return false
	case <-b.entered:
	}
	select {
	case a := <-answers:
		t.Fatalf("got %d, %v", a.status, a.err)
	case <-time.After(4 * readTime):
	}
	close(b.release)
	if a := <-answers; a.status != 201 {
		t.Errorf("got %d, %v", a.status, a.err)
	}
	return true
}

// What the decoder takes, encoding/json takes and reads the same.
func FuzzDecoder(f *testing.F) {
	for _, s := range []string{startBody, `{}`, `{"saga":"a","wait":"1s"}`, `{"saga":"\ud800"}`, `{"saga":"a","input":{"b":[1,2,{"c":null}]}}`, `{"saga":"é\n\/"}`, ` { "saga" : "x" } `, `{"saga":"a","Saga":"b"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var got, want unwind.StartRequest
		if api.CheckJSON(body) != nil {
			return
		}
		if err := api.DecodeStart(body, &got); err != nil {
			var u *unwind.Error
			if !errors.As(err, &u) || u.Code != unwind.InvalidRequest {
				t.Fatalf("the error is %v", err)
			}
			return
		}
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatalf("encoding/json refuses %q: %v", body, err)
		}
		if !reflect.DeepEqual(got, want) || !utf8.ValidString(got.Saga) {
			t.Fatalf("%q: got %+v, want %+v", body, got, want)
		}
	})
}

// The saga is deleted, and its key answers as it did, until it is free.
func TestAKeyOutlivesItsSaga(t *testing.T) {
	before := memory.New()
	e, err := engine.Open(t.Context(), engine.Config{Store: before, Logger: slog.New(slog.DiscardHandler), Participants: map[string]unwind.Participant{"payments": {URL: accepting(t).URL}}, Definitions: definitions()})
	if err != nil {
		t.Fatal(err)
	}
	was, _, err := e.Start(t.Context(), unwind.StartRequest{Saga: "refused", Key: "ORD-1", Input: json.RawMessage(`{"total":12.50}`), Wait: unwind.Minute})
	if err := errors.Join(err, e.Close(t.Context())); err != nil || !was.Status.AtRest() {
		t.Fatalf("got %+v, %v", was, err)
	}
	f := openFixture(t, nil, func(cfg *engine.Config) {
		cfg.Store, cfg.Retention, cfg.KeyRetention = before.Clone(), unwind.Millisecond, unwind.Hour
	})
	looks := time.NewTicker(10 * time.Millisecond)
	defer looks.Stop()
	for begin := time.Now(); f.do("GET", "/v1/sagas/"+was.ID, "").status != http.StatusNotFound; <-looks.C {
		if time.Since(begin) > time.Minute {
			t.Fatal("the saga is not deleted")
		}
	}
	var got unwind.Instance
	r := f.do("POST", "/v1/sagas", `{"saga":"refused","key":"ORD-1","input":{"total":12.50},"wait":"60s"}`)
	r.decode(t, &got)
	want := *was
	want.Steps, want.Purged = []unwind.StepInstance{}, true
	if r.status != http.StatusOK || !reflect.DeepEqual(got, want) {
		t.Errorf("the same start again: %d %+v; want 200 %+v", r.status, got, want)
	}
	if r := f.do("POST", "/v1/sagas", `{"saga":"refused","key":"ORD-1","input":{"total":12.5}}`); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "urn:unwind:problem:key-reused") {
		t.Errorf("a start with another input: %d %s", r.status, r.body)
	}
	if r := f.do("GET", "/v1/sagas?key=ORD-1", ""); !strings.Contains(r.body, `"items":[]`) {
		t.Errorf("the list has %s", r.body)
	}
}
