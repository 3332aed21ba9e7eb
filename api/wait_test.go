package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/unwindhq/unwind"
)

func ready(context.Context) error    { return nil }
func notReady(context.Context) error { return errors.New("no connection to 10.0.0.7") }

// until reads events from the beginning of the journal until one is found.
func (f *fixture) until(what string, found func(unwind.Event) bool) {
	f.t.Helper()
	cursor := f.began
	for {
		events, next, err := f.engine.Events(f.t.Context(), cursor, 100)
		if err != nil {
			f.t.Fatalf("waiting for %s: %v", what, err)
		}
		for _, e := range events {
			if found(e) {
				return
			}
		}
		cursor = next
	}
}

// awaitSignal waits until a saga waits for its signal.
func (f *fixture) awaitSignal(saga string) {
	f.t.Helper()
	f.until("the signal step", func(e unwind.Event) bool {
		var s unwind.SagaEvent
		if e.Kind != unwind.EventSaga || json.Unmarshal(e.Data, &s) != nil || s.ID != saga {
			return false
		}
		for _, entry := range s.Entries {
			if entry.Kind == unwind.EntryActionSucceeded && entry.Step == "reserve" {
				return true
			}
		}
		return false
	})
}

// deadAgain waits until a dead letter that was replayed is open again.
func (f *fixture) deadAgain(id string) {
	f.t.Helper()
	opened := 0
	f.until("the dead letter", func(e unwind.Event) bool {
		var d unwind.DeadLetterEvent
		if e.Kind == unwind.EventDeadLetter && json.Unmarshal(e.Data, &d) == nil && d.ID == id && d.State == unwind.DeadLetterOpen {
			opened++
		}
		return opened == 2
	})
}

// asyncToken starts a saga whose call is accepted with 202, and returns the
// call's token once that is durable.
func (f *fixture) asyncToken() string {
	f.t.Helper()
	r := f.do("POST", "/v1/sagas", `{"saga":"async","key":"async"}`)
	var inst unwind.Instance
	r.decode(f.t, &inst)
	f.until("the accepted call", func(e unwind.Event) bool {
		var s unwind.SagaEvent
		if e.Kind != unwind.EventSaga || json.Unmarshal(e.Data, &s) != nil || s.ID != inst.ID {
			return false
		}
		for _, entry := range s.Entries {
			if entry.Kind == unwind.EntryActionAwaiting {
				return true
			}
		}
		return false
	})
	f.do("GET", "/v1/sagas/"+inst.ID, "").decode(f.t, &inst)
	if inst.Steps[0].CallToken == "" {
		f.t.Fatalf("the step has no call token: %+v", inst.Steps[0])
	}
	return inst.Steps[0].CallToken
}

// accepting answers every call with 202.
func accepting(t testing.TB) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/busy" {
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(s.Close)
	return s
}

var errDeadline = os.ErrDeadlineExceeded

func contextWithAddr(ctx context.Context, addr net.Addr) context.Context {
	return context.WithValue(ctx, http.LocalAddrContextKey, addr)
}

// A failing service fails without a code.
type failing struct{ unwind.Service }

func (failing) Stats(context.Context) (unwind.Stats, error) {
	return unwind.Stats{}, errors.New("disk sector 7 is damaged")
}
