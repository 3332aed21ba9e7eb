package alarm

import (
	"strconv"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

// queue judges how long the oldest compensation of a service has waited.
func (l *look) queue(q *Queue) {
	age := l.Now - q.Oldest
	l.judge(q.Oldest > 0 && age > micros(l.rules.CompensationAge), true, &store.Alert{
		Kind: unwind.AlertCompensationAge, Key: Key(unwind.AlertCompensationAge, q.Service), Service: q.Service, Data: details("lane", unwind.CompensationLane),
		Message: "the oldest of " + strconv.Itoa(q.Waiting) + " compensations that wait for service " + q.Service + " is " + span(age).String() + " old; more than " + l.rules.CompensationAge.String() + " is too long",
	}, "the oldest compensation that waits for service "+q.Service+" is younger than "+l.rules.CompensationAge.String())
}

// onLane is the alert of a kind on a lane.
func onLane(kind, service, lane, message string) *store.Alert {
	return &store.Alert{Kind: kind, Key: Key(kind, service, lane), Service: service, Message: message, Data: details("lane", lane)}
}

func nameOf(service, lane string) string { return "the " + lane + " lane of service " + service }

// Breaker is the alert on a lane whose breaker is open.
func Breaker(service, lane string) *store.Alert {
	return onLane(unwind.AlertBreaker, service, lane, nameOf(service, lane)+" fails most of its calls; its breaker is open, and one call at a time probes whether it is there again")
}

// Fault is the alert on a lane that a fault of the service's set-up has closed.
func Fault(service, lane, why string) *store.Alert {
	return onLane(unwind.AlertServiceFault, service, lane, nameOf(service, lane)+" is closed by a fault of the service's set-up ("+why+"), and probed until that is mended: look at its URL, credentials and certificate")
}

// Guarded is the alert on a lane that has paused itself.
func Guarded(service, lane, why string) *store.Alert {
	return onLane(unwind.AlertLaneGuard, service, lane, nameOf(service, lane)+" has paused itself: "+why)
}

// Capped is the alert on a lane whose service has asked for a wait of more than the most
// that is granted.
func Capped(service, lane string, asked, most unwind.Duration) *store.Alert {
	a := onLane(unwind.AlertRetryAfter, service, lane, nameOf(service, lane)+" was asked to wait for "+span(micros(asked)).String()+
		" (Retry-After); its hint_cap allows "+most.String()+", which it waits instead. Is the header wrong? Then unwind service open-gate opens the lane")
	a.Data = details("lane", lane, "asked", span(micros(asked)).String(), "hint_cap", most.String())
	return a
}

func (l *look) lane(s *Lane) {
	name := nameOf(s.Service, s.Lane)
	l.judge(s.BreakerOpen && !s.Held, s.BreakerClosed, Breaker(s.Service, s.Lane), "the breaker of "+name+" is closed")
	l.judge(s.Fault != "", l.mended(s), Fault(s.Service, s.Lane, s.Fault), name+" is taken again as it is set up")
	l.judge(s.Guarded != "", true, Guarded(s.Service, s.Lane, s.Guarded), name+" goes on")
	l.gate(s, name)
	gated := s.GateUntil > l.Now
	if retryAfter := Key(unwind.AlertRetryAfter, s.Service, s.Lane); gated {
		l.keep(retryAfter)
	} else {
		l.end(retryAfter, name+" is open")
	}
	l.wasted(s, name)
}

// mended reports whether a fault of the set-up is over. A restart forgets the fault, not
// what caused it: then only an answer proves that the service takes calls again.
func (l *look) mended(s *Lane) bool {
	key := Key(unwind.AlertServiceFault, s.Service, s.Lane)
	if s.Fault != "" {
		l.fault[key] = true
		return false
	}
	seen := l.fault[key]
	delete(l.fault, key)
	return seen || s.Answers > 0 && s.Failed < 1
}

// openFor is how long a lane must be open before its gate counts as gone: a service
// that closes it again after one call keeps it closed.
const openFor = 5_000_000

// gate judges how long a service keeps a lane closed. A fault of the set-up has an
// alert of its own.
func (l *look) gate(s *Lane, name string) {
	key := Key(unwind.AlertGate, s.Service, s.Lane)
	m := l.lanes[key]
	if s.GateUntil > l.Now && s.Fault == "" {
		if m == nil {
			m = &memory{since: l.Now}
			l.lanes[key] = m
		}
		m.last = l.Now
	}
	if m != nil && l.Now-m.last >= openFor {
		delete(l.lanes, key)
		m = nil
	}
	bound := micros(l.rules.Gate)
	long := m != nil && (l.Now-m.since > bound || s.GateUntil-l.Now > bound)
	message := name + " is kept closed by the service (" + s.GateReason + ")"
	if m != nil {
		if gone := span(l.Now - m.since); gone > 0 {
			message += " for " + gone.String() + ", and"
		}
		message += " for " + span(max(s.GateUntil-l.Now, 0)).String() + " more"
	}
	l.judge(long, m == nil, onLane(unwind.AlertGate, s.Service, s.Lane, message), name+" is open")
}

// wasted judges the share of calls that were turned away or failed. It is over at
// half the bound, or when too few are made to judge.
func (l *look) wasted(s *Lane, name string) {
	share := s.Throttled + s.Failed
	enough := s.Answers >= l.rules.WastedMinimum
	percent := strconv.Itoa(int(share*100)) + "%"
	advice := "lower its rate, or let it find its rate (adaptive: true)"
	if s.Failed > s.Throttled {
		advice = "most of these failed: see whether the service is down before its rate is lowered"
	}
	a := onLane(unwind.AlertWasted, s.Service, s.Lane, percent+" of the "+strconv.Itoa(s.Answers)+" calls of "+name+" in the last minute were turned away or failed; "+advice)
	l.judge(enough && share > l.rules.Wasted, !enough && l.watched() || enough && 2*share <= l.rules.Wasted, a, name+" wastes "+percent+" of its calls")
}
