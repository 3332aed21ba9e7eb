package flow

import (
	"encoding/binary"
	"fmt"

	"github.com/unwindhq/unwind/internal/planted"
)

// A BreakerRecord is what of a breaker survives a restart. The zero value is a
// closed one.
type BreakerRecord struct {
	Open  bool
	Until int64 // ns; the next probe goes no sooner
	Opens int   // in a row
	Ramp  int   // tenths of Good that are let go; 0: no ramp
	Good  int64 // the last good rate, in millionths of a call per second
	Since int64 // ns; when it last opened or closed, 0: never
}

// breakerVersion begins the encoding: the flag of Open, then varints. Version 1 had no Since.
const breakerVersion = 2

// Append encodes the record.
func (r BreakerRecord) Append(b []byte) []byte {
	open := byte(0)
	if r.Open {
		open = 1
	}
	b = append(b, breakerVersion, open)
	for _, v := range [...]int64{r.Until, int64(r.Opens), int64(r.Ramp), r.Good, r.Since} {
		b = binary.AppendVarint(b, v)
	}
	return b
}

// ParseBreakerRecord decodes what Append wrote. The error says what is wrong
// with it.
func ParseBreakerRecord(b []byte) (r BreakerRecord, err error) {
	if len(b) < 2 || b[0] == 0 || b[0] > breakerVersion || b[1] > 1 {
		return r, fmt.Errorf("reading a breaker's record: %d bytes that do not begin with version %d or one before", len(b), breakerVersion)
	}
	fields, open, b := 3+int(b[0]), b[1] == 1, b[2:]
	var v [5]int64
	for i := range fields {
		value, n := binary.Varint(b)
		if n <= 0 {
			return r, fmt.Errorf("reading a breaker's record: it breaks off in field %d", i+1)
		}
		v[i], b = value, b[n:]
	}
	if len(b) > 0 {
		return r, fmt.Errorf("reading a breaker's record: %d bytes too many", len(b))
	}
	return BreakerRecord{open, v[0], int(v[1]), int(v[2]), v[3], v[4]}, nil
}

// encode returns what a restart needs of the target's breaker; nothing where
// that says nothing.
func (b *breaker) encode() []byte {
	r := BreakerRecord{b.open, b.until, b.opens, b.step, b.good, b.since}
	if b.config == (Breaker{}) || !b.open && b.opens == 0 && b.step == 0 && b.since == 0 {
		return nil
	}
	return r.Append(nil)
}

// restoreBreaker takes a breaker up after a restart, once its target is
// configured. A probe that was out is lost, and the next may go. A time further
// ahead than any wait is not believed: the clock has been set back. A record
// that can't be read counts as that of a breaker that has just opened.
func (t *target) restoreBreaker(record []byte, now int64) {
	b := &t.breaker
	if b.config == (Breaker{}) || len(record) == 0 || planted.On(planted.ForgetBreaker) {
		return
	}
	r, err := ParseBreakerRecord(record)
	if err != nil {
		r = BreakerRecord{Open: true, Until: now + b.config.Open, Opens: 1, Good: t.lastGood(now), Since: now}
	}
	b.open, b.until = r.Open, min(r.Until, now+max(b.config.Open, OpenCap, t.hintCap()))
	b.opens = max(0, min(r.Opens, breakerMemory))
	b.step, b.good = max(0, min(r.Ramp, rampSteps-1)), max(0, min(r.Good, fastest))
	if b.since = max(0, min(r.Since, now)); b.since == 0 && b.open {
		b.since = now
	}
	b.lasted = rampPart * rampEvery // of a ramp that goes on; not known
	if b.stepAt = now; b.open {
		b.step = 0
	}
	t.repace(now)
}
