package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/config"
	"github.com/unwindhq/unwind/internal/machine"
)

// The subject of all measurements: an order of three steps.
const (
	saga    = "place-order"
	service = "shop"
)

var stepNames = [...]string{"reserve", "charge", "ship"}

// input is what every saga begins with.
var input = json.RawMessage(`{"order_id":"ORD-20931","customer":"C-7719","items":[{"sku":"blue-lamp","pieces":2}],"total_cents":4598}`)

// remote is the definition whose steps are POSTs.
func remote() unwind.Definition {
	d := unwind.Definition{Name: saga}
	for _, name := range stepNames {
		d.Steps = append(d.Steps, unwind.Step{
			Name: name, Action: &unwind.Call{Service: service, Path: "/" + name}, Compensation: &unwind.Call{Service: service, Path: "/undo-" + name},
		})
	}
	return d
}

// local is the definition whose steps are Go functions.
func local() unwind.Definition {
	d := remote()
	done := func(context.Context, unwind.Request) (json.RawMessage, error) { return json.RawMessage(output), nil }
	for i := range d.Steps {
		d.Steps[i].Action, d.Steps[i].Compensation = &unwind.Call{Func: done}, &unwind.Call{Func: done}
	}
	return d
}

// waiting is a saga that waits for a day.
func waiting() unwind.Definition {
	return unwind.Definition{Name: "wait", Deadline: 48 * unwind.Hour, Steps: []unwind.Step{
		{Name: "cool-off", Kind: unwind.DelayStep, For: 24 * unwind.Hour},
		{Name: "ship", Action: &unwind.Call{Service: service, Path: "/ship"}, Compensation: unwind.None},
	}}
}

// held is a saga whose participant does not answer.
func held() unwind.Definition {
	return unwind.Definition{Name: "hold", Steps: []unwind.Step{
		{Name: "reserve", Action: &unwind.Call{Service: service, Path: "/hold", Timeout: 10 * unwind.Minute}, Compensation: unwind.None},
	}}
}

// plan resolves a definition.
func plan(def unwind.Definition) (*machine.Plan, error) {
	p, err := machine.Compile(&def, map[string]unwind.Participant{service: {}, bank: {}})
	if err != nil {
		return nil, fmt.Errorf("compiling the definition: %w", err)
	}
	return p, nil
}

// path is a new store's file.
func (r *run) path() string {
	r.stores++
	return filepath.Join(r.Dir, r.name+"-"+strconv.Itoa(r.stores)+".db")
}

// discard removes a store's files.
func (r *run) discard(path string) {
	for _, end := range []string{"", "-wal", "-shm", ".lock"} {
		_ = os.Remove(path + end)
	}
}

// served measures a server on a store of its own, beside a participant.
func (r *run) served(ctx context.Context, measure func(participant, server *child, store string) error) error {
	participant, err := r.begin(ctx, "participant")
	if err != nil {
		return err
	}
	defer participant.kill()
	store := r.path()
	defer r.discard(store)
	server, err := r.serve(ctx, participant, store)
	if err != nil {
		return err
	}
	defer server.kill()
	return measure(participant, server, store)
}

// serve starts a server on a store, as its users do: from a configuration file.
func (r *run) serve(ctx context.Context, participant *child, store string) (*child, error) {
	cfg := config.Config{
		Listen: "127.0.0.1:0", Store: "sqlite:" + store,
		Limits: config.Limits{MaxActive: 200_000},
		Services: map[string]config.Service{service: {Participant: unwind.Participant{
			URL: participant.URL, Timeout: 10 * unwind.Second, Forward: unwind.Limits{Concurrency: 1024},
		}}, bank: {Participant: unwind.Participant{
			URL: participant.URL, Timeout: 10 * unwind.Second, Compensation: r.refundLimits(),
		}}},
		Sagas: map[string]unwind.Definition{},
	}
	for _, d := range []unwind.Definition{remote(), waiting(), held(), refunding()} {
		cfg.Sagas[d.Name] = d
	}
	text, err := json.Marshal(cfg)
	if err != nil {
		return nil, fmt.Errorf("writing the server's configuration: %w", err)
	}
	file := store + ".json"
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, fmt.Errorf("writing the server's configuration: %w", err)
	}
	return r.begin(ctx, "server", "--config", file)
}
