package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/unwindhq/unwind/internal/gateway"
)

func TestAGatewayAnswers429AboveItsRate(t *testing.T) {
	c := newClock()
	bucket, err := gateway.NewTokenBucket(2, 1)
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(gateway.Options{Model: bucket, Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	url, client := serve(t, g)
	send := func(key string) (int, string) {
		res, err := client.Do(newCall(t, url, key, ""))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		_, _ = io.Copy(io.Discard, res.Body)
		return res.StatusCode, res.Header.Get("Retry-After")
	}
	if status, _ := send("s1/charge/action"); status != 200 {
		t.Errorf("first: %d", status)
	}
	// Half a second would do; the hint has whole ones.
	if status, hint := send("s1/charge/compensation"); status != 429 || hint != "1" {
		t.Errorf("second: %d, Retry-After %q", status, hint)
	}
	c.advance(500 * time.Millisecond)
	if status, _ := send("s1/charge/compensation"); status != 200 {
		t.Errorf("half a second later: %d", status)
	}
	want := gateway.Stats{Accepted: 2, Rejected: 1, MaxInFlight: 1, CompensationsAccepted: 1, CompensationsRejected: 1}
	if got := g.Stats(); got != want {
		t.Errorf("stats %+v, want %+v", got, want)
	}
	g.SetModel(nil)
	if status, _ := send("s2/charge/action"); status != 200 {
		t.Errorf("without a model: %d", status)
	}
}

func TestAGatewayTakesItsLatencyAndCountsWhatIsInFlight(t *testing.T) {
	c := newClock()
	g, err := gateway.New(gateway.Options{Latency: 30 * time.Millisecond, Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	url, client := serve(t, g)
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			res, err := client.Do(newCall(t, url, "s1/charge/action", ""))
			if err != nil {
				t.Error(err)
				return
			}
			res.Body.Close()
		})
	}
	for range 3 {
		<-c.waits
	}
	if s := g.Stats(); s.InFlight != 3 || s.Accepted != 3 {
		t.Errorf("while they wait: %+v", s)
	}
	c.advance(30 * time.Millisecond)
	all.Wait()
	// Stop the server's side: its last step is to leave.
	client.CloseIdleConnections()
	if s := g.Stats(); s.MaxInFlight != 3 {
		t.Errorf("after: %+v", s)
	}
}

func TestACallerThatGoesAwayDoesNotReachTheService(t *testing.T) {
	c := newClock()
	reached := false
	g, err := gateway.New(gateway.Options{Latency: time.Second, Clock: c, Next: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true })})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	url, client := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		g.ServeHTTP(w, r)
	}))
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-c.waits; cancel() }()
	if res, err := client.Do(newCall(t, url, "s1/charge/action", "").WithContext(ctx)); err == nil {
		res.Body.Close()
		t.Error("an answer came")
	}
	<-ended
	if s := g.Stats(); reached || s.InFlight != 0 {
		t.Errorf("reached %v, %+v", reached, s)
	}
}

func TestHints(t *testing.T) {
	for wait, want := range map[time.Duration]string{0: "1", time.Millisecond: "1", time.Second: "1", time.Second + 1: "2", time.Minute: "60"} {
		if got := gateway.WholeSeconds(0, time.Time{}, wait); got != want {
			t.Errorf("%v: %s, want %s", wait, got, want)
		}
	}
	if gateway.NoHint(0, time.Time{}, time.Second) != "" {
		t.Error("a hint was given")
	}
	if _, err := gateway.New(gateway.Options{Latency: -1}); err == nil {
		t.Error("a negative latency was taken")
	}
}

func TestTheSystemClockWaitsAndIsStopped(t *testing.T) {
	var c gateway.SystemClock
	if err := c.Wait(t.Context(), 0); err != nil {
		t.Error(err)
	}
	if err := c.Wait(t.Context(), time.Nanosecond); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Wait(ctx, time.Hour); err == nil {
		t.Error("a stopped wait ended without an error")
	}
}

// Verdicts give each call the next of some verdicts, and tell of it.
type verdicts struct {
	next []gateway.Verdict
	came chan struct{}
}

func (v *verdicts) Arrive(time.Time, int) gateway.Verdict {
	next := v.next[0]
	v.next = v.next[1:]
	v.came <- struct{}{}
	return next
}
func (*verdicts) Capacity(time.Duration) float64 { return 1 }

func (*verdicts) Takes(time.Duration) time.Duration { return 0 }

func TestCallersHearWhatTheModelLetsThemHear(t *testing.T) {
	c := newClock()
	effects := make(chan struct{}, 10)
	model := &verdicts{
		next: []gateway.Verdict{{Status: 503, Wait: time.Second}, {Fate: gateway.Reset}, {Fate: gateway.Hung}, {Fate: gateway.Lost}, {Took: 100 * time.Millisecond}, {}},
		came: make(chan struct{}, 10),
	}
	var arrivals gateway.Arrivals
	g, err := gateway.New(gateway.Options{
		Model: model, Persist: true, Arrivals: &arrivals, Clock: c,
		Next: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { effects <- struct{}{} }),
	})
	if err != nil {
		t.Fatal(err)
	}
	url, client := serve(t, g)
	// The caller of a call that takes long goes away as it does.
	send := func(goes <-chan struct{}) int {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			select {
			case <-goes:
				cancel()
			case <-ctx.Done():
			}
		}()
		res, err := client.Do(newCall(t, url, "s1/charge/compensation", "{}").WithContext(ctx))
		client.CloseIdleConnections() // so that the transport never tries again by itself
		if err != nil {
			return 0
		}
		res.Body.Close()
		return res.StatusCode
	}
	if status := send(nil); status != 503 || len(effects) != 0 {
		t.Errorf("unavailable: %d, %d effects", status, len(effects))
	}
	<-model.came
	if status := send(nil); status != 0 || len(effects) != 0 {
		t.Errorf("reset: %d, %d effects", status, len(effects))
	}
	<-model.came
	if status := send(model.came); status != 0 || len(effects) != 0 {
		t.Errorf("hung: %d, %d effects", status, len(effects))
	}
	if status := send(nil); status != 0 || len(effects) != 1 {
		t.Errorf("lost: %d, %d effects", status, len(effects))
	}
	<-effects
	if status := send(c.waits); status != 0 || len(effects) != 0 {
		t.Errorf("slow: %d, %d effects", status, len(effects))
	}
	c.advance(100 * time.Millisecond)
	<-effects // although nobody waits for it
	if status := send(nil); status != 200 {
		t.Errorf("borne: %d", status)
	}
	list, dropped := arrivals.List()
	got := ""
	for _, a := range list {
		got += fmt.Sprint(a.Borne, a.Status, a.Fate, " ")
	}
	if want := "false 503 0 false 0 2 false 0 3 true 0 1 true 0 0 true 0 0 "; got != want || dropped != 0 || list[0].Key == "" {
		t.Errorf("arrivals: %s", got)
	}
}
