package machine

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"testing"

	"pgregory.net/rapid"

	"github.com/unwindhq/unwind"
)

// run plays one random saga: some time of trouble, then answers that succeed
// until it rests, then operators until it rests well.
func run(d dice) (w *world, err error) {
	w = newWorld(d)
	if err := w.apply(Event{Kind: Started}); err != nil {
		return w, err
	}
	for range 10 + d.pick(60, "length") {
		if err := w.step(); err != nil {
			return w, err
		}
	}
	w.healing = true
	for range 1000 {
		letters := w.deadLetters()
		switch w.state.Phase {
		case Completed, Compensated:
			err := w.atRest()
			return w, err
		case DeadLettered:
			err = w.replay(letters[d.pick(len(letters), "letter")])
		default:
			err = w.heal()
		}
		if err != nil {
			return w, err
		}
	}
	return w, errors.New("liveness: the saga does not come to rest although every answer succeeds")
}

// step lets one thing happen.
func (w *world) step() error {
	ready, flying, letters, open := w.waiting(false), w.waiting(true), w.deadLetters(), w.completable()
	switch n := w.d.pick(100, "what"); {
	case n < 35 && len(ready) > 0:
		return w.send(ready[w.d.pick(len(ready), "which")])
	case n < 65 && len(flying) > 0:
		return w.answer(flying[w.d.pick(len(flying), "which")])
	case n < 70 && len(open) > 0:
		return w.complete(open[w.d.pick(len(open), "which")])
	case n < 76:
		return w.advance(w.now + draw[Micros](w.d, "time", 1_000, 1_000_000, 45_000_000, 400_000_000))
	case n < 82:
		return w.fireNext()
	case n < 84:
		return w.cancel()
	case n < 87:
		return w.crash()
	case n < 92 && len(letters) > 0:
		at := letters[w.d.pick(len(letters), "which")]
		if chance(w.d, 40, "resolve") {
			return w.resolve(at)
		}
		return w.replay(at)
	case n < 95:
		return w.signal()
	case n < 97:
		return w.reopen()
	case n < 98 && len(ready) > 0:
		return w.hasten(ready[w.d.pick(len(ready), "which")])
	}
	return w.disturb()
}

// heal does what brings the saga on when everybody answers well.
func (w *world) heal() error {
	if flying := w.waiting(true); len(flying) > 0 {
		return w.answer(flying[0])
	}
	if ready := w.waiting(false); len(ready) > 0 {
		return w.send(ready[0])
	}
	if open := w.completable(); len(open) > 0 {
		return w.complete(open[0])
	}
	version := w.state.Version
	if err := w.signal(); err != nil || w.state.Version != version {
		return err
	}
	return w.fireNext()
}

func (w *world) fireNext() error {
	if timer, ok := NextTimer(w.plan, &w.state); ok && timer.At < w.now+micros(unwind.Hour) {
		return w.advance(max(w.now, timer.At))
	}
	return nil
}

func (w *world) signal() error {
	for i := range w.plan.Steps {
		if w.plan.Steps[i].Kind == unwind.SignalStep && w.state.Steps[i].Status == StepAwaiting {
			return w.apply(Event{Kind: Signalled, Step: i, Actor: "ann", Output: []byte(`{"approved":true}`)})
		}
	}
	return nil
}

// atRest: nothing moves a saga that rests well, but an operator who takes back
// what was settled by hand.
func (w *world) atRest() error {
	for kind := Started; kind < eventKinds; kind++ {
		for i := range w.plan.Steps {
			for _, dir := range []unwind.Direction{unwind.Action, unwind.Compensation} {
				if kind == Reopened && dir == unwind.Compensation && w.state.Steps[i].Comp == CompResolved {
					continue
				}
				ev := Event{Kind: kind, Step: i, Dir: dir, Attempt: w.state.Side(i, dir).Attempts + 1, As: "done", Actor: "ann"}
				if err := w.stale(ev); err != nil {
					return fmt.Errorf("at rest: %w", err)
				}
			}
		}
	}
	return nil
}

// runSeed plays the saga of a seed; a panic is an error too.
func runSeed(seed uint64) (w *world, err error) {
	d := seedDice{rand.New(rand.NewPCG(seed, 0))}
	defer func() {
		if r := recover(); r != nil {
			w, err = newWorld(seedDice{rand.New(rand.NewPCG(seed, 0))}), fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return run(d)
}

type rapidDice struct{ t *rapid.T }

func (d rapidDice) pick(n int, what string) int { return rapid.IntRange(0, n-1).Draw(d.t, what) }

type seedDice struct{ r *rand.Rand }

func (d seedDice) pick(n int, _ string) int { return d.r.IntN(n) }

func TestEverySagaKeepsTheGuarantees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if w, err := run(rapidDice{t}); err != nil {
			t.Fatalf("%v\n%s", err, w.describe())
		}
	})
}

func TestManySagasKeepTheGuarantees(t *testing.T) {
	runs := uint64(3_000)
	if testing.Short() {
		runs = 500
	}
	for seed := range runs {
		if w, err := runSeed(seed); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, w.describe())
		}
	}
}
