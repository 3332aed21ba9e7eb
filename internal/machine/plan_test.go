package machine

import (
	"slices"
	"strings"
	"testing"

	"github.com/unwindhq/unwind"
)

func TestCompileFillsInEveryDefault(t *testing.T) {
	def := &unwind.Definition{Name: "saga", Retry: &unwind.Retry{Attempts: 7}, Steps: []unwind.Step{
		{Name: "a", Action: &unwind.Call{Service: "s", Path: "/a", Timeout: 3 * unwind.Second}, Compensation: &unwind.Call{Local: true},
			Retry: &unwind.Retry{Initial: unwind.Minute}, CompensationRetry: &unwind.Retry{Multiplier: 3, Max: unwind.Hour}},
		{Name: "b", Action: &unwind.Call{Service: "t", Path: "/b"}, Compensation: unwind.None},
	}}
	p, err := Compile(def, map[string]unwind.Participant{"s": {Timeout: 5 * unwind.Second, KeyLifetime: unwind.Hour, Status: "/status"}, "t": {Settle: unwind.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	if p.Deadline != 24*3600*1e6 || p.GiveUpAfter != 72*3600*1e6 || p.Block {
		t.Errorf("deadline %d, give up %d, block %v", p.Deadline, p.GiveUpAfter, p.Block)
	}
	a, undo, b := p.Call(0, unwind.Action), p.Call(0, unwind.Compensation), p.Call(1, unwind.Action)
	if a.Timeout != 3e6 || a.Settle != 3e6 || a.KeyLifetime != 3600*1e6 || !a.HasStatus {
		t.Errorf("a call takes its own timeout, and settles as long: %+v", a)
	}
	if want := (unwind.Retry{Initial: unwind.Minute, Max: unwind.Minute, Multiplier: 2, Attempts: 7}); a.Retry != want {
		t.Errorf("retry %+v, want %+v", a.Retry, want)
	}
	if want := (unwind.Retry{Initial: unwind.Second, Max: unwind.Hour, Multiplier: 3, Attempts: 30}); undo.Retry != want {
		t.Errorf("compensation retry %+v, want %+v", undo.Retry, want)
	}
	if undo.Timeout != 10e6 || undo.HasStatus || b.Timeout != 10e6 || b.Settle != 60e6 || p.Call(1, unwind.Compensation).Exists {
		t.Errorf("undo %+v, b %+v", undo, b)
	}
	if p.StepIndex("b") != 1 || p.StepIndex("c") != -1 {
		t.Error("StepIndex does not find a step by its name")
	}
}

func TestCompileRefusesWhatCannotBeCalled(t *testing.T) {
	call := func(service string) *unwind.Call { return &unwind.Call{Service: service, Path: "/x"} }
	known := map[string]unwind.Participant{"s": {}}
	for name, test := range map[string]struct {
		step unwind.Step
		want string
	}{
		"an action's service that is gone":       {unwind.Step{Name: "a", Action: call("gone"), Compensation: unwind.None}, `the action of step "a" needs the service "gone"`},
		"a compensation's service that is gone":  {unwind.Step{Name: "a", Action: call("s"), Compensation: call("gone")}, `the compensation of step "a" needs the service "gone"`},
		"a step that waits for itself in a ring": {unwind.Step{Name: "a", After: []string{"a"}, Action: call("s"), Compensation: unwind.None}, "wait for each other"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Compile(&unwind.Definition{Name: "saga", Steps: []unwind.Step{test.step}}, known)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestReverseOrderPutsDescendantsFirst(t *testing.T) {
	// The list names a step before those it comes after.
	p, err := parsePlan("saga", []string{"d: undo none, after b+c", "b: undo none, after a", "c: undo none, after a", "a: undo none, after"})
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{0, 2, 1, 3}; !slices.Equal(p.ReverseOrder, want) {
		t.Errorf("reverse order %v, want %v", p.ReverseOrder, want)
	}
}

func TestBackoffGrowsToItsMaximumAndIsNeverShortened(t *testing.T) {
	r := unwind.Retry{Initial: 100 * unwind.Millisecond, Max: unwind.Second, Multiplier: 2, Attempts: 5}
	for n, want := range []Micros{100_000, 100_000, 200_000, 400_000, 800_000, 1_000_000, 1_000_000} {
		if got := backoff(r, uint32(n), 0); got != want {
			t.Errorf("backoff after %d is %d, want %d", n, got, want)
		}
		if got := backoff(r, uint32(n), 1<<64-1); got < want || got > want+want/4 {
			t.Errorf("backoff after %d with jitter is %d", n, got)
		}
	}
	if got := backoff(unwind.Retry{Initial: 1, Max: unwind.Hour, Multiplier: 10}, 4_000_000_000, 0); got != 3_600_000_000 {
		t.Errorf("a huge exponent gives %d", got)
	}
}

func TestClassIsWhatTheLaneLearns(t *testing.T) {
	for _, a := range []Answer{{Status: 200}, {Outcome: OutcomeDone}} {
		if got := a.Class(false); got != "" {
			t.Errorf("%+v is %q", a, got)
		}
	}
	if got := (Answer{Status: 202}).Class(true); got != "" {
		t.Errorf("an accepted call is %q", got)
	}
	if got := (Answer{Status: 503}).Class(false); got != unwind.ClassThrottled {
		t.Errorf("a 503 is %q", got)
	}
}

func TestFingerprintsLeaveOutWhatVaries(t *testing.T) {
	p, err := parsePlan("saga", []string{"a: undo x", "b: undo y"})
	if err != nil {
		t.Fatal(err)
	}
	group := func(step, status int, message string) string {
		return Fingerprint(p, step, unwind.Compensation, unwind.CallError{Status: status, Class: unwind.ClassInvalid, Message: message})
	}
	one := group(0, 422, `payment 4711 of "ann" (9f8e7d6c-1111-2222-3333-444455556666) is unknown`)
	if two := group(0, 422, `payment 815 of "bob" (00000000-aaaa-bbbb-cccc-444455556666) is unknown`); one != two {
		t.Errorf("one cause has the groups %s and %s", one, two)
	}
	for _, other := range []string{group(1, 422, "x"), group(0, 400, "x"), group(0, 0, "x"), group(0, 422, "y")} {
		if other == group(0, 422, "x") {
			t.Error("two causes have one group")
		}
	}
}

func TestTheCauseLeavesOutWhoDied(t *testing.T) {
	for want, of := range map[string]unwind.CallError{
		"422 unknown currency #": {Status: 422, Class: unwind.ClassInvalid, Message: `unknown currency "EUR"`},
		"key_expired ":           {Class: unwind.ClassKeyExpired},
	} {
		if got := Cause(of); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}
