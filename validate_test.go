package unwind_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/unwindhq/unwind"
)

var declared = map[string]unwind.Participant{"payments": {URL: "http://payments"}, "mail": {URL: "http://mail"}}

func call(path string) *unwind.Call { return &unwind.Call{Service: "payments", Path: path} }

// lines writes faults as "pointer: message", warnings with a question mark before.
func lines(faults []unwind.Fault) []string {
	var out []string
	for _, f := range faults {
		mark := ""
		if f.Warning {
			mark = "? "
		}
		out = append(out, mark+f.Pointer+": "+f.Message)
	}
	return out
}

// expect checks that there is one fault for each want, whose pointer it begins
// with and whose message holds what follows the first blank.
func expect(t *testing.T, faults []unwind.Fault, want ...string) {
	t.Helper()
	got := lines(faults)
	for _, w := range want {
		pointer, word, _ := strings.Cut(strings.TrimPrefix(w, "? "), " ")
		found := slices.IndexFunc(got, func(g string) bool {
			return strings.HasPrefix(g, "? ") == strings.HasPrefix(w, "? ") &&
				strings.HasPrefix(strings.TrimPrefix(g, "? "), pointer+": ") && strings.Contains(g, word)
		})
		if found < 0 {
			t.Errorf("missing: %s", w)
			continue
		}
		got = slices.Delete(got, found, found+1)
	}
	for _, g := range got {
		t.Errorf("not expected: %s", g)
	}
}

func TestASoundDefinitionHasNoFaults(t *testing.T) {
	d := placeOrder()
	d.Steps = append(d.Steps,
		unwind.Step{Name: "sleep", Kind: unwind.DelayStep, For: unwind.Minute},
		unwind.Step{Name: "ask", Kind: unwind.SignalStep, Compensation: unwind.None},
		unwind.Step{Name: "commit", After: []string{"charge", "ask"}, Pivot: true, Action: call("/commit")},
		unwind.Step{Name: "local", Action: &unwind.Call{Func: func(context.Context, unwind.Request) (json.RawMessage, error) { return nil, nil }}},
	)
	expect(t, d.Validate(declared))
}

