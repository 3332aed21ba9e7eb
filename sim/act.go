package sim

import (
	"fmt"

	"github.com/unwindhq/unwind"
)

// An act is what an operator does to flow control while all else goes wrong.
type act struct {
	Fault Fault
	At    int64
	Span  int64 // of a pause
	// Saga of the schedule whose type, tenant or call it is.
	Saga   int
	Scope  unwind.ScopeKind
	Lane   int // the service
	Limits unwind.LimitsChange
	Reset  bool
	Mode   unwind.BreakerMode
	For    unwind.Duration // 0: for good
}

// String says what the act is.
func (a *act) String() string {
	text := fmt.Sprintf("at %dms: %s", a.At/millis, a.Fault)
	if a.Fault == SendNow {
		return text + fmt.Sprintf(" of saga %d", a.Saga)
	}
	if a.Fault == OpenGate {
		return text + fmt.Sprintf(" of service %d", a.Lane)
	}
	text += fmt.Sprintf(" (%s, service %d, saga %d) for %dms", a.Scope, a.Lane, a.Saga, max(a.Span/millis, int64(a.For/unwind.Millisecond)))
	if a.Fault == HoldBreaker {
		return text + " " + string(a.Mode)
	}
	l := a.Limits
	if l.Rate != nil {
		text += " rate " + l.Rate.String()
	}
	if l.Burst != nil {
		text += fmt.Sprintf(" burst %d", *l.Burst)
	}
	if l.Concurrency != nil {
		text += fmt.Sprintf(" concurrency %d", *l.Concurrency)
	}
	if l.Window != nil {
		text += " window " + l.Window.String()
	}
	return text
}

// acts draws what operators do.
func (s *Schedule) acts() {
	c := dice(s.Seed, 8)
	for f := PauseScope; f <= SendNow; f++ {
		if !c.percent(20) {
			continue
		}
		s.Swarm = s.Swarm.With(f)
		most := 3
		if f == SendNow || f == OpenGate {
			most = 8
		}
		for range 1 + c.intn(most) {
			a := s.act(&c, f)
			s.Acts = append(s.Acts, a)
			if f < OpenGate && c.percent(50) { // somebody else is about there at the same time
				b := s.act(&c, []Fault{PauseScope, ChangeLimits}[c.intn(2)])
				b.At, b.Saga, b.Lane, b.Scope = a.At+c.span(0, 1500), a.Saga, a.Lane, a.Scope
				s.Acts = append(s.Acts, b)
			}
		}
	}
}

func (s *Schedule) act(c *chance, f Fault) act {
	kinds := []unwind.ScopeKind{unwind.ScopeGlobal, unwind.ScopeForward, unwind.ScopeCompensation, unwind.ScopeCompensation, unwind.ScopeSagaType, unwind.ScopeTenant}
	a := act{Fault: f, At: c.span(0, s.Calm), Saga: c.intn(len(s.Sagas)), Lane: c.intn(services - 1), Scope: kinds[c.intn(len(kinds))]}
	switch f {
	case PauseScope:
		a.Span = c.span(30, 2500) * millis
	case HoldBreaker:
		a.Scope = kinds[1+c.intn(2)]
		a.Mode = []unwind.BreakerMode{unwind.BreakerOpen, unwind.BreakerOpen, unwind.BreakerClosed, unwind.BreakerAuto}[c.intn(4)]
		a.For = s.while(c)
	case ChangeLimits:
		a.For = s.while(c)
		a.Reset = c.percent(15)
		a.limits(c)
	}
	return a
}

// tenantOf is whose saga it is.
func (s *Schedule) tenantOf(label int) string {
	if len(s.Acts) == 0 {
		return tenants[0]
	}
	c := dice(s.Seed, 9, uint64(label))
	return tenants[c.intn(2)*c.intn(len(tenants))]
}

// while is how long a change holds.
func (s *Schedule) while(c *chance) unwind.Duration {
	if c.percent(35) {
		return 0
	}
	return unwind.Duration(c.span(50, 3000)) * unwind.Millisecond
}

func (a *act) limits(c *chance) {
	l := &a.Limits
	for l.Rate == nil && l.Concurrency == nil && l.Window == nil {
		if c.percent(60) {
			r := unwind.PerSecond(c.span(2, 80))
			l.Rate = &r
		}
		if c.percent(30) {
			b := int(c.span(1, 5))
			l.Burst = &b
		}
		if c.percent(35) {
			n := int(c.span(1, 6))
			l.Concurrency = &n
		}
		if c.percent(35) {
			w := unwind.Rate{Calls: c.span(1, 10), Per: unwind.Duration(c.span(100, 900)) * unwind.Millisecond}
			l.Window = &w
		}
	}
	if a.Scope == unwind.ScopeForward || a.Scope == unwind.ScopeCompensation {
		if c.percent(10) {
			on := c.percent(70)
			l.Adaptive = &on
		}
	}
}
