package node

import (
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

// pause asks for a pause as the engine does; without a name for the scope to be resumed.
func (r *rig) pause(t Token, by string, expires unwind.Duration) {
	r.Helper()
	paused := by != ""
	a, err := r.n.Alter(r.moment(), &unwind.ControlRequest{Scope: shopUndo, Paused: &paused, ExpiresIn: expires, Reason: "the bank moves", Actor: by})
	if err != nil {
		r.Fatal(err)
	}
	a.Token = t
	r.n.SetControl(r.moment(), a.ControlChange)
	r.look()
}

// pausedBy fails where the lane is not paused by that person; the empty name is nobody's.
func (r *rig) pausedBy(want string, until machine.Micros) {
	r.Helper()
	p := r.n.Pause(shopUndo)
	switch paused := r.n.Snapshot(r.moment(), shopUndo).Paused; {
	case paused != (p != nil):
		r.Errorf("at %d the pause is %+v, and whether the lane is paused %v", r.now, p, paused)
	case p == nil && want != "":
		r.Errorf("at %d it is not paused, and should be by %s", r.now, want)
	case p != nil && (p.By != want || p.Until != until):
		r.Errorf("at %d it is paused by %q until %d, want %q until %d", r.now, p.By, p.Until, want, until)
	}
}

// A pause holds at once and ends at its time, which the audit tells; what held below it
// holds again.
func TestAPauseEndsByItself(t *testing.T) {
	r := newRig(t, threeSteps(), Config{})
	first, second := r.now+3_000_000, r.now+1_000_000
	r.pause(1, "ada", 3*unwind.Second)
	r.pausedBy("ada", first)
	r.pause(2, "bob", unwind.Second)
	r.pausedBy("bob", second)
	r.settle()
	r.now = second
	r.look()
	if r.batch == nil || len(r.batch.Audit) != 1 || r.batch.Audit[0].Action != "expire" || r.batch.Audit[0].Reason != "the bank moves" {
		t.Fatalf("the audit doesn't tell of the end: %+v", r.batch)
	}
	r.settle()
	r.pausedBy("ada", first)
	r.now = first
	r.look()
	r.pausedBy("ada", first) // until its end is durable
	r.settle()
	r.pausedBy("", 0)
	if set, _ := r.n.Control(shopUndo); !set.Empty() {
		t.Errorf("%+v is left of it", set)
	}
}

// A pause for a while ends none that another person set for good.
func TestAPauseThatEndsLeavesOneForGood(t *testing.T) {
	r := newRig(t, threeSteps(), Config{})
	r.pause(1, "ada", 0)
	r.pause(2, "bob", unwind.Second)
	r.settle()
	r.pausedBy("bob", r.now+1_000_000)
	r.now += 1_000_000
	r.settle()
	r.pausedBy("ada", 0)
}

// Nothing ends below a pause for good, and to resume ends all of them.
func TestALaterPauseOrResumeLeavesNothingThatEnds(t *testing.T) {
	for _, last := range []string{"bob", ""} {
		r := newRig(t, threeSteps(), Config{})
		r.pause(1, "ada", unwind.Hour)
		r.settle()
		r.pause(2, last, 0)
		r.settle()
		r.pausedBy(last, 0)
		if _, s := r.n.Control(shopUndo); s.Next() != 0 {
			t.Errorf("after %q something ends: %+v", last, s)
		}
	}
}

// A pause keeps its end over a restart, and one whose time was over meanwhile ends.
func TestAPauseKeepsItsEndOverARestart(t *testing.T) {
	r := newRig(t, threeSteps(), Config{})
	until := r.now + 1_000_000
	r.pause(1, "ada", unwind.Second)
	r.settle()
	set, _ := r.n.Control(shopUndo)
	r.controls = []store.Control{set}
	r.restart(Config{})
	r.settle()
	r.pausedBy("ada", until)
	r.now = until + 5_000_000
	r.restart(Config{})
	r.settle()
	r.pausedBy("", 0)
}
