package node

import (
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
)

var shopUndo = unwind.Scope{Kind: unwind.ScopeCompensation, Name: "shop"}

// change sets limits as the engine does: above what is set already.
func (r *rig) change(t Token, do func(*Settings)) { r.changeAt(shopUndo, t, do) }

func (r *rig) changeAt(scope unwind.Scope, t Token, do func(*Settings)) {
	set, settings := r.n.Control(scope)
	do(&settings)
	set.Settings = settings.Encode()
	r.n.SetControl(r.moment(), ControlChange{Token: t, Control: set})
	r.look()
}

func rate(n int64, until machine.Micros) func(*Settings) {
	return func(s *Settings) {
		r := unwind.PerSecond(n)
		s.Set(Setting{Limits: unwind.LimitsChange{Rate: &r}, Until: until})
	}
}

func concurrency(n int) func(*Settings) {
	return func(s *Settings) { s.Set(Setting{Limits: unwind.LimitsChange{Concurrency: &n}}) }
}

// A scope that somebody only looked at is not one that there is.
func TestWhoReadsAScopeMakesNone(t *testing.T) {
	r := newRig(t, threeSteps(), Config{})
	before := len(r.n.Scopes())
	unheardOf := unwind.Scope{Kind: unwind.ScopeForward, Name: "nobody"}
	if set, _ := r.n.Control(unheardOf); set.Scope != unheardOf || !set.Empty() {
		t.Errorf("at a scope that nobody spoke of, %+v is set", set)
	}
	r.n.Limits(unheardOf)
	if after := len(r.n.Scopes()); after != before {
		t.Errorf("there are %d scopes, and there were %d", after, before)
	}
}

// Two operators change two limits of one scope before either change is durable.
func TestChangesOfOneScopeAddUpWhileACommitFlies(t *testing.T) {
	r := newRig(t, threeSteps(), Config{})
	r.change(1, rate(3, 0))
	r.change(2, concurrency(4))
	r.settle()
	if l := r.n.Limits(shopUndo); l.Rate != unwind.PerSecond(3) || l.Concurrency != 4 {
		t.Errorf("the rate is %v and the concurrency %d, want 3/s and 4", l.Rate, l.Concurrency)
	}
}

// Limits end while those that replace them are being written.
func TestAnEndTakesNothingLaterBack(t *testing.T) {
	r := newRig(t, threeSteps(), Config{})
	r.change(1, rate(3, r.now+1_000_000))
	r.settle()
	r.now += 999_000
	r.change(2, rate(4, 0))
	r.now += 2_000
	r.look()
	r.settle()
	if l := r.n.Limits(shopUndo); l.Rate != unwind.PerSecond(4) {
		t.Errorf("the rate is %v, want 4/s, which was set last", l.Rate)
	}
}

// A change that comes while the end of what was set before is being written is not
// put on top of it.
func TestWhatHasEndedStaysEnded(t *testing.T) {
	r := newRig(t, threeSteps(), Config{})
	r.change(1, rate(3, r.now+1_000_000))
	r.settle()
	r.now += 1_000_000
	r.look()
	if r.batch == nil || len(r.batch.Audit) != 1 || len(r.batch.Audit[0].Data) == 0 {
		t.Errorf("the audit doesn't say what has ended: %+v", r.batch)
	}
	r.change(2, concurrency(4))
	r.settle()
	if l := r.n.Limits(shopUndo); l.Rate == unwind.PerSecond(3) || l.Concurrency != 4 {
		t.Errorf("the rate is %v and the concurrency %d, want the configured rate and 4", l.Rate, l.Concurrency)
	}
}

// The burst of all compensations that nobody has set follows the rate that holds.
func TestTheBurstOfAllFollowsAnOverride(t *testing.T) {
	r := newRig(t, threeSteps(), Config{})
	all := unwind.Scope{Kind: unwind.ScopeGlobal}
	burst := func() int { return r.n.Snapshot(r.moment(), all).Effective.Burst }
	r.n.Configure(r.moment(), all, Limits{Limits: unwind.Limits{Rate: unwind.PerSecond(5000)}})
	if got := burst(); got != 50 {
		t.Errorf("at 5000/s the burst is %d, want what goes in 10 ms, 50", got)
	}
	r.changeAt(all, 1, rate(10, 0))
	r.settle()
	if got := burst(); got != unwind.DefaultBurst {
		t.Errorf("at 10/s, set above 5000/s, the burst is %d, want %d", got, unwind.DefaultBurst)
	}
	r.changeAt(all, 2, func(s *Settings) { n := 7; s.Set(Setting{Limits: unwind.LimitsChange{Burst: &n}}) })
	r.settle()
	if got := burst(); got != 7 {
		t.Errorf("the burst is %d, and 7 was set", got)
	}
}

// What one operator set for an hour doesn't end with what another set for a second.
func TestEachSettingEndsAtItsOwnTime(t *testing.T) {
	r := newRig(t, threeSteps(), Config{})
	configured := r.n.Limits(shopUndo)
	four := 4
	r.change(1, rate(9, 0))
	r.change(2, func(s *Settings) {
		s.Set(Setting{Limits: unwind.LimitsChange{Concurrency: &four}, Until: r.now + 3_000_000})
	})
	r.change(3, rate(3, r.now+1_000_000))
	r.settle()
	for _, want := range []struct {
		rate        int64
		concurrency int
	}{{3, 4}, {9, 4}, {9, configured.Concurrency}} {
		if l := r.n.Limits(shopUndo); l.Rate != unwind.PerSecond(want.rate) || l.Concurrency != want.concurrency {
			t.Errorf("at %d the rate is %v and the concurrency %d, want %d/s and %d", r.now, l.Rate, l.Concurrency, want.rate, want.concurrency)
		}
		r.now += 2_000_000
		r.look()
		r.settle()
	}
}
