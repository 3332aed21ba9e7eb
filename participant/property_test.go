package participant_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/unwindhq/unwind/participant"
)

// A plan is what the handler of one call does.
type plan string

var plans = []plan{"ok", "ok", "refuse", "invalid", "throttle", "crash"}

func (p plan) run(ctx context.Context, tx *sql.Tx, c participant.Call) (any, error) {
	output, err := effect(ctx, tx, c) // written first, so that a roll-back that is missing shows
	switch p {
	case "refuse":
		return nil, participant.Refuse("no")
	case "invalid":
		return nil, participant.Invalid("no")
	case "throttle":
		return nil, participant.Throttle(0, "later")
	case "crash":
		return nil, errors.New("crash")
	}
	return output, err
}

// outcomeOf is "done" or the error's code.
func outcomeOf(err error) string {
	var e *participant.Error
	switch {
	case err == nil:
		return "done"
	case errors.As(err, &e):
		return string(e.Code)
	}
	return err.Error()
}

func callOf(saga string, d participant.Direction) participant.Call {
	return participant.Call{Key: fmt.Sprintf("%s/step/%s", saga, d), Saga: saga, Step: "step", Direction: d, Attempt: 1}
}

// A model is what the barrier promises about one step, in as few words as
// there are.
type model struct{ action, compensation string }

func (m *model) expect(d participant.Direction, p plan) string {
	own := &m.action
	if d == participant.Compensation {
		own = &m.compensation
	}
	fresh := map[plan]string{"ok": "done", "refuse": "refused", "invalid": "invalid", "throttle": "throttled", "crash": "handler-failed"}[p]
	switch {
	case *own != "":
		return *own // a duplicate
	case d == participant.Action && m.compensation != "":
		return "already-compensated"
	case d == participant.Compensation && m.action != "done":
		fresh = "done" // empty
	}
	if fresh == "done" || d == participant.Action && (fresh == "refused" || fresh == "invalid") {
		*own = fresh
	}
	return fresh
}

func TestAnySequenceOfCallsIsAnsweredAsTheModelSays(t *testing.T) {
	l := tempLedger(t)
	quiet(t, l)
	var run atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		n := run.Add(1)
		models := map[string]*model{}
		for i := range rapid.IntRange(1, 20).Draw(t, "calls") {
			saga := fmt.Sprintf("seq%d-%d", n, rapid.IntRange(0, 1).Draw(t, "saga"))
			d := rapid.SampledFrom([]participant.Direction{participant.Action, participant.Compensation}).Draw(t, "direction")
			p := rapid.SampledFrom(plans).Draw(t, "plan")
			if models[saga] == nil {
				models[saga] = &model{}
			}
			want := models[saga].expect(d, p)
			_, err := l.barrier.Do(context.Background(), callOf(saga, d), p.run)
			if got := outcomeOf(err); got != want {
				t.Fatalf("call %d, %s of %s with handler %s: got %s (%v), want %s", i, d, saga, p, got, err, want)
			}
		}
	})
}

func TestConcurrentCallsFromTwoProcessesTakeEffectOnceAndInOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	processes := []*ledger{newLedger(t, path), newLedger(t, path)}
	for _, l := range processes {
		quiet(t, l)
	}
	var run atomic.Int64
	rapid.Check(t, func(rt *rapid.T) {
		n := run.Add(1)
		type job struct {
			process int
			call    participant.Call
			plans   []plan // one per try
		}
		var jobs []job
		for range rapid.IntRange(2, 10).Draw(rt, "calls") {
			jobs = append(jobs, job{
				process: rapid.IntRange(0, 1).Draw(rt, "process"),
				call: callOf(fmt.Sprintf("con%d-%d", n, rapid.IntRange(0, 1).Draw(rt, "saga")),
					rapid.SampledFrom([]participant.Direction{participant.Action, participant.Compensation}).Draw(rt, "direction")),
				plans: rapid.SliceOfN(rapid.SampledFrom(plans), 3, 3).Draw(rt, "plans"),
			})
		}
		answers := make([][]string, len(jobs))
		var all sync.WaitGroup
		for i, j := range jobs {
			all.Go(func() {
				for _, p := range j.plans { // as an engine does that asks again
					output, err := processes[j.process].barrier.Do(context.Background(), j.call, p.run)
					answers[i] = append(answers[i], outcomeOf(err)+" "+string(output))
				}
			})
		}
		all.Wait()
		said := map[string]map[string]bool{} // by key
		for i, j := range jobs {
			if said[j.call.Key] == nil {
				said[j.call.Key] = map[string]bool{}
			}
			for _, a := range answers[i] {
				said[j.call.Key][a] = true
			}
		}
		for s := range 2 {
			saga := fmt.Sprintf("con%d-%d", n, s)
			judge(rt, said[callOf(saga, participant.Action).Key], said[callOf(saga, participant.Compensation).Key],
				processes[0].effects(t, saga))
		}
	})
}

// judge holds the answers to both keys of a step against what took effect.
func judge(t *rapid.T, action, compensation map[string]bool, effects string) {
	did, undid := anyDone(action), anyDone(compensation)
	want := ""
	switch {
	case did && undid:
		want = "action compensation"
	case did:
		want = "action"
	}
	if effects != want {
		t.Fatalf("effects %q, want %q; the action was answered %v, the compensation %v", effects, want, action, compensation)
	}
	for name, said := range map[string]map[string]bool{"action": action, "compensation": compensation} {
		definite := 0
		for a := range said {
			switch a[:4] {
			case "done":
				definite++
			case "refu", "inva", "alre":
				if name == "action" {
					definite++
				}
			}
		}
		if definite > 1 {
			t.Fatalf("the %s got answers that contradict each other: %v", name, said)
		}
	}
	if action["already-compensated "] && !undid {
		t.Fatalf("the action was refused for a compensation that was answered %v", compensation)
	}
}

func anyDone(said map[string]bool) bool {
	for a := range said {
		if a[:4] == "done" {
			return true
		}
	}
	return false
}