func TestFaultsOfADefinition(t *testing.T) {
	charge := unwind.Step{Name: "charge", Action: call("/charge"), Compensation: unwind.None}
	for name, c := range map[string]struct {
		change func(*unwind.Definition)
		want   []string
	}{
		"no name":        {func(d *unwind.Definition) { d.Name = "" }, []string{"/name place-order"}},
		"no steps":       {func(d *unwind.Definition) { d.Steps = nil }, []string{"/steps at least one step"}},
		"too many steps": {func(d *unwind.Definition) { d.Steps = make([]unwind.Step, unwind.MaxSteps+1) }, []string{"/steps 129 steps"}},
		"negative spans": {func(d *unwind.Definition) {
			d.Deadline, d.GiveUpAfter = -1, -1
			d.Retry = &unwind.Retry{Initial: -1, Max: -1}
			d.Steps[0].Action.Timeout, d.Steps[0].Timeout, d.Steps[0].For = -1, -1, -1
		}, []string{
			"/deadline negative", "/give_up_after negative", "/retry/initial negative", "/retry/max negative",
			"/steps/0/action/timeout negative", "/steps/0/timeout negative", "/steps/0/timeout in the call",
			"/steps/0/for negative", "/steps/0/for belongs to a delay",
		}},
		"amount": {func(d *unwind.Definition) { d.Amount = "input." }, []string{"/amount input.amount"}},
		"multipliers": {func(d *unwind.Definition) {
			d.Retry = &unwind.Retry{Multiplier: math.NaN()}
			d.CompensationRetry = &unwind.Retry{Multiplier: math.Inf(1)}
			d.Steps[0].Retry = &unwind.Retry{Multiplier: 0.99}
			d.Steps[0].CompensationRetry = &unwind.Retry{Multiplier: 101}
		}, []string{"/retry/multiplier 1 to 100", "/compensation_retry/multiplier 1 to 100", "/steps/0/retry/multiplier 1 to 100", "/steps/0/compensation_retry/multiplier 1 to 100"}},
		"a step's policy builds on the saga's": {func(d *unwind.Definition) {
			d.Retry = &unwind.Retry{Initial: unwind.Second}
			d.Steps[0].Retry = &unwind.Retry{Max: 500 * unwind.Millisecond}
			d.Steps[0].CompensationRetry = &unwind.Retry{Max: 500 * unwind.Millisecond}
		}, []string{"/steps/0/retry/max which is 1s", "/steps/0/compensation_retry/max which is 1s"}},
		"a service and a function": {func(d *unwind.Definition) { d.Steps[0].Action.Local = true }, []string{"/steps/0/action/service not to both"}},
		"none as an action":        {func(d *unwind.Definition) { d.Steps[0].Action = unwind.None }, []string{"/steps/0/action no action"}},
		"a body that is not JSON":  {func(d *unwind.Definition) { d.Steps[0].Action.Body = json.RawMessage(`{`) }, []string{"/steps/0/action/body not JSON"}},
		"references": {func(d *unwind.Definition) {
			d.Steps[0].Action.Body = json.RawMessage(`{"a/b":["${saga.id} ${input.x}","${saga.tenant}"],"${x}":1,"open":"${input.x"}`)
		}, []string{"/steps/0/action/body/a~1b/1 ${saga.tenant}", "/steps/0/action/body/${x} only values", "? /steps/0/action/body/open never closed"}},
		"a name with dots": {func(d *unwind.Definition) {
			d.Steps[0].Name = "charge.card"
			d.Steps = append(d.Steps, unwind.Step{Name: "tell", Action: call("/tell"), Compensation: unwind.None})
			d.Steps[1].Action.Body = json.RawMessage(`["${outputs.charge.card.id}","${outputs.charge.car}"]`)
		}, []string{"/steps/1/action/body/1 does not exist"}},
		"own output": {func(d *unwind.Definition) {
			d.Steps[0].Action.Body = json.RawMessage(`"${outputs.charge}"`)
			d.Steps[0].Compensation = call("/refund")
			d.Steps[0].Compensation.Body = json.RawMessage(`"${outputs.charge}"`)
		}, []string{"/steps/0/action/body own output"}},
		"names": {func(d *unwind.Definition) {
			d.Steps[0].Action.Service = "paymets"
			d.Steps = append(d.Steps,
				unwind.Step{Action: call("/a"), Compensation: unwind.None},
				unwind.Step{Name: "charge", Action: &unwind.Call{Service: "warehouse", Path: "/a"}, Compensation: unwind.None},
				unwind.Step{Name: "last", After: []string{"chrge", "last", "charge", "charge"}, Action: call("/a"), Compensation: unwind.None},
			)
		}, []string{
			`/steps/0/action/service did you mean "payments"?`, "/steps/1/name no name", "/steps/2/name first by step 1",
			"/steps/2/action/service there is mail, payments", `/steps/3/after/0 did you mean "charge"?`, "/steps/3/after/1 after itself", "/steps/3/after/3 twice",
		}},
		"waits": {func(d *unwind.Definition) {
			d.Deadline = unwind.Hour
			d.Steps = []unwind.Step{
				{Name: "a", Kind: unwind.DelayStep, Timeout: unwind.Second, Retry: &unwind.Retry{}},
				{Name: "b", Kind: unwind.DelayStep, For: 2 * unwind.Hour, Action: call("/a"), Pivot: true},
				{Name: "c", Kind: unwind.SignalStep, For: unwind.Second, Timeout: unwind.Hour, Compensation: call("/a")},
				{Name: "d", Kind: "parallel"},
			}
		}, []string{
			"/steps/0/for says no time", "/steps/0/timeout belongs to a signal", "/steps/0 nothing to retry",
			"? /steps/1/for deadline of 1h0m0s", "/steps/1 calls nobody", "/steps/1/pivot cannot be the pivot",
			"/steps/2/for belongs to a delay", "? /steps/2/timeout deadline of 1h0m0s", "/steps/2 calls nobody",
			"/steps/3/kind action, delay or signal",
		}},
		"limits of a tenant": {func(d *unwind.Definition) {
			d.Compensation = &unwind.TypeLimits{Rate: unwind.PerSecond(4), Compensation: &unwind.TypeLimits{}}
			d.Tenants = map[string]unwind.TypeLimits{"a": {Rate: unwind.PerSecond(1), Window: unwind.Rate{Calls: 9, Per: unwind.Minute}, Concurrency: 3}, "b": {
				Compensation: &unwind.TypeLimits{Rate: unwind.PerSecond(5), Weight: 2, Compensation: &unwind.TypeLimits{}},
			}}
		}, []string{
			"/compensation/compensation means nothing", "/tenants/a/rate compensation: {rate: 1/s}",
			"/tenants/a/window compensation: {window: 9/min}", "/tenants/a/concurrency compensation: {concurrency: 3}", "? /tenants/b/compensation/rate never reached",
			"/tenants/b/compensation/weight beside compensation", "/tenants/b/compensation/compensation means nothing",
		}},
		"a compensation past the pivot": {func(d *unwind.Definition) {
			d.Steps[0].Pivot = true
			d.Steps = append(d.Steps, unwind.Step{Name: "tell", Action: call("/tell"), Compensation: call("/untell"), Pivot: true})
		}, []string{"? /steps/1/compensation never called", `? /steps/1/pivot "charge" comes before`}},
		"weights": {func(d *unwind.Definition) {
			d.Compensation = &unwind.TypeLimits{Weight: -1, Rate: unwind.Rate{Calls: -5, Per: unwind.Second}}
			d.Tenants = map[string]unwind.TypeLimits{"": {}, "a": {Weight: 1001}}
		}, []string{"/compensation/weight 1 to 1000", "/compensation/rate negative", "/tenants/ 1 to 256 bytes", "/tenants/a/weight 1 to 1000"}},
		"in a cycle the pivot's place is unknown": {func(d *unwind.Definition) {
			d.Steps = []unwind.Step{
				{Name: "a", After: []string{"b"}, Action: call("/a")},
				{Name: "b", After: []string{"a"}, Action: call("/b"), Pivot: true},
			}
		}, []string{"/steps a -> b -> a"}},
		"two pivots beside each other": {func(d *unwind.Definition) {
			d.Steps = []unwind.Step{
				{Name: "a", After: []string{}, Action: call("/a"), Pivot: true},
				{Name: "b", After: []string{}, Action: call("/b"), Pivot: true},
			}
		}, []string{`/steps/0/pivot "b" may run beside`, `/steps/1/pivot "a" may run beside`}},
	} {
		t.Run(name, func(t *testing.T) {
			d := unwind.Definition{Name: "pay", Steps: []unwind.Step{charge}}
			d.Steps[0].Action = call("/charge")
			c.change(&d)
			expect(t, d.Validate(declared), c.want...)
		})
	}
}

