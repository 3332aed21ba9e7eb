package engine

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store/memory"
)

// An alert that is new is not ended by a count of dead letters that is older.
func TestANewAlertIsJudgedByANewCountOfDeadLetters(t *testing.T) {
	t.Parallel()
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/do" {
			w.WriteHeader(http.StatusUnprocessableEntity)
		}
	}))
	defer shop.Close()
	def := unwind.Definition{Name: "order", Steps: []unwind.Step{
		{Name: "charge", Action: &unwind.Call{Service: "shop", Path: "/do"}, Compensation: &unwind.Call{Service: "shop", Path: "/undo"}},
		{Name: "ship", Action: &unwind.Call{Service: "shop", Path: "/ship"}, Compensation: unwind.None},
	}}
	e, err := Open(t.Context(), Config{
		Store: memory.New(), Definitions: []unwind.Definition{def}, Logger: slog.New(slog.DiscardHandler),
		Participants: map[string]unwind.Participant{"shop": {URL: shop.URL}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	e.groups.turn <- struct{}{} // nothing has died yet, and that is believed for an hour
	e.groups.rows, e.groups.until = nil, time.Now().Add(time.Hour)
	<-e.groups.turn
	inst, _, err := e.Start(t.Context(), unwind.StartRequest{Saga: "order", Wait: unwind.Minute})
	if err != nil || inst.Status != unwind.DeadLettered {
		t.Fatalf("the saga is %+v, %v", inst, err)
	}
	var newest int64
	s, err := e.observe(t.Context(), &newest)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Firing) != 1 || len(s.Groups) != 1 || s.Groups[0].Open != 1 || newest == 0 {
		t.Errorf("%d alerts fire, of %+v; the newest is %d", len(s.Firing), s.Groups, newest)
	}
}
