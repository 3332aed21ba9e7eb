package gateway_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/unwindhq/unwind/internal/gateway"
)

const key = "s1/charge/action"

// script serves a script, and closes it before its server.
func script(t testing.TB, o gateway.ScriptOptions) (*gateway.Script, string, *http.Client) {
	t.Helper()
	s := gateway.NewScript(o)
	url, client := serve(t, s)
	t.Cleanup(s.Close)
	return s, url, client
}

func TestAScriptAnswersCallByCallAndRepeatsTheLast(t *testing.T) {
	s, url, client := script(t, gateway.ScriptOptions{})
	s.On("/charge", append(gateway.Times(2, gateway.Throttled("2")), gateway.Status(500), gateway.JSON(`{"id":"ch1"}`))...).
		On("/refund", gateway.Refused())
	for i, want := range []string{"429 2 ", "429 2 ", "500  ", `200  {"id":"ch1"}`, `200  {"id":"ch1"}`} {
		status, header, body := send(t, client, newCall(t, url+"/charge", key, `{"n":1}`))
		if got := strings.Join([]string{status, header.Get("Retry-After"), body}, " "); got != want {
			t.Errorf("call %d: %q, want %q", i+1, got, want)
		}
	}
	if status, header, _ := send(t, client, newCall(t, url+"/refund", "s1/charge/compensation", "")); status != "409" || header.Get("Unwind-Outcome") != "refused" {
		t.Errorf("refund: %s %v", status, header)
	}
	calls := s.Calls("/charge")
	if len(calls) != 5 || len(s.Requests()) != 6 || len(s.Strays()) != 0 {
		t.Fatalf("%d calls", len(calls))
	}
	if c := calls[1]; c.N != 2 || c.PerKey != 2 || c.Key != key || c.Saga != "s1" || c.Step != "charge" || c.Direction != "action" ||
		c.Attempt != 1 || string(c.Body) != `{"n":1}` || c.Header.Get("Idempotency-Key") != key {
		t.Errorf("request: %+v", c)
	}
	s.On("/charge", gateway.Status(201))
	if status, _, _ := send(t, client, newCall(t, url+"/charge", key, "")); status != "201" {
		t.Errorf("after a new line of the script: %s", status)
	}
}

func TestAScriptReportsCallsItSaysNothingAbout(t *testing.T) {
	s, url, client := script(t, gateway.ScriptOptions{})
	status, _, body := send(t, client, newCall(t, url+"/oops", key, ""))
	if status != "501" || !strings.Contains(body, "/oops") || len(s.Strays()) != 1 {
		t.Errorf("got %s %s", status, body)
	}
	s.On("/fine")
	if status, _, _ := send(t, client, newCall(t, url+"/fine", key, "")); status != "200" {
		t.Errorf("a path without answers: %s", status)
	}
}

func TestAScriptResetsTheConnection(t *testing.T) {
	s, url, client := script(t, gateway.ScriptOptions{})
	s.On("/charge", gateway.Answer{Reset: true})
	res, err := client.Do(newCall(t, url+"/charge", key, ""))
	if err == nil {
		res.Body.Close()
	}
	if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
		t.Errorf("got %v", err)
	}
}

func TestAScriptHoldsACallForEverUntilItIsClosed(t *testing.T) {
	s, url, client := script(t, gateway.ScriptOptions{})
	s.On("/charge", gateway.Answer{Never: true})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, _ = s.Await(t.Context(), "/charge", 1)
		cancel()
	}()
	if res, err := client.Do(newCall(t, url+"/charge", key, "").WithContext(ctx)); !errors.Is(err, context.Canceled) {
		res.Body.Close()
		t.Errorf("got %v", err)
	}
	go func() {
		_, _ = s.Await(t.Context(), "/charge", 2)
		s.Close()
	}()
	if res, err := client.Do(newCall(t, url+"/charge", key, "")); err == nil {
		res.Body.Close()
		t.Error("an answer came")
	}
}

