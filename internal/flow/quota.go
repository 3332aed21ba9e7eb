package flow

import "github.com/unwindhq/unwind/internal/planted"

// Quota is what an answer says of its service's own limit (see ParseQuota). The
// zero value says nothing.
type Quota struct {
	Remaining int64 // calls until the reset
	Reset     int64 // ns from the answer to the reset; not above zero: nothing is said
	Limit     int64 // calls per Window; 0: not said
	Window    int64 // ns; 0: not said
}

// quota bounds a target by what its service said last, until the reset.
type quota struct {
	until    int64 // the reset
	interval int64 // ns from call to call
	sent     int64 // time of the last grant
	number   uint64
	used     bool // nothing remains
}

// said takes in what the answer to a grant says. Calls that are still in flight
// may not be counted in it. What remains is spread over the time to the reset;
// but a reset counts whole seconds, so the pace is never below that of the
// service's own policy.
func (q *quota) said(number uint64, s Quota, inFlight int, longestWait, now int64) {
	if s.Reset <= 0 || number < q.number || planted.On(planted.IgnoreQuota) {
		return
	}
	q.number, q.until, q.used = number, now+min(s.Reset, longestWait), s.Remaining <= 0
	if q.used {
		return
	}
	q.interval = s.Reset / max(1, s.Remaining-int64(inFlight))
	if s.Limit > 0 && s.Window > 0 {
		q.interval = min(q.interval, s.Window/s.Limit)
	}
}

// eligible returns the time from which the quota allows a call.
func (q *quota) eligible() int64 {
	if q.used {
		return q.until
	}
	return min(q.sent+q.interval, q.until)
}

// refill forgets that nothing remains.
func (q *quota) refill() {
	if q.used {
		q.used, q.until, q.interval = false, 0, 0
	}
}

// take charges one call.
func (q *quota) take(now int64) {
	if q.sent = now; now >= q.until {
		q.used, q.interval = false, 0
	}
}
