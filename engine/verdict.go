package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

// facts are what a verdict rests on.
type facts struct {
	dead  *store.DeadLetter
	last  unwind.CallError      // the last answer to a call
	asked int64                 // its Retry-After, ms
	group store.DeadLetterGroup // of its cause; the zero value: not counted
	lane  *unwind.LaneState     // that a replay goes through; nil: a Go function
	now   int64
}

// verdict counts out what speaks for a replay and what against it. history is the
// journal of the dead letter's step and direction.
func (e *Engine) verdict(ctx context.Context, d *store.DeadLetter, history []unwind.Entry) (*unwind.Verdict, error) {
	f := facts{dead: d, now: int64(e.clock.now())}
	f.lastAnswer(history)
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

// lastAnswer finds what the last call was answered. A dead letter may have another
// error: it was given up while it waited.
func (f *facts) lastAnswer(history []unwind.Entry) {
	f.last = f.dead.Error
	for i := len(history) - 1; i >= 0; i-- {
		switch history[i].Kind {
		case unwind.EntryActionFailed, unwind.EntryActionThrottled, unwind.EntryActionAwaiting,
			unwind.EntryCompensationFailed, unwind.EntryCompensationThrottled, unwind.EntryCompensationAwaiting:
			var said struct {
				unwind.CallError
				RetryAfter int64 `json:"retry_after_ms"`
			}
			if json.Unmarshal(history[i].Data, &said) == nil {
				f.last, f.asked = said.CallError, said.RetryAfter
			}
			return
		}
	}
}

// figures are the facts without words.
func (f *facts) figures() unwind.Facts {
	d := f.dead
	figures := unwind.Facts{
		Attempts: d.Attempts, Throttled: d.Throttled, SpanMS: max(d.DeadAt-d.FirstAt, 0) / 1000, Last: f.last, RetryAfterMS: f.asked,
		Replayed: f.group.Replayed, FailedAgain: f.group.FailedAgain,
	}
	if f.lane != nil {
		figures.Breaker = &f.lane.Breaker
	}
	return figures
}

// verdict puts the facts into words. What holds the lane weighs more than what
// became of similar ones, and that more than what the last answer meant.
func (f *facts) verdict() unwind.Verdict {
	d := f.dead
	v := unwind.Verdict{Evidence: []string{f.history() + ".", f.lastWords() + "."}, Facts: f.figures()}
	if d.State != unwind.DeadLetterOpen {
		v.Advice, v.Text = unwind.AdviceNone, f.settled()
		return v
	}
	held := f.held()
	switch similar := f.similar(); {
	case held != "":
		v.Evidence = append(v.Evidence, held+".")
		if similar != "" {
			v.Evidence = append(v.Evidence, similar+".")
		}
	case f.lane != nil && similar != "":
		v.Evidence = append(v.Evidence, f.breaker()+"; "+similar+".")
	case f.lane != nil:
		v.Evidence = append(v.Evidence, f.breaker()+".")
	case similar != "":
		v.Evidence = append(v.Evidence, similar+".")
	}
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
	v.Text = strings.Join(append(slices.Clone(v.Evidence), end), " ")
	return v
}

func (f *facts) history() string {
	d := f.dead
	text := "Failed " + times(int64(d.Attempts)) + " in " + span(d.DeadAt-d.FirstAt)
	if d.Throttled > 0 {
		text += ", throttled " + times(int64(d.Throttled))
	}
	return text
}

func (f *facts) lastWords() string {
	what := string(f.last.Class)
	if f.last.Status != 0 {
		what = fmt.Sprint(f.last.Status)
	}
	text := "Last: " + what
	if f.dead.Service != "" {
		text += " from " + f.dead.Service
	}
	if f.asked > 0 {
		text += ", Retry-After " + span(f.asked*1000)
	}
	if f.last.Message != "" {
		text += ": " + strings.TrimSuffix(f.last.Message, ".")
	}
	if why := f.dead.Error.Message; why != "" && why != f.last.Message {
		text += "; then " + strings.TrimSuffix(why, ".")
	}
	return text
}

// breaker says since when the breaker stands as it does.
func (f *facts) breaker() string {
	b := &f.lane.Breaker
	text := "Breaker " + strings.ReplaceAll(b.State, "_", "-")
	switch {
	case b.Since == nil:
		return text + ", no opening on record"
	case b.State == "closed":
		return text + " " + span(f.now-b.Since.UnixMicro()) + " ago"
	}
	return text + " for " + span(f.now-b.Since.UnixMicro())
}

// held says what keeps the lane from sending, or nothing.
func (f *facts) held() string {
	name := f.dead.Service
	switch l := f.lane; {
	case l == nil:
	case l.Paused != nil:
		return fmt.Sprintf("The lane of %s was paused by %s %s ago (%s)", name, l.Paused.By, span(f.now-l.Paused.At.UnixMicro()), l.Paused.Reason)
	case l.Breaker.State == "open":
		return f.breaker()
	case l.Gate != nil:
		return fmt.Sprintf("The lane of %s is closed for another %s (%s)", name, span(l.Gate.Until.UnixMicro()-f.now), l.Gate.Reason)
	}
	return ""
}

// similar says what became of replays of the same cause, or nothing.
func (f *facts) similar() string {
	if tried := f.group.Replayed + f.group.FailedAgain; tried > 0 {
		return fmt.Sprintf("%d of %d similar replays succeeded", f.group.Replayed, tried)
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
