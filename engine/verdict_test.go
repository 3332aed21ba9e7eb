package engine

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

// The sentences are those that the operators' pages promise; each fact changes one.
func TestAVerdictSaysAllThatItRestsOn(t *testing.T) {
	const sec, now = int64(1_000_000), int64(1_790_000_000_000_000)
	since := unwind.TimeFromMicros(now - 6*60*sec)
	throttled := unwind.Entry{Kind: unwind.EntryCompensationThrottled, Data: json.RawMessage(`{"class":"throttled","status":429,"retry_after_ms":30000}`)}
	for _, c := range []struct {
		name   string
		change func(*facts)
		advice unwind.Advice
		want   string
	}{
		{"all is well", func(*facts) {}, unwind.AdviceReplay,
			"Failed 8 times in 41 min. Last: 429 from payments, Retry-After 30 s. Breaker closed 6 min ago; 214 of 214 similar replays succeeded. Likely safe to replay."},
		{"no wait was named", func(f *facts) { f.asked = 0 }, unwind.AdviceReplay,
			"Failed 8 times in 41 min. Last: 429 from payments. Breaker closed 6 min ago; 214 of 214 similar replays succeeded. Likely safe to replay."},
		{"the breaker never opened", func(f *facts) { f.lane.Breaker.Since = nil }, unwind.AdviceReplay,
			"Failed 8 times in 41 min. Last: 429 from payments, Retry-After 30 s. Breaker closed, no opening on record; 214 of 214 similar replays succeeded. Likely safe to replay."},
		{"the breaker is open", func(f *facts) { f.lane.Breaker.State = "open" }, unwind.AdviceWait,
			"Failed 8 times in 41 min. Last: 429 from payments, Retry-After 30 s. Breaker open for 6 min. 214 of 214 similar replays succeeded. A replay would wait in the lane; see why it is held first."},
		{"some failed again", func(f *facts) { f.group.FailedAgain = 300 }, unwind.AdviceLook,
			"Failed 8 times in 41 min. Last: 429 from payments, Retry-After 30 s. Breaker closed 6 min ago; 214 of 514 similar replays succeeded. A replay would likely fail again; find the cause first."},
		{"it was given up", func(f *facts) {
			f.group = store.DeadLetterGroup{}
			f.dead.Error = unwind.CallError{Class: unwind.ClassThrottled, Message: "given up: too late"}
		}, unwind.AdviceReplay,
			"Failed 8 times in 41 min. Last: 429 from payments, Retry-After 30 s; then given up: too late. Breaker closed 6 min ago. No similar one was replayed yet; replay one first."},
		{"only the call said why", func(f *facts) { f.last.Message = "too fast." }, unwind.AdviceReplay,
			"Failed 8 times in 41 min. Last: 429 from payments, Retry-After 30 s: too fast. Breaker closed 6 min ago; 214 of 214 similar replays succeeded. Likely safe to replay."},
		{"it calls a Go function", func(f *facts) { f.lane, f.dead.Service = nil, "" }, unwind.AdviceReplay,
			"Failed 8 times in 41 min. Last: 429, Retry-After 30 s. 214 of 214 similar replays succeeded. Likely safe to replay."},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := facts{
				dead: &store.DeadLetter{Service: "payments", Attempts: 8, FirstAt: now - 50*60*sec, DeadAt: now - 9*60*sec,
					Error: unwind.CallError{Status: 429, Class: unwind.ClassThrottled}, State: unwind.DeadLetterOpen},
				group: store.DeadLetterGroup{Replayed: 214}, lane: &unwind.LaneState{Breaker: unwind.LaneBreaker{State: "closed", Since: &since}}, now: now,
			}
			f.lastAnswer([]unwind.Entry{{Kind: unwind.EntryCompensationFailed, Data: json.RawMessage(`{"status":500}`)}, throttled, {Kind: unwind.EntryDeadLettered}})
			c.change(&f)
			v := f.verdict()
			if v.Text != c.want || v.Advice != c.advice {
				t.Errorf("the advice is %s, the text\n%s, not\n%s", v.Advice, v.Text, c.want)
			}
			if v.Facts.Attempts != 8 || v.Facts.SpanMS != 41*60*1000 || v.Facts.Last.Status != 429 || v.Facts.RetryAfterMS != f.asked ||
				v.Facts.Replayed != f.group.Replayed || (v.Facts.Breaker != nil) != (f.lane != nil) || slices.Contains(v.Evidence, "") {
				t.Errorf("the facts are %+v, the evidence %q", v.Facts, v.Evidence)
			}
		})
	}
}
