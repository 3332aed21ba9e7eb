package machine

import (
	"testing"

	"github.com/unwindhq/unwind"
)

func TestEventsThatCannotBeAreRefused(t *testing.T) {
	p, s, answer := benchSaga(t, 1)
	for name, test := range map[string]struct {
		ev   Event
		want unwind.Code
	}{
		"a step after the last":  {Event{Kind: Answered, Step: 3}, unwind.InvalidRequest},
		"a step below the first": {Event{Kind: TimerFired, Step: -1}, unwind.InvalidRequest},
		"an unknown kind":        {Event{Kind: eventKinds}, unwind.Internal},
		"a second start":         {Event{Kind: Started}, unwind.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Next(p, s, test.ev); unwind.CodeOf(err) != test.want {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := Next(p, s, answer); err != nil {
		t.Errorf("the next event: %v", err)
	}
}

func TestPhasesAreTheStatusesThatUsersSee(t *testing.T) {
	for phase, want := range []unwind.Status{unwind.Running, unwind.Compensating, unwind.Completed, unwind.Compensated, unwind.DeadLettered} {
		if p := Phase(phase); p.Status() != want || p.String() != string(want) || p.AtRest() != want.AtRest() {
			t.Errorf("phase %d is %s, at rest %v", phase, p.Status(), p.AtRest())
		}
	}
}

// Every event has a name and every state one that users see.
func TestEverythingHasAName(t *testing.T) {
	for kind := Started; kind < eventKinds; kind++ {
		if kind.String() == "" {
			t.Errorf("event %d has no name", kind)
		}
	}
}
