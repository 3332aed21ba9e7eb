package engine_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
	"github.com/unwindhq/unwind/store/memory"
)

// A garbled store gives one saga a state that nobody can decode.
type garbled struct {
	store.Store
	saga id.ID
}

func (g *garbled) garble(s *store.Saga) {
	if s.ID == g.saga {
		s.State = []byte{0xff, 0x01}
	}
}

func (g *garbled) Load(ctx context.Context, saga id.ID) (store.Saga, error) {
	s, err := g.Store.Load(ctx, saga)
	g.garble(&s)
	return s, err
}

func (g *garbled) ClaimDue(ctx context.Context, afterDue int64, after id.ID, until int64, limit int) ([]store.Saga, error) {
	page, err := g.Store.ClaimDue(ctx, afterDue, after, until, limit)
	for i := range page {
		g.garble(&page[i])
	}
	return page, err
}

func (g *garbled) List(ctx context.Context, f store.Filter) ([]store.Saga, string, error) {
	page, next, err := g.Store.List(ctx, f)
	for i := range page {
		g.garble(&page[i])
	}
	return page, next, err
}

func TestADamagedSagaStopsNoOther(t *testing.T) {
	for name, damage := range map[string]func(*memory.Store, id.ID) store.Store{
		"a row":   func(st *memory.Store, saga id.ID) store.Store { st.Damage(saga); return st },
		"a state": func(st *memory.Store, saga id.ID) store.Store { return &garbled{st, saga} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := memory.New()
			w := newWorld(t, placeOrder(), "charge:never", func(cfg *engine.Config) {
				patient(cfg)
				cfg.Store = before
			})
			ids := []string{w.begin("o-1"), w.begin("o-2"), w.begin("o-3")}
			w.called("/charge", 3)
			cursor := w.end()
			found := before.Clone()
			gone, cancel := context.WithCancel(t.Context())
			cancel()
			_ = w.Close(gone)

			var log bytes.Buffer
			lost, err := id.Parse(ids[1])
			if err != nil {
				t.Fatal(err)
			}
			w = newWorld(t, placeOrder(), "", func(cfg *engine.Config) {
				patient(cfg)
				cfg.Store, cfg.Logger = damage(found, lost), slog.New(slog.NewTextHandler(&log, nil))
			})
			for _, good := range []string{ids[0], ids[2]} {
				if inst := w.rest(good); inst.Status != unwind.Completed {
					t.Errorf("%s rests as %s", good, inst.Status)
				}
			}
			alert := w.alerted(unwind.AlertStuck)
			if alert.SagaID != ids[1] || !strings.Contains(alert.Message, "restore the store from a backup") {
				t.Errorf("the alert is %+v", alert)
			}
			w.saysDamaged(ids[1])
			list, err := w.List(t.Context(), unwind.Filter{})
			if err != nil || len(list.Items) != 3 || list.Items[1].ID != ids[1] || list.Items[1].Damage == "" || list.Items[0].Damage != "" {
				t.Errorf("the list is %+v, error %v", list.Items, err)
			}
			of := func(e unwind.Event) bool { return e.Kind == unwind.EventSaga }
			if events, _, err := w.Events(t.Context(), cursor, 100); err != nil || !slices.ContainsFunc(events, of) {
				t.Errorf("the events are %+v, error %v", events, err)
			}
			if alerts, err := w.Alerts(t.Context(), unwind.AlertFilter{}); err != nil || len(alerts.Items) != 1 {
				t.Errorf("the alerts are %+v, error %v", alerts.Items, err)
			}
			stop(t, w.Engine)
			if n := strings.Count(log.String(), ids[1]); name == "a row" && strings.Count(log.String(), "taking up a saga") != 1 {
				t.Errorf("the log names it %d times:\n%s", n, &log)
			}
		})
	}
}

// A counting store tells how often it brought a saga.
type counting struct {
	store.Store
	saga   id.ID
	brings atomic.Int32
}

func (c *counting) ClaimDue(ctx context.Context, afterDue int64, after id.ID, until int64, limit int) ([]store.Saga, error) {
	page, err := c.Store.ClaimDue(ctx, afterDue, after, until, limit)
	for i := range page {
		if page[i].ID == c.saga {
			c.brings.Add(1)
		}
	}
	return page, err
}

// A full engine reads again and again what it has no room for.
func TestADamagedSagaIsLoggedOnceHoweverOftenItIsRead(t *testing.T) {
	if testing.Short() {
		t.Skip("a full engine reads again for ten seconds; make race waits for it")
	}
	t.Parallel()
	hold, st := make(chan struct{}), memory.New()
	defer close(hold)
	waits := unwind.Definition{Name: "waits", Steps: []unwind.Step{{Name: "wait", Kind: unwind.DelayStep, For: 6 * unwind.Second}}}
	defs := []unwind.Definition{local("order", held(hold)), waits}
	e := open(t, engine.Config{Definitions: defs, Store: st})
	inst, _, err := e.Start(t.Context(), unwind.StartRequest{Saga: "waits"})
	if err != nil {
		t.Fatal(err)
	}
	damaged, err := id.Parse(inst.ID)
	if err != nil {
		t.Fatal(err)
	}
	stop(t, e)

	found := st.Clone()
	found.Damage(damaged)
	reads := &counting{Store: found, saga: damaged}
	var log bytes.Buffer
	e = open(t, engine.Config{Definitions: defs, Store: reads, MaxActive: 1, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if _, _, err := e.Start(t.Context(), unwind.StartRequest{Saga: "order"}); err != nil {
		t.Fatal(err)
	}
	w := &world{Engine: e, t: t}
	w.until("it is not read twice", func() bool { return reads.brings.Load() > 2 })
	stop(t, e)
	if n := strings.Count(log.String(), "taking up a saga"); n != 1 {
		t.Errorf("the log names it %d times:\n%s", n, &log)
	}
}

// end is the cursor of what happens from now on.
func (w *world) end() string {
	w.t.Helper()
	_, cursor, err := w.Events(w.t.Context(), "not a cursor", 1)
	if err != nil {
		w.t.Fatal(err)
	}
	return cursor
}

// saysDamaged asks for a saga in every way there is.
func (w *world) saysDamaged(saga string) {
	w.t.Helper()
	ctx := w.t.Context()
	_, get := w.Get(ctx, saga)
	_, cancel := w.Cancel(ctx, saga, unwind.CancelRequest{})
	_, again, start := w.Start(ctx, unwind.StartRequest{Saga: "place-order", Key: "o-2", Input: []byte(`{"order":1}`)})
	for what, err := range map[string]error{"get": get, "cancel": cancel, "start": start} {
		if unwind.CodeOf(err) != unwind.Damaged || strings.Contains(err.Error(), "try again later") || !strings.Contains(err.Error(), "restore the store from a backup") {
			w.t.Errorf("%s got %v", what, err)
		}
	}
	if again {
		w.t.Error("its key began another saga")
	}
}
