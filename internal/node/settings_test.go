package node

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

// A wish is what one operator set, and until when: the model of Settings is all that was
// ever set, looked through from the last to the first.
type wish struct {
	n     int
	mode  unwind.BreakerMode
	pause string // by whom
	until machine.Micros
}

// What an operator has set holds until its own time is over, or something else is set
// above it; what ends gives back what held before.
func TestASettingEndsByItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s Settings
		var all []wish
		now := machine.Micros(1)
		for range rapid.IntRange(1, 30).Draw(t, "changes") {
			now += machine.Micros(rapid.IntRange(0, 5).Draw(t, "later"))
			if rapid.Bool().Draw(t, "look for ends") {
				s.End(now)
			}
			h := wish{}
			if rapid.Bool().Draw(t, "ends") {
				h.until = now + machine.Micros(rapid.IntRange(1, 20).Draw(t, "for"))
			}
			c := Setting{Until: h.until, At: now}
			switch what := rapid.IntRange(0, 3).Draw(t, "what"); {
			case what == 3 && h.until > 0:
				h.pause = rapid.SampledFrom([]string{"ada", "bob"}).Draw(t, "by")
				c.Paused, c.By = true, h.pause
			case what != 1:
				h.n = rapid.IntRange(1, 1000).Draw(t, "concurrency")
				c.Limits.Concurrency = &h.n
			default:
				h.mode = rapid.SampledFrom([]unwind.BreakerMode{unwind.BreakerOpen, unwind.BreakerClosed, unwind.BreakerAuto}).Draw(t, "mode")
				c.Breaker = h.mode
			}
			s.Set(c)
			all = append(all, h)
			s.mustStand(t, all, now)
			kept, err := DecodeSettings(s.Encode())
			if err != nil || len(kept.Changes) != len(s.Changes) || len(s.Changes) > 0 && !reflect.DeepEqual(kept, s) {
				t.Fatalf("kept as %+v, %v, and was %+v", kept, err, s)
			}
		}
		for ; s.Next() > 0; s.mustStand(t, all, now) {
			if now = s.Next(); len(s.End(now)) == 0 {
				t.Fatalf("nothing ends at %d: %+v", now, s)
			}
		}
	})
}

func (s *Settings) mustStand(t *rapid.T, all []wish, now machine.Micros) {
	t.Helper()
	is := Settings{Changes: s.Changes}
	is.End(now)
	want := wish{mode: unwind.BreakerAuto}
	for _, h := range all {
		if h.until > 0 && h.until <= now {
			continue
		}
		if h.n > 0 {
			want.n = h.n
		}
		if h.mode != "" {
			want.mode = h.mode
		}
		if h.pause != "" {
			want.pause = h.pause
		}
	}
	pause := ""
	if p := pauseOf(&store.Control{}, &is); p != nil {
		pause = p.By
	}
	if pause != want.pause {
		t.Fatalf("at %d it is paused by %q, want %q: %+v", now, pause, want.pause, *s)
	}
	n := 0
	if c := is.Limits().Concurrency; c != nil {
		n = *c
	}
	if n != want.n || is.Breaker() != want.mode {
		t.Fatalf("at %d the concurrency is %d and the breaker %s, want %d and %s; set: %+v", now, n, is.Breaker(), want.n, want.mode, all)
	}
}

// Stores that were written before settings ended by themselves hold one for all.
func TestSettingsOfOldAreRead(t *testing.T) {
	s, err := DecodeSettings([]byte(`{"limits":{"concurrency":3},"breaker":"open","breaker_since":5,"until":9,"reason":"slowly","by":"ann","at":5}`))
	three := 3
	want := Settings{BreakerSince: 5, Changes: []Setting{{Limits: unwind.LimitsChange{Concurrency: &three}, Breaker: unwind.BreakerOpen, Until: 9, Reason: "slowly", By: "ann", At: 5}}}
	if err != nil || !reflect.DeepEqual(s, want) {
		t.Errorf("read as %+v, %v", s, err)
	}
}
