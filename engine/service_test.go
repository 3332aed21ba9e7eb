package engine_test

import (
	"context"
	"errors"
	"reflect"
	"sync/atomic"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
	"github.com/unwindhq/unwind/store/memory"
)

// A broken store fails every read that an API asks for with an error of its own.
type broken struct {
	store.Store
	fails atomic.Pointer[error] // nil: not yet
}

func (b *broken) err() error {
	if err := b.fails.Load(); err != nil {
		return *err
	}
	return nil
}

func (b *broken) Load(ctx context.Context, saga id.ID) (store.Saga, error) {
	if err := b.err(); err != nil {
		return store.Saga{}, err
	}
	return b.Store.Load(ctx, saga)
}

func (b *broken) List(context.Context, store.Filter) ([]store.Saga, string, error) {
	return nil, "", b.err()
}

func (b *broken) DeadLetters(context.Context, store.DeadLetterFilter) ([]store.DeadLetter, string, error) {
	return nil, "", b.err()
}

func (b *broken) DeadLetter(context.Context, store.DeadLetterID) (store.DeadLetter, error) {
	return store.DeadLetter{}, b.err()
}

func (b *broken) Definition(ctx context.Context, name, version string) (store.Definition, error) {
	if err := b.err(); err != nil {
		return store.Definition{}, err
	}
	return b.Store.Definition(ctx, name, version)
}

func (b *broken) Definitions(ctx context.Context) ([]store.Definition, error) {
	if err := b.err(); err != nil {
		return nil, err
	}
	return b.Store.Definitions(ctx)
}

func (b *broken) PutDefinition(ctx context.Context, epoch int64, d store.Definition, a store.Audit) (bool, error) {
	if err := b.err(); err != nil {
		return false, err
	}
	return b.Store.PutDefinition(ctx, epoch, d, a)
}

func (b *broken) Queues(ctx context.Context, now int64) ([]store.QueueDepth, error) {
	if err := b.err(); err != nil {
		return nil, err
	}
	return b.Store.Queues(ctx, now)
}

func (b *broken) Alerts(context.Context, store.AlertFilter) ([]store.Alert, string, error) {
	return nil, "", b.err()
}

func (b *broken) Audit(context.Context, store.AuditFilter) ([]store.Audit, string, error) {
	return nil, "", b.err()
}

func (b *broken) AuditHead(context.Context) (store.AuditHead, error) {
	return store.AuditHead{}, b.err()
}

func (b *broken) Stats(context.Context) (unwind.Stats, error) { return unwind.Stats{}, b.err() }

// Every method of the Service, whatever it is asked, fails with an *unwind.Error.
func TestEveryErrorOfTheServiceIsAnUnwindError(t *testing.T) {
	for name, fault := range map[string]error{"a read that fails": errDisk, "a damaged row": store.ErrDamaged} {
		t.Run(name, func(t *testing.T) {
			st := &broken{Store: memory.New()}
			w := newWorld(t, placeOrder(), "ship:409", func(cfg *engine.Config) { cfg.Store = st })
			saga := w.run("o-1").ID
			st.fails.Store(&fault)
			gone, cancel := context.WithCancel(t.Context())
			cancel()
			failed := map[string]bool{}
			service := reflect.TypeFor[unwind.Service]()
			for i := range service.NumMethod() {
				for _, ctx := range []context.Context{t.Context(), gone} {
					for _, text := range []string{"", "x", saga, saga + ".1.a", "place-order", "shop"} {
						if err := callMethod(w.Engine, service.Method(i).Name, ctx, text); err != nil {
							failed[service.Method(i).Name] = true
							var u *unwind.Error
							if !errors.As(err, &u) || u.Code == "" {
								t.Errorf("%s(%q) got %T: %v", service.Method(i).Name, text, err, err)
							}
						}
					}
				}
			}
			for i := range service.NumMethod() {
				if name := service.Method(i).Name; !failed[name] && name != "Validate" && name != "StartBatch" {
					t.Errorf("%s never failed", name)
				}
			}
		})
	}
}

// callMethod calls a method with a text wherever one goes, and returns its error.
func callMethod(e *engine.Engine, name string, ctx context.Context, text string) error { //nolint:revive // the context is an argument of the method
	method := reflect.ValueOf(e).MethodByName(name)
	args := []reflect.Value{reflect.ValueOf(ctx)}
	for i := 1; i < method.Type().NumIn(); i++ {
		arg := reflect.New(method.Type().In(i)).Elem()
		fillText(arg, text)
		args = append(args, arg)
	}
	results := method.Call(args)
	err, _ := results[len(results)-1].Interface().(error)
	return err
}

func fillText(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fillText(v.Field(i), text)
			}
		}
	}
}
