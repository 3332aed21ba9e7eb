package node

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
)

// Settings are what operators have set at a scope above its configuration, as
// store.Control.Settings holds them: changes, the latest last. A later one stands
// above an earlier one, and where it ends what it stood above holds again.
type Settings struct {
	Changes []Setting `json:"changes,omitempty"`
	// BreakerSince is when Breaker became what it is.
	BreakerSince machine.Micros `json:"breaker_since,omitempty"`
}

// A Setting is one change that an operator made, as far as no later one lasts longer.
type Setting struct {
	Limits  unwind.LimitsChange `json:"limits,omitzero"`
	Breaker unwind.BreakerMode  `json:"breaker,omitempty"`
	Paused  bool                `json:"paused,omitempty"` // for a while: Until is not 0
	Until   machine.Micros      `json:"until,omitempty"`  // 0: for good
	Reason  string              `json:"reason,omitempty"`
	By      string              `json:"by,omitempty"`
	At      machine.Micros      `json:"at,omitempty"`
}

// MaxSettings bounds the changes that hold at one scope.
const MaxSettings = 16

// Encode returns the settings as the store keeps them; nothing where they say nothing.
func (s *Settings) Encode() []byte {
	if len(s.Changes) == 0 {
		return nil
	}
	b, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("node: encoding settings: %v", err)) // rates, numbers and texts always marshal
	}
	return b
}

// DecodeSettings reads what Encode wrote; the empty text is the zero Settings.
func DecodeSettings(b []byte) (Settings, error) {
	var s struct {
		Settings
		Setting // all in one, as stores hold it that were written before there were changes
	}
	if len(b) == 0 {
		return s.Settings, nil
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return Settings{}, fmt.Errorf("reading what operators have set at a scope: %w", err)
	}
	if s.At > 0 {
		s.Changes = append(s.Changes, s.Setting)
	}
	return s.Settings, nil
}

// Set puts a change above the others. Of those nothing is kept that could only end
// below it.
func (s *Settings) Set(c Setting) {
	before := s.Breaker()
	for i := range s.Changes {
		if e := &s.Changes[i]; c.Until == 0 || e.Until > 0 && e.Until <= c.Until {
			e.uncover(&c)
		}
	}
	s.Changes = append(s.Changes, c)
	s.tidy(before, c.At)
}

// ResetLimits takes all limits back.
func (s *Settings) ResetLimits() {
	for i := range s.Changes {
		s.Changes[i].Limits = unwind.LimitsChange{}
	}
	s.tidy(s.Breaker(), 0)
}

// Resume takes all pauses back; false: there was none.
func (s *Settings) Resume() (was bool) {
	for i := range s.Changes {
		was = was || s.Changes[i].Paused
		s.Changes[i].Paused = false
	}
	s.tidy(s.Breaker(), 0)
	return was
}

// End takes back and returns the changes whose time is over.
func (s *Settings) End(now machine.Micros) (ended []Setting) {
	before := s.Breaker()
	over := func(c Setting) bool { return c.Until > 0 && c.Until <= now }
	for _, c := range s.Changes {
		if over(c) {
			ended = append(ended, c)
		}
	}
	s.Changes = slices.DeleteFunc(slices.Clone(s.Changes), over)
	s.tidy(before, now)
	return ended
}

// Next is when the first of them ends; 0: none does.
func (s *Settings) Next() (at machine.Micros) {
	for _, c := range s.Changes {
		if c.Until > 0 && (at == 0 || c.Until < at) {
			at = c.Until
		}
	}
	return at
}

// Breaker is who decides whether the breaker is open.
func (s *Settings) Breaker() unwind.BreakerMode {
	for _, c := range slices.Backward(s.Changes) {
		if c.Breaker != "" {
			return c.Breaker
		}
	}
	return unwind.BreakerAuto
}

// Limits are all that are set, the latest of each.
func (s *Settings) Limits() (l unwind.LimitsChange) {
	for i := range s.Changes {
		replace(&l, &s.Changes[i].Limits, &s.Changes[i].Limits)
	}
	return l
}

// replace gives each limit that is set in where the value that it has in by.
func replace(into, where, by *unwind.LimitsChange) {
	set(&into.Rate, where.Rate, by.Rate)
	set(&into.Concurrency, where.Concurrency, by.Concurrency)
	set(&into.Burst, where.Burst, by.Burst)
	set(&into.Window, where.Window, by.Window)
	set(&into.Adaptive, where.Adaptive, by.Adaptive)
	set(&into.HintCap, where.HintCap, by.HintCap)
	set(&into.Weight, where.Weight, by.Weight)
}

func set[T any](into **T, where, by *T) {
	if where != nil {
		*into = by
	}
}

// tidy removes changes that say nothing, and notes when the breaker's mode became
// another than it was.
func (s *Settings) tidy(before unwind.BreakerMode, now machine.Micros) {
	held := false // by a change below
	for i := range s.Changes {
		c := &s.Changes[i]
		if c.Breaker == unwind.BreakerAuto && !held {
			c.Breaker = ""
		}
		held = held || c.Breaker != ""
	}
	s.Changes = slices.DeleteFunc(s.Changes, func(c Setting) bool { return !c.Paused && !c.Limited() })
	if s.Breaker() != before {
		s.BreakerSince = now
	}
}

// Limited reports whether it sets limits, or the breaker's mode.
func (s *Setting) Limited() bool { return s.Limits != (unwind.LimitsChange{}) || s.Breaker != "" }

// uncover takes back what a change sets that stands above this one.
func (s *Setting) uncover(above *Setting) {
	replace(&s.Limits, &above.Limits, &unwind.LimitsChange{})
	if above.Breaker != "" {
		s.Breaker = ""
	}
	s.Paused = s.Paused && !above.Paused
}

// over returns the configured limits with the settings above them.
func (s *Settings) over(l Limits) Limits {
	c := s.Limits()
	put(&l.Rate, c.Rate)
	put(&l.Concurrency, c.Concurrency)
	put(&l.Burst, c.Burst)
	put(&l.Window, c.Window)
	put(&l.Adaptive, c.Adaptive)
	put(&l.HintCap, c.HintCap)
	put(&l.Weight, c.Weight)
	return l
}

func put[T any](into, from *T) {
	if from != nil {
		*into = *from
	}
}