func TestAScriptSendsABodyWithoutEndAndOneThatBreaksOff(t *testing.T) {
	s, url, client := script(t, gateway.ScriptOptions{})
	s.On("/endless", gateway.Answer{Endless: true}).
		On("/cut", gateway.Answer{Body: `{"id":`, Header: http.Header{"Content-Length": {"100"}}})
	res, err := client.Do(newCall(t, url+"/endless", key, ""))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.CopyN(io.Discard, res.Body, 1<<20); err != nil {
		t.Errorf("after %d bytes: %v", n, err)
	}
	res.Body.Close()
	if res, err = client.Do(newCall(t, url+"/cut", key, "")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(res.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a body that breaks off: %v", err)
	}
	res.Body.Close()
}

func TestAScriptRedirects(t *testing.T) {
	s, url, client := script(t, gateway.ScriptOptions{})
	s.On("/charge", gateway.Answer{Redirect: url + "/elsewhere"}).On("/elsewhere")
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	status, header, _ := send(t, client, newCall(t, url+"/charge", key, ""))
	if status != "307" || header.Get("Location") != url+"/elsewhere" || len(s.Calls("/elsewhere")) != 0 {
		t.Errorf("got %s %v", status, header)
	}
}

func TestAScriptWaitsForASignalAndByItsClock(t *testing.T) {
	c := newClock()
	s, url, client := script(t, gateway.ScriptOptions{Clock: c})
	until := make(chan struct{})
	s.On("/charge", gateway.Answer{Until: until}, gateway.Answer{Delay: time.Minute})
	go func() {
		_, _ = s.Await(t.Context(), "/charge", 1)
		close(until)
		<-c.waits
		c.advance(time.Minute)
	}()
	for range 2 {
		if status, _, _ := send(t, client, newCall(t, url+"/charge", key, "")); status != "200" {
			t.Errorf("got %s", status)
		}
	}
	if calls := s.Calls("/charge"); !calls[1].At.Equal(time.Unix(1_000_000, 0)) {
		t.Errorf("at %v", calls[1].At)
	}
}

func TestAwaitSaysHowManyCallsThereWere(t *testing.T) {
	s := gateway.NewScript(gateway.ScriptOptions{Name: "payments"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Await(ctx, "/charge", 2); err == nil || !strings.Contains(err.Error(), "payments: 0 of 2 calls of /charge") {
		t.Errorf("got %v", err)
	}
}

func TestTheCallLogHasALinePerInvokeAndReturn(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	log, err := gateway.OpenCallLog(dir, "payments", c)
	if err != nil {
		t.Fatal(err)
	}
	s, url, client := script(t, gateway.ScriptOptions{Log: log, Clock: c})
	s.On("/charge", gateway.Status(500), gateway.Answer{Reset: true}, gateway.Answer{Reset: true, Outcome: gateway.OK}, gateway.Refused(), gateway.Status(200))
	for range 5 {
		if res, err := client.Do(newCall(t, url+"/charge", key+"/2", `{}`)); err == nil {
			res.Body.Close()
		}
		client.CloseIdleConnections() // so that the transport never tries again by itself
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range readLog(t, filepath.Join(dir, "participant-payments.jsonl")) {
		got = append(got, strings.TrimSpace(l.Event+" "+l.Outcome))
		if l.Node != "payments" || l.Key != key+"/2" || l.Saga != "s1" || l.Step != "charge" || l.Direction != "action" || l.Attempt != 1 ||
			!l.T.Equal(c.Now()) || l.BodySHA != "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" {
			t.Errorf("line: %+v", l)
		}
	}
	want := "invoke,return unknown,invoke,invoke,return ok,invoke,return fail,invoke,return ok"
	if strings.Join(got, ",") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ","), want)
	}
}

func TestTheCallLogHasTheReturnBeforeTheCallerHasTheAnswer(t *testing.T) {
	dir := t.TempDir()
	log, err := gateway.OpenCallLog(dir, "payments", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	url, client := serve(t, log.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Unwind-Outcome", "in_progress")
		w.WriteHeader(http.StatusTooEarly)
		_, _ = io.Copy(w, r.Body)
	})))
	status, _, body := send(t, client, newCall(t, url, key, `"body"`))
	if status != "425" || body != `"body"` {
		t.Errorf("got %s %s", status, body)
	}
	lines := readLog(t, filepath.Join(dir, "participant-payments.jsonl"))
	if len(lines) != 2 || lines[1].Outcome != gateway.Unknown || lines[1].Status != 425 || lines[1].Answer != "in_progress" {
		t.Errorf("lines: %+v", lines)
	}
	res, err := client.Get(url) // not a call
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if n := len(readLog(t, filepath.Join(dir, "participant-payments.jsonl"))); n != 2 {
		t.Errorf("%d lines after a request that is no call", n)
	}
}

func TestTheCallLogRefusesNamesThatLeadElsewhere(t *testing.T) {
	for _, name := range []string{"", "../x", "a/b", ".hidden"} {
		if _, err := gateway.OpenCallLog(t.TempDir(), name, nil); err == nil {
			t.Errorf("%q was taken", name)
		}
	}
	if _, err := gateway.OpenCallLog(filepath.Join(t.TempDir(), "nowhere"), "x", nil); err == nil {
		t.Error("a directory that is not there was taken")
	}
	var none *gateway.CallLog
	if err := none.Close(); err != nil {
		t.Error(err)
	}
}

func TestOutcomeOf(t *testing.T) {
	for _, test := range []struct {
		status int
		stated string
		want   string
	}{
		{200, "", gateway.OK}, {204, "", gateway.OK}, {202, "", gateway.Unknown}, {425, "", gateway.Unknown},
		{409, "", gateway.Fail}, {429, "", gateway.Fail}, {301, "", gateway.Fail}, {500, "", gateway.Unknown}, {503, "", gateway.Unknown},
		{500, "done", gateway.OK}, {200, "refused", gateway.Fail}, {409, "in_progress", gateway.Unknown},
	} {
		if got := gateway.OutcomeOf(test.status, test.stated); got != test.want {
			t.Errorf("%d %s: %s, want %s", test.status, test.stated, got, test.want)
		}
	}
}

func send(t testing.TB, client *http.Client, r *http.Request) (status string, header http.Header, body string) {
	t.Helper()
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.Status[:3], res.Header, string(raw)
}

func readLog(t testing.TB, path string) []gateway.Line {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var lines []gateway.Line
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		var l gateway.Line
		if err := json.Unmarshal(scanner.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	return lines
}
