package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

// facts are what a verdict rests on.
type facts struct {
	dead  *store.DeadLetter
	group store.DeadLetterGroup // of its cause; the zero value: not counted
	lane  *unwind.LaneState     // that a replay goes through; nil: a Go function
	now   int64
}

// verdict counts out what speaks for a replay and what against it.
func (e *Engine) verdict(ctx context.Context, d *store.DeadLetter) (*unwind.Verdict, error) {
	f := facts{dead: d, now: int64(e.clock.now())}
	rows, err := e.groups.recent(ctx)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if rows[i].Group == d.Group {
			f.group = rows[i]
		}
	}
	services, err := e.Participants(ctx)
	if err != nil {
		return nil, err
	}
	f.lane = laneOf(services, d.Service, d.Direction)
	v := f.verdict()
	return &v, nil
}

// verdict puts the facts into words. What holds the lane weighs more than what
// became of similar ones, and that more than what the last answer meant.
func (f *facts) verdict() unwind.Verdict {
	d := f.dead
	if d.State != unwind.DeadLetterOpen {
		return unwind.Verdict{Advice: unwind.AdviceNone, Text: f.settled(), Evidence: []string{f.history(), f.last()}}
	}
	v := unwind.Verdict{Evidence: []string{f.history(), f.last()}}
	add := func(text string) {
		if text != "" {
			v.Evidence = append(v.Evidence, text)
		}
	}
	held := f.held()
	add(held)
	if held == "" && f.lane != nil {
		add("Nothing holds the lane of " + d.Service + "; its breaker is " + f.lane.Breaker.State + ".")
	}
	similar := f.similar()
	add(similar)
	var end string
	switch succeeded, failed := f.group.Replayed, f.group.FailedAgain; {
	case d.Error.Class == unwind.ClassKeyExpired:
		v.Advice, end = unwind.AdviceLook, "Its key may be forgotten by now: find out what took effect, then replay it under a new key with evidence, or resolve it."
	case held != "":
		v.Advice, end = unwind.AdviceWait, "A replay would wait in the lane; see why it is held first."
	case succeeded > 0 && failed == 0:
		v.Advice, end = unwind.AdviceReplay, "Likely safe to replay."
	case succeeded > failed:
		v.Advice, end = unwind.AdviceReplay, "Most replays go through; replay a few first."
	case failed > 0:
		v.Advice, end = unwind.AdviceLook, "A replay would likely fail again; find the cause first."
	case d.Error.Class == unwind.ClassRefused || d.Error.Class == unwind.ClassInvalid:
		v.Advice, end = unwind.AdviceLook, "The service refused it outright: find the cause first, or resolve it."
	default:
		v.Advice, end = unwind.AdviceReplay, "No similar one was replayed yet; replay one first."
	}
	v.Text = strings.Join(append(append([]string{}, v.Evidence...), end), " ")
	return v
}

func (f *facts) history() string {
	d := f.dead
	text := "Failed " + times(int64(d.Attempts)) + " in " + span(d.DeadAt-d.FirstAt)
	if d.Throttled > 0 {
		text += ", throttled " + times(int64(d.Throttled))
	}
	return text + "."
}

func (f *facts) last() string {
	d := f.dead
	what := string(d.Error.Class)
	if d.Error.Status != 0 {
		what = fmt.Sprint(d.Error.Status)
	}
	from := ""
	if d.Service != "" {
		from = " from " + d.Service
	}
	text := "Last: " + what + from
	if d.Error.Message != "" {
		text += ": " + strings.TrimSuffix(d.Error.Message, ".")
	}
	return text + "."
}

// held says what keeps the lane from sending, or nothing.
func (f *facts) held() string {
	name := f.dead.Service
	switch l := f.lane; {
	case l == nil:
	case l.Paused != nil:
		return fmt.Sprintf("The lane of %s was paused by %s %s ago (%s).", name, l.Paused.By, span(f.now-l.Paused.At.UnixMicro()), l.Paused.Reason)
	case l.Breaker.State == "open":
		return "The breaker of " + name + " is open."
	case l.Gate != nil:
		return fmt.Sprintf("The lane of %s is closed for another %s (%s).", name, span(l.Gate.Until.UnixMicro()-f.now), l.Gate.Reason)
	}
	return ""
}

// similar says what became of replays of the same cause, or nothing.
func (f *facts) similar() string {
	if tried := f.group.Replayed + f.group.FailedAgain; tried > 0 {
		return fmt.Sprintf("%d of %d similar replays succeeded.", f.group.Replayed, tried)
	}
	return ""
}

// settled says who did what when.
func (f *facts) settled() string {
	d, by := f.dead, ""
	if d.By != "" {
		by = " by " + d.By
	}
	text := map[unwind.DeadLetterState]string{
		unwind.DeadLetterReplaying: "It is being replayed", unwind.DeadLetterReplayed: "It was replayed", unwind.DeadLetterResolved: "It was resolved",
	}[d.State] + by + ", " + span(f.now-d.UpdatedAt) + " ago"
	if d.Reason != "" {
		text += " (" + d.Reason + ")"
	}
	return text + "."
}

func times(n int64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// span is a time in one unit, as people say it.
func span(micros int64) string {
	d := time.Duration(max(micros, 0)) * time.Microsecond
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Round(time.Second).Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
