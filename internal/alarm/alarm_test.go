package alarm_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/alarm"
	"github.com/unwindhq/unwind/store"
)

const second = 1_000_000

// A moment is what is seen, and what comes of it: the keys of alerts, "+" raised and
// "-" ended.
type moment struct {
	at   int64 // seconds
	see  alarm.State
	want string
}

func lane(change func(*alarm.Lane)) alarm.State {
	l := alarm.Lane{Service: "payments", Lane: "compensation", BreakerClosed: true}
	if change != nil {
		change(&l)
	}
	return alarm.State{Lanes: []alarm.Lane{l}}
}

func groups(all ...alarm.Group) alarm.State { return alarm.State{Groups: all} }

func group(name string, open, replaying, oldest int64, amount string) alarm.Group {
	g := alarm.Group{Name: name, Saga: "place-order", Step: "charge", Service: "payments", Open: open, Replaying: replaying, Oldest: oldest * second, AtRisk: new(store.Sum)}
	g.AtRisk.Add([]byte(amount))
	return g
}

func TestTranscripts(t *testing.T) {
	const of = "/payments/compensation"
	for name, c := range map[string]struct {
		rules   unwind.AlertRules
		before  []string // keys of what fires already
		moments []moment
	}{
		"dead letters fire by cause and end when the last is settled": {moments: []moment{
			{1, groups(group("a", 1, 0, 1, ""), group("b", 2, 0, 1, "")), "+dead_letter/a +dead_letter/b"},
			{2, groups(group("a", 5, 0, 1, ""), group("b", 1, 1, 1, "")), ""},
			{3, groups(group("a", 0, 5, 1, ""), group("b", 0, 0, 0, "")), "-dead_letter/b"},
			{4, groups(group("a", 1, 0, 1, "")), ""},
			{5, groups(), "-dead_letter/a"},
		}},
		"a bound on dead letters holds for all causes together": {rules: unwind.AlertRules{DeadLetters: 3}, moments: []moment{
			{1, groups(group("a", 2, 0, 1, ""), group("b", 1, 0, 1, "")), ""},
			{2, groups(group("a", 2, 0, 1, ""), group("b", 2, 0, 1, "")), "+dead_letter/a +dead_letter/b"},
			{3, groups(group("a", 2, 0, 1, ""), group("b", 1, 0, 1, "")), "-dead_letter/a -dead_letter/b"},
		}},
		"growth": {rules: unwind.AlertRules{PerMinute: 10}, moments: []moment{
			{1, alarm.State{Died: 0}, ""},
			{2, alarm.State{Died: 10}, ""},
			{3, alarm.State{Died: 11}, "+dead_letter_growth"},
			{30, alarm.State{Died: 12}, ""},
			{62, alarm.State{Died: 17}, ""},
			{64, alarm.State{Died: 16}, "-dead_letter_growth"},
		}},
		"growth before the first look": {rules: unwind.AlertRules{PerMinute: 10}, moments: []moment{
			{1, alarm.State{Died: 11}, "+dead_letter_growth"},
			{60, alarm.State{Died: 11}, ""},
			{61, alarm.State{Died: 11}, "-dead_letter_growth"},
		}},
		"age": {rules: unwind.AlertRules{DeadLetterAge: unwind.Minute, DeadLetters: 9}, moments: []moment{
			{61, groups(group("a", 1, 0, 1, "")), ""},
			{62, groups(group("a", 1, 0, 1, ""), group("b", 1, 0, 40, "")), "+dead_letter_age"},
			{63, groups(group("b", 1, 0, 40, "")), "-dead_letter_age"},
		}},
		"amounts are exact and by saga": {rules: unwind.AlertRules{Amount: 100, DeadLetters: 9}, moments: []moment{
			{1, groups(group("a", 1, 0, 1, "99.99"), group("b", 1, 0, 1, "0.01")), ""},
			{2, groups(group("a", 1, 0, 1, "99.99"), group("b", 1, 0, 1, "0.02")), "+amount_at_risk/place-order"},
			{3, groups(group("a", 1, 0, 1, "99.99")), "-amount_at_risk/place-order"},
		}},
		"compensations that are late": {moments: []moment{
			{300, alarm.State{Queues: []alarm.Queue{{Service: "payments", Waiting: 3, Oldest: 1}}}, ""},
			{301, alarm.State{Queues: []alarm.Queue{{Service: "payments", Waiting: 3, Oldest: 1}}}, "+compensation_age/payments"},
			{302, alarm.State{Queues: []alarm.Queue{{Service: "payments"}}}, "-compensation_age/payments"},
		}},
		"a breaker, unless a person holds it": {moments: []moment{
			{1, lane(func(l *alarm.Lane) { l.BreakerOpen, l.BreakerClosed, l.Held = true, false, true }), ""},
			{2, lane(func(l *alarm.Lane) { l.BreakerOpen, l.BreakerClosed = true, false }), "+breaker_open" + of},
			{3, lane(func(l *alarm.Lane) { l.BreakerClosed = false }), ""},
			{4, lane(nil), "-breaker_open" + of},
		}},
		"a service fault and the guard": {moments: []moment{
			{1, lane(func(l *alarm.Lane) { l.Fault, l.GateUntil = "401", 900*second }), "+service_fault" + of},
			{2, lane(func(l *alarm.Lane) { l.Guarded = "five died" }), "-service_fault" + of + " +lane_guard" + of},
			{3, alarm.State{}, "-lane_guard" + of},
		}},
		"a gate that opens for one call is one gate": {moments: []moment{
			{0, lane(func(l *alarm.Lane) { l.GateUntil = 60 * second }), ""},
			{59, lane(func(l *alarm.Lane) { l.GateUntil = 60 * second }), ""},
			{61, lane(nil), ""},
			{62, lane(func(l *alarm.Lane) { l.GateUntil = 122 * second }), ""},
			{120, lane(func(l *alarm.Lane) { l.GateUntil = 122 * second }), ""},
			{121, lane(func(l *alarm.Lane) { l.GateUntil = 122 * second }), "+long_gate" + of},
			{123, lane(nil), ""},
			{126, lane(nil), "-long_gate" + of},
		}},
		"a gate for long is told at once": {moments: []moment{
			{1, lane(func(l *alarm.Lane) { l.GateUntil = 600 * second }), "+long_gate" + of},
		}},
		"what little was seen since a restart ends nothing": {before: []string{"dead_letter_growth", "wasted_calls" + of}, moments: []moment{
			{100, lane(nil), ""},
			{159, lane(func(l *alarm.Lane) { l.Answers = 19 }), ""},
			{160, lane(nil), "-dead_letter_growth -wasted_calls" + of},
		}},
		"enough that was seen since a restart ends it": {before: []string{"wasted_calls" + of}, moments: []moment{
			{100, lane(nil), ""},
			{101, lane(func(l *alarm.Lane) { l.Answers, l.Throttled = 20, 0.1 }), "-wasted_calls" + of},
		}},
		"a fault from before a restart ends with an answer": {before: []string{"service_fault" + of}, moments: []moment{
			{100, lane(nil), ""},
			{101, lane(func(l *alarm.Lane) { l.Answers, l.Failed = 3, 1 }), ""},
			{102, lane(func(l *alarm.Lane) { l.Fault = "401" }), ""},
			{103, lane(nil), "-service_fault" + of},
			{104, lane(func(l *alarm.Lane) { l.Fault = "401" }), "+service_fault" + of},
			{105, lane(nil), "-service_fault" + of},
			{106, lane(nil), ""},
		}},
		"a fault from before a restart that is mended": {before: []string{"service_fault" + of}, moments: []moment{
			{100, lane(nil), ""},
			{101, lane(func(l *alarm.Lane) { l.Answers, l.Failed = 2, 0.5 }), "-service_fault" + of},
		}},
		"wasted calls": {moments: []moment{
			{1, lane(func(l *alarm.Lane) { l.Answers, l.Throttled = 19, 1 }), ""},
			{2, lane(func(l *alarm.Lane) { l.Answers, l.Throttled, l.Failed = 20, 0.15, 0.1 }), "+wasted_calls" + of},
			{3, lane(func(l *alarm.Lane) { l.Answers, l.Throttled = 90, 0.15 }), ""},
			{4, lane(func(l *alarm.Lane) { l.Answers, l.Throttled = 90, 0.1 }), "-wasted_calls" + of},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := alarm.New(c.rules)
			var firing []store.Alert
			for _, key := range c.before {
				kind, _, _ := strings.Cut(key, "/")
				firing = append(firing, store.Alert{Kind: kind, Key: key})
			}
			for _, m := range c.moments {
				m.see.Now, m.see.Firing = m.at*second, slices.Clone(firing)
				var got []string
				for _, a := range w.Next(&m.see) {
					if a.At != m.see.Now || a.Message == "" {
						t.Errorf("after %d s: %+v", m.at, a)
					}
					if a.Ends {
						got = append(got, "-"+a.Key)
						firing = slices.DeleteFunc(firing, func(f store.Alert) bool { return f.Key == a.Key })
					} else {
						got = append(got, "+"+a.Key)
						firing = append(firing, a)
					}
				}
				if strings.Join(got, " ") != m.want {
					t.Errorf("after %d s: %v, want %s", m.at, got, m.want)
				}
			}
		})
	}
}