func TestMessagesStayShortWhateverTheyQuote(t *testing.T) {
	long := strings.Repeat("é", 1<<19)
	d := unwind.Definition{Name: long, OnDeadLetter: unwind.OnDeadLetter(long), Steps: []unwind.Step{{
		Name: long, After: []string{long}, Kind: unwind.StepKind(long),
		Action: &unwind.Call{Service: long, Path: long, Priority: unwind.Priority(long), Body: json.RawMessage(`"${` + long + `}"`)},
	}}}
	faults := d.Validate(declared)
	if len(faults) < 8 {
		t.Errorf("got %d faults", len(faults))
	}
	for _, f := range faults {
		if len(f.Message) > 700 {
			t.Errorf("%s: a message of %d bytes", f.Pointer, len(f.Message))
		}
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]bool{
		"a": true, "place-order": true, "v2.1_x": true, "9": true, strings.Repeat("a", 64): true,
		"": false, "-a": false, ".a": false, "a b": false, "a/b": false, "é": false, "a\n": false, strings.Repeat("a", 65): false,
	} {
		if got := unwind.ValidName(name); got != want {
			t.Errorf("%q: got %v", name, got)
		}
	}
}

func TestFaultsOfAParticipant(t *testing.T) {
	for name, c := range map[string]struct {
		p    unwind.Participant
		want []string
	}{
		"sound": {p: unwind.Participant{
			URL: "https://payments.example.com/v1", Headers: map[string]string{"Authorization": "Bearer x", "X-A": "é\t"}, Status: "/status",
			Forward:      unwind.Limits{Rate: unwind.PerSecond(200), Concurrency: 200},
			Compensation: unwind.Limits{Rate: unwind.PerSecond(10), Window: unwind.Rate{Calls: 600, Per: unwind.Minute}},
		}},
		"literal addresses": {p: unwind.Participant{URL: "http://[::1]:8080"}},
		"empty":             {want: []string{"/url no url"}},
		"negative": {
			unwind.Participant{
				URL: "http://p", Timeout: -1, Settle: -1, KeyLifetime: -1,
				Forward: unwind.Limits{Concurrency: -1, Burst: -1, Rate: unwind.Rate{Calls: -1, Per: 1}}, Breaker: unwind.Breaker{Failures: -1, Minimum: -1, Open: -1},
			},
			[]string{
				"/timeout negative", "/settle negative", "/key_lifetime negative", "/forward/concurrency 1 to", "/forward/burst 1 to",
				"/forward/rate negative", "/breaker/failures share", "/breaker/minimum -1", "/breaker/open negative",
			},
		},
		"waits that are no waits": {
			unwind.Participant{URL: "http://p", Forward: unwind.Limits{HintCap: -1}, Compensation: unwind.Limits{HintCap: unwind.Second - 1}},
			[]string{"/forward/hint_cap -1ns: write the longest wait", "/compensation/hint_cap 1s at least, as in 5m"},
		},
		"the shortest wait":      {p: unwind.Participant{URL: "http://p", Compensation: unwind.Limits{HintCap: unwind.Second}}},
		"more than it remembers": {unwind.Participant{URL: "http://p", Breaker: unwind.Breaker{Minimum: 65}}, []string{"/breaker/minimum 65"}},
		"not a share":            {unwind.Participant{URL: "http://p", Breaker: unwind.Breaker{Failures: math.NaN()}}, []string{"/breaker/failures share"}},
		"headers": {
			unwind.Participant{URL: "http://p", Headers: map[string]string{"": "", "Traceparent": "", "X:Y": "", "X-A": "a\r\nb", "x-a": ""}},
			[]string{"/headers/ not a header name", "/headers/Traceparent set by the engine", "/headers/X:Y not a header name", "/headers/X-A line break", "/headers/x-a twice"},
		},
		"what cannot carry the rate": {
			unwind.Participant{
				URL: "http://p", Timeout: unwind.Second,
				Forward:      unwind.Limits{Rate: unwind.PerSecond(5000)},
				Compensation: unwind.Limits{Rate: unwind.PerSecond(101), Window: unwind.Rate{Calls: 100, Per: unwind.Second}},
			},
			[]string{"? /forward/concurrency at most 51.2ms, of the 1s", "? /forward/burst burst 2 carries the rate 5000/s only while the machine is late by at most 200µs; write burst: 50,", "? /compensation/concurrency at most 99ms", "? /compensation/window the window 100/s carries less, so the rate 101/s is never reached"},
		},
		"a window that carries little": {
			unwind.Participant{URL: "http://p", Compensation: unwind.Limits{Rate: unwind.PerSecond(1), Window: unwind.Rate{Calls: 3, Per: 3 * unwind.Hour}}},
			[]string{"? /compensation/window the window 3/3h0m0s carries 1/h, so the rate 1/s is never reached"},
		},
		"a burst of no rate": {
			unwind.Participant{URL: "http://p", Forward: unwind.Limits{Burst: 3}, Compensation: unwind.Limits{Burst: 3}},
			[]string{"? /forward/burst burst 3 means nothing in a lane without a rate"},
		},
		"bursts that make up for little": {
			unwind.Participant{
				URL:     "http://p",
				Forward: unwind.Limits{Rate: unwind.PerSecond(2000), Concurrency: 2000, Burst: 9}, Compensation: unwind.Limits{Rate: unwind.PerSecond(501), Concurrency: 600, Burst: 1},
			},
			[]string{"? /forward/burst 4ms; write burst: 20, which is what goes in 10ms", "? /compensation/burst late by at most 0s; write burst: 6,"},
		},
		"bursts that make up for enough": {p: unwind.Participant{
			URL:     "http://p",
			Forward: unwind.Limits{Rate: unwind.PerSecond(2000), Concurrency: 2000, Burst: 10}, Compensation: unwind.Limits{Rate: unwind.PerSecond(500), Concurrency: 500},
		}},
		"a burst that is not used": {p: unwind.Participant{
			URL: "http://p", Forward: unwind.Limits{Rate: unwind.PerSecond(2000), Concurrency: 2000, Adaptive: true},
		}},
		"a tenth of the timeout is enough": {p: unwind.Participant{
			URL: "http://p", Timeout: unwind.Second, Compensation: unwind.Limits{Rate: unwind.PerSecond(100)},
		}},
	} {
		t.Run(name, func(t *testing.T) { expect(t, c.p.Validate(), c.want...) })
	}
}

func TestNoFaultShowsAPassword(t *testing.T) {
	for _, url := range []string{"http://u:hunter2@p", "http://u:hunter2@p:x", "ftp://u:hunter2@p", "http://u:hunter2@ p", "http://u:hunter2@"} {
		p := unwind.Participant{URL: url, Headers: map[string]string{"X-A": "hunter2\n"}}
		faults := p.Validate()
		if len(faults) < 2 || strings.Contains(fmt.Sprint(faults), "hunter2") {
			t.Errorf("%s: %v", url, faults)
		}
	}
}
