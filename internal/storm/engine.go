package storm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
	"github.com/unwindhq/unwind/store/sqlite"
)

// asked is what a storm asks of an engine.
type asked interface {
	StartBatch(ctx context.Context, reqs []unwind.StartRequest) ([]unwind.StartResult, error)
	List(ctx context.Context, filter unwind.Filter) (unwind.List[unwind.Instance], error)
	Stats(ctx context.Context) (unwind.Stats, error)
	Participants(ctx context.Context) ([]unwind.ServiceState, error)
	Alerts(ctx context.Context, f unwind.AlertFilter) (unwind.List[unwind.Alert], error)
	Control(ctx context.Context, req unwind.ControlRequest) (*unwind.ScopeState, error)
}

// A subject is the engine that is judged.
type subject interface {
	asked
	// begun is told that the storm has been let loose, over that it has passed.
	begun()
	over()
	// kills is how often it was killed.
	kills() int
	close() error
}

// definition is an order whose charges are made by a service.
func definition(name, service string, undos int) unwind.Definition {
	d := unwind.Definition{Name: name}
	for i := range undos {
		step := "charge"
		if undos > 1 {
			step += "-" + strconv.Itoa(i+1)
		}
		d.Steps = append(d.Steps, unwind.Step{
			Name: step, Action: &unwind.Call{Service: service, Path: "/charge"},
			Compensation: &unwind.Call{Service: service, Path: "/refund", Priority: unwind.Money},
		})
	}
	d.Steps = append(d.Steps,
		unwind.Step{Name: "reserve", Action: &unwind.Call{Service: shop, Path: "/reserve"}, Compensation: unwind.None},
		unwind.Step{Name: "ship", Action: &unwind.Call{Service: shop, Path: "/ship"}, Compensation: unwind.None})
	return d
}

// embedded is an engine in this process.
type embedded struct{ *engine.Engine }

func openEmbedded(ctx context.Context, dir string, w *world, defs []unwind.Definition, clock func() time.Time) (subject, error) {
	st, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(dir, "unwind.db")})
	if err != nil {
		return nil, fmt.Errorf("storm: %w", err)
	}
	e, err := engine.Open(ctx, engine.Config{
		Store: st, Node: "storm", Participants: w.participants(), Definitions: defs, Logger: slog.New(slog.DiscardHandler), Clock: clock,
	})
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return embedded{e}, nil
}

func (embedded) begun()     {}
func (embedded) over()      {}
func (embedded) kills() int { return 0 }

// close waits for calls in flight no longer than what hangs deserves.
func (e embedded) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	return e.Close(ctx)
}

// group is how many sagas are started in one request.
const group = 250

// start begins n sagas for a tenant and returns their ids.
func start(ctx context.Context, s asked, saga, tenant string, n int) ([]string, error) {
	var ids []string
	for len(ids) < n {
		var reqs []unwind.StartRequest
		for i := len(ids); i < min(n, len(ids)+group); i++ {
			reqs = append(reqs, unwind.StartRequest{Saga: saga, Tenant: tenant, Key: saga + "/" + tenant + "/" + strconv.Itoa(i), Input: []byte(`{}`)})
		}
		results, err := s.StartBatch(ctx, reqs)
		if err != nil {
			return nil, fmt.Errorf("storm: starting sagas: %w", err)
		}
		for _, r := range results {
			if r.Err != nil {
				return nil, fmt.Errorf("storm: starting a saga: %w", r.Err)
			}
			ids = append(ids, r.Instance.ID)
		}
	}
	return ids, nil
}

// standing is what the engine says of each saga.
func standing(ctx context.Context, s asked) (map[string]unwind.Status, error) {
	m := map[string]unwind.Status{}
	page := unwind.Page{Limit: 1000}
	for {
		list, err := s.List(ctx, unwind.Filter{Page: page})
		if err != nil {
			return nil, fmt.Errorf("storm: asking what became of the sagas: %w", err)
		}
		for i := range list.Items {
			m[list.Items[i].ID] = list.Items[i].Status
		}
		if page.Cursor = list.NextCursor; page.Cursor == "" {
			return m, nil
		}
	}
}
