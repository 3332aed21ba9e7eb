package storm

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/bench"
	"github.com/unwindhq/unwind/internal/gateway"
)

// Config of a run.
type Config struct {
	// Command starts a child: the program and its first arguments; serve and its
	// flags are put behind them. Required.
	Command []string
	// Only names the scenarios, of [Names]; empty runs all.
	Only []string
	// Quick runs few sagas against models that are ten times as fast, and judges
	// only that nothing is lost, done twice, or above a limit.
	Quick bool
	// Seed of the control's chance.
	Seed uint64
	// Dir has the stores, and what the gateway saw of the engine as STORM.jsonl.
	// Defaults to a new folder, which is removed.
	Dir string
	// Progress is told what happens, in lines. Defaults to nobody.
	Progress io.Writer
	// Watch is told twice a second where a drain stands. Defaults to nobody.
	Watch func(Tick)
	// Alone leaves the control out.
	Alone bool
}

// A Tick is where a drain stands.
type Tick struct {
	Elapsed            time.Duration
	Owed, Done         int
	Accepted, Rejected int // calls so far
	Lane               unwind.LaneState
}

// A run is one call of Run.
type run struct {
	Config
	scale
}

// Run lets the storms loose one after another. An error means that one could not
// be run; one that missed its goals is no error.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	chosen, err := choose(cfg.Only)
	if err != nil {
		return nil, err
	}
	if cfg.Progress == nil {
		cfg.Progress = io.Discard
	}
	if cfg.Dir == "" {
		if cfg.Dir, err = os.MkdirTemp("", "unwind-storm-"); err != nil {
			return nil, fmt.Errorf("storm: making a folder for the stores: %w", err)
		}
		defer os.RemoveAll(cfg.Dir) //nolint:errcheck // a temporary folder
	}
	r := &run{Config: cfg, scale: scaleOf(cfg.Quick)}
	report := &Report{Machine: bench.Describe(cfg.Dir), Command: command(&cfg), At: time.Now().UTC().Truncate(time.Second), Seed: cfg.Seed, Quick: cfg.Quick}
	for i := range chosen {
		r.say("%s: %s…", chosen[i].Name, chosen[i].About)
		v, err := r.scenario(ctx, &chosen[i])
		if err != nil {
			return nil, fmt.Errorf("the storm %s: %w", chosen[i].Name, err)
		}
		if v.Pass {
			r.say("  pass")
		}
		for _, m := range v.Missed() {
			r.say("  missed: %s", m)
		}
		report.Verdicts = append(report.Verdicts, *v)
	}
	return report, nil
}

func command(cfg *Config) string {
	words := append([]string{"unwind", "storm"}, cfg.Only...)
	if cfg.Quick {
		words = append(words, "--quick")
	}
	return fmt.Sprintf("%s --seed %d", strings.Join(words, " "), cfg.Seed)
}

func (r *run) say(format string, args ...any) { _, _ = fmt.Fprintf(r.Progress, format+"\n", args...) }

// folder is a new one, for one store.
func (r *run) folder() (string, error) {
	dir, err := os.MkdirTemp(r.Dir, "world-")
	if err != nil {
		return "", fmt.Errorf("storm: making a folder for the store: %w", err)
	}
	return dir, nil
}

func (r *run) scenario(ctx context.Context, sc *Scenario) (*Verdict, error) {
	v := &Verdict{Scenario: sc.Name, About: sc.About, Spec: sc.Spec, Watched: unwind.Duration(r.watched(sc))}
	before := bench.MachineTime()
	var err error
	if sc.compare != nil {
		err = r.comparison(ctx, sc, v)
	} else if err = r.engine(ctx, sc, v); err == nil && !r.Alone {
		err = r.control(ctx, sc, v)
	}
	if err != nil {
		return nil, err
	}
	v.Others = bench.Others(before)
	v.judge(sc.goals, r.quick)
	return v, nil
}

// payments is the one service of most scenarios.
const payments = "payments"

func (r *run) open(ctx context.Context, sc *Scenario) (*world, gateway.Model, error) {
	model, err := sc.model(r.unit)
	if err != nil {
		return nil, nil, err
	}
	w, err := openWorld(ctx, time.Duration(sc.keyLifetime)*r.unit, r.service(sc, payments, model))
	return w, model, err
}

func (r *run) service(sc *Scenario, name string, model gateway.Model) service {
	s := service{
		name: name, options: gateway.Options{Model: model, Hint: sc.hint, Latency: sc.latency, Persist: sc.persist},
		declared: unwind.Participant{Timeout: sc.timeout, Compensation: sc.limits, Breaker: sc.breaker},
	}
	if sc.keyLifetime > 0 {
		s.declared.KeyLifetime, s.declared.Status = unwind.Duration(sc.keyLifetime)*unwind.Duration(r.unit), "/status"
	}
	return s
}

// engine runs the storm on the engine.
func (r *run) engine(ctx context.Context, sc *Scenario, v *Verdict) error {
	w, model, err := r.open(ctx, sc)
	if err != nil {
		return err
	}
	defer w.close() //nolint:errcheck // what it served is in its books
	trip, err := w.roundTrip(ctx)
	if err != nil {
		return err
	}
	v.RoundTrip = unwind.Duration(trip + sc.takes)
	s, err := r.subject(ctx, sc, w, []unwind.Definition{definition("order", payments, sc.Undos)})
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // the books say what it did
	ids, err := start(ctx, s, "order", "", r.sagas(sc))
	if err != nil {
		return err
	}
	owed := map[string]int{}
	for _, id := range ids {
		owed[id] = sc.Undos
	}
	if err := w.gather(ctx, len(ids)); err != nil {
		return fmt.Errorf("storm: waiting for %d sagas at their third step: %w", len(ids), err)
	}
	stop, heart := r.foreground(ctx, sc, w), startPulse(ctx)
	changed := r.operate(ctx, sc, s)
	w.release()
	s.begun()
	ended, err := r.watch(ctx, sc, w, s, len(ids)*sc.Undos)
	v.Foreground = stop()
	stood := heart.stop()
	reigns, changing := changed()
	if err == nil {
		err = changing
	}
	if err != nil {
		return err
	}
	v.gate, v.gateHeld = gateOf(ctx, w, s)
	// What the engine says comes first: it never runs ahead of the books.
	says, err := standing(ctx, s)
	if err != nil {
		return err
	}
	e, err := r.gatherEvidence(sc, w, model, ended)
	if err != nil {
		return err
	}
	e.owed, e.standing, e.kills, e.reigns, e.stood = owed, says, s.kills(), reigns, stood
	if err := r.keep(sc.Name, e.arrivals); err != nil {
		return err
	}
	v.Ours = judge(e)
	v.Ideal = unwind.Duration(e.ideal(v.Ours.Owed))
	return nil
}

func (r *run) subject(ctx context.Context, sc *Scenario, w *world, defs []unwind.Definition) (subject, error) {
	dir, err := r.folder()
	if err != nil {
		return nil, err
	}
	if sc.killEvery > 0 {
		every := sc.killEvery
		if r.quick {
			every /= 5
		}
		return openProcess(ctx, r.Command, dir, w, defs, every)
	}
	open := func(clock func() time.Time) (subject, error) { return openEmbedded(ctx, dir, w, defs, clock) }
	if len(sc.steps) > 0 {
		return openStepped(ctx, sc.steps, r.unit, open)
	}
	return open(time.Now)
}