func TestAWaitThatIsTooLongIsTold(t *testing.T) {
	a := alarm.Capped("payments", unwind.ForwardLane, 24*unwind.Hour, 5*unwind.Minute)
	if want := "the forward lane of service payments was asked to wait for 24h0m0s (Retry-After); its hint_cap allows 5m0s, which it waits instead."; !strings.HasPrefix(a.Message, want) {
		t.Errorf("it says %q, want %q", a.Message, want)
	}
	if want := `{"asked":"24h0m0s","hint_cap":"5m0s","lane":"forward"}`; string(a.Data) != want {
		t.Errorf("its data is %s, want %s", a.Data, want)
	}
}

func TestWastedCallsAdviseByWhatWastedThem(t *testing.T) {
	for want, change := range map[string]func(*alarm.Lane){
		"lower its rate, or let it find":     func(l *alarm.Lane) { l.Answers, l.Throttled, l.Failed = 20, 0.5, 0.4 },
		"see whether the service is down be": func(l *alarm.Lane) { l.Answers, l.Throttled, l.Failed = 20, 0.1, 0.5 },
	} {
		see := lane(change)
		see.Now = second
		if got := alarm.New(unwind.AlertRules{}).Next(&see); len(got) != 1 || !strings.Contains(got[0].Message, want) {
			t.Errorf("want %q in %+v", want, got)
		}
	}
}

func TestALongGateSaysHowLongWhereItHasBeenLong(t *testing.T) {
	watch := alarm.New(unwind.AlertRules{})
	see := lane(func(l *alarm.Lane) { l.GateUntil, l.GateReason = 600*second, "429" })
	see.Now = second
	if got := watch.Next(&see); len(got) != 1 || !strings.HasSuffix(got[0].Message, "(429) for 9m59s more") {
		t.Errorf("at first it says %+v", got)
	}
	watch = alarm.New(unwind.AlertRules{Gate: unwind.Minute})
	for see.Now = second; see.Now < 61*second; see.Now += 4 * second {
		see.Lanes[0].GateUntil = see.Now + 10*second
		if got := watch.Next(&see); len(got) != 0 {
			t.Errorf("at %d it says %+v", see.Now, got)
		}
	}
	see.Now, see.Lanes[0].GateUntil = 62*second, 72*second
	if got := watch.Next(&see); len(got) != 1 || !strings.HasSuffix(got[0].Message, "(429) for 1m1s, and for 10s more") {
		t.Errorf("later it says %+v", got)
	}
}
