package engine_test

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
	"github.com/unwindhq/unwind/store/memory"
)

// Many tests wait for the clock of the real thing: more of them go at once than there
// are processors.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

func ok(context.Context, unwind.Request) (json.RawMessage, error) {
	return json.RawMessage(`{"ok":true}`), nil
}

func refuse(context.Context, unwind.Request) (json.RawMessage, error) {
	return nil, unwind.Refuse("out of stock")
}

func local(name string, ship unwind.Func) unwind.Definition {
	return unwind.Definition{Name: name, Steps: []unwind.Step{
		{Name: "reserve", Action: &unwind.Call{Func: ok}, Compensation: &unwind.Call{Func: ok}},
		{Name: "charge", Action: &unwind.Call{Func: ok}, Compensation: &unwind.Call{Func: ok}},
		{Name: "ship", Action: &unwind.Call{Func: ship}, Compensation: &unwind.Call{Func: ok}},
	}}
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func open(t *testing.T, cfg engine.Config) *engine.Engine {
	t.Helper()
	if cfg.Store == nil {
		cfg.Store = memory.New()
	}
	if cfg.Logger == nil {
		cfg.Logger = quiet
	}
	e, err := engine.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := e.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return e
}

func TestASagaOfGoFunctionsCompletes(t *testing.T) {
	e := open(t, engine.Config{Definitions: []unwind.Definition{local("order", ok)}})
	inst, created, err := e.Start(t.Context(), unwind.StartRequest{Saga: "order", Key: "o-1", Input: json.RawMessage(`{"n":1}`), Wait: eventually})
	if err != nil || !created || inst.Status != unwind.Completed {
		t.Fatalf("got %+v, created %v, error %v", inst, created, err)
	}
	again, created, err := e.Start(t.Context(), unwind.StartRequest{Saga: "order", Key: "o-1", Input: json.RawMessage(`{"n": 1}`), Wait: eventually})
	if err != nil || created || again.ID != inst.ID {
		t.Fatalf("got %+v, created %v, error %v", again, created, err)
	}
	_, _, err = e.Start(t.Context(), unwind.StartRequest{Saga: "order", Key: "o-1", Input: json.RawMessage(`{"n":2}`)})
	if unwind.CodeOf(err) != unwind.KeyReused {
		t.Fatalf("got %v", err)
	}
}

func TestARefusedSagaIsUndone(t *testing.T) {
	e := open(t, engine.Config{Definitions: []unwind.Definition{local("order", refuse)}})
	inst, _, err := e.Start(t.Context(), unwind.StartRequest{Saga: "order", Input: json.RawMessage(`{}`), Wait: eventually})
	if err != nil || inst.Status != unwind.Compensated {
		t.Fatalf("got %+v, error %v", inst, err)
	}
	b, _ := json.MarshalIndent(inst, "", " ")
	t.Log(string(b))
	h, err := e.History(t.Context(), inst.ID, unwind.Page{})
	if err != nil {
		t.Fatal(err)
	}
	for _, en := range h.Items {
		b, _ := json.Marshal(en)
		t.Log(string(b))
	}
}

func BenchmarkInProcess(b *testing.B) {
	e, err := engine.Open(b.Context(), engine.Config{Store: memory.New(), Definitions: []unwind.Definition{local("order", ok)}})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close(context.Background())
	b.SetParallelism(256)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			inst, _, err := e.Start(b.Context(), unwind.StartRequest{Saga: "order", Input: json.RawMessage(`{"n":1}`), Wait: 30 * unwind.Second})
			if err != nil || inst.Status != unwind.Completed {
				b.Errorf("got %+v, error %v", inst, err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sagas/s")
}
