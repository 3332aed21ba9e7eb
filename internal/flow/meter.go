package flow

import "time"

const (
	meterSpan = 60
	second    = int64(time.Second)
)

// meter counts what a target's answers were, second by second, over the last
// minute. It is bounded, and a second that is over is forgotten when its place
// is needed.
type meter struct {
	seconds [meterSpan]tally
}

// tally is one second. Of what came before the clock's zero nothing is kept.
type tally struct {
	at                    int64 // the second's number
	ok, throttled, failed uint32
}

// now returns the tally of the current second.
func (m *meter) now(now int64) *tally {
	at := max(0, now) / second
	c := &m.seconds[at%meterSpan]
	if c.at != at {
		*c = tally{at: at}
	}
	return c
}

// best returns the most that the service took in one second of the last minute.
func (m *meter) best(now int64) (most int64) {
	for _, c := range m.seconds {
		if c.recent(now) {
			most = max(most, int64(c.ok))
		}
	}
	return most
}

// sum returns what the last minute came to.
func (m *meter) sum(now int64) (s tally) {
	for _, c := range m.seconds {
		if c.recent(now) {
			s.ok, s.throttled, s.failed = s.ok+c.ok, s.throttled+c.throttled, s.failed+c.failed
		}
	}
	return s
}

func (c *tally) recent(now int64) bool {
	at := max(0, now) / second
	return c.at <= at && c.at > at-meterSpan
}
