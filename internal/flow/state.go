package flow

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Reservation is what has to be durable of one scope. Its zero value, but for
// the scope, says nothing.
type Reservation struct {
	Scope Scope
	// Until is when the scope's pace may at the soonest allow a call after a
	// restart, ns; 0: the scope has no rate.
	Until int64
	// Window holds the entries that are taken in the scope's window, in the
	// order of their ends; nil: the scope has no window.
	Window []Held
	// Target is the state of a target; zero for other scopes.
	Target TargetState

	until, good int64 // what it allows once it is durable
	more        int
	wish        uint64 // and opens
}

// TargetState is what a target keeps over a restart beside its limits.
type TargetState struct {
	GateUntil  int64 // ns
	GateReason string
	// Breaker and Adaptive are states of these, each with a version of its own.
	Breaker, Adaptive []byte
}

// ErrReservation is the error of a reservation that can't be read.
var ErrReservation = errors.New("not a reservation")

// The encoding of a Reservation, without its scope, is a version byte followed by
// sections in any order, each a tag byte, a uvarint length and so many bytes. A
// section that is not there says nothing; one of an unknown tag is passed over.
//
//	1 pace      varint Until
//	2 window    uvarint count, then per entry: varint Until (less that of the entry before), uvarint N
//	3 gate      varint GateUntil, then the reason
//	4 breaker   bytes
//	5 adaptive  bytes
const (
	reservationVersion = 1

	tagPace     = 1
	tagWindow   = 2
	tagGate     = 3
	tagBreaker  = 4
	tagAdaptive = 5
)

// AppendReservation appends the encoding of r, without its scope.
func AppendReservation(dst []byte, r *Reservation) []byte {
	dst = append(dst, reservationVersion)
	if r.Until != 0 {
		dst = section(dst, tagPace, binary.AppendVarint(nil, r.Until))
	}
	if r.Window != nil {
		body := binary.AppendUvarint(nil, uint64(len(r.Window)))
		last := int64(0)
		for _, h := range r.Window {
			body = binary.AppendVarint(body, h.Until-last)
			body = binary.AppendUvarint(body, uint64(h.N))
			last = h.Until
		}
		dst = section(dst, tagWindow, body)
	}
	if t := &r.Target; t.GateUntil != 0 {
		dst = section(dst, tagGate, append(binary.AppendVarint(nil, t.GateUntil), t.GateReason...))
	}
	if len(r.Target.Breaker) > 0 {
		dst = section(dst, tagBreaker, r.Target.Breaker)
	}
	if len(r.Target.Adaptive) > 0 {
		dst = section(dst, tagAdaptive, r.Target.Adaptive)
	}
	return dst
}

func section(dst []byte, tag byte, body []byte) []byte {
	return append(binary.AppendUvarint(append(dst, tag), uint64(len(body))), body...)
}

// DecodeReservation reads what AppendReservation wrote for the scope. The error
// is ErrReservation, with what is wrong: a caller that goes on without the
// reservation must wait until the longest time it could hold has passed.
func DecodeReservation(scope Scope, data []byte) (Reservation, error) {
	r := Reservation{Scope: scope}
	if len(data) == 0 || data[0] != reservationVersion {
		return r, fmt.Errorf("%w of %s: it begins with % x, want version %d", ErrReservation, scope, data[:min(1, len(data))], reservationVersion)
	}
	for rest := data[1:]; len(rest) > 0; {
		tag := rest[0]
		size, n := binary.Uvarint(rest[1:])
		if n <= 0 || size > uint64(len(rest)-1-n) {
			return r, fmt.Errorf("%w of %s: section %d is cut off", ErrReservation, scope, tag)
		}
		body := rest[1+n : 1+n+int(size)]
		rest = rest[1+n+int(size):]
		if !r.decode(tag, body) {
			return r, fmt.Errorf("%w of %s: section %d is broken", ErrReservation, scope, tag)
		}
	}
	return r, nil
}

func (r *Reservation) decode(tag byte, body []byte) (ok bool) {
	var n int
	switch tag {
	case tagPace:
		r.Until, n = binary.Varint(body)
		return n == len(body) && n > 0
	case tagWindow:
		return r.decodeWindow(body)
	case tagGate:
		if r.Target.GateUntil, n = binary.Varint(body); n <= 0 {
			return false
		}
		r.Target.GateReason = string(body[n:])
	case tagBreaker:
		r.Target.Breaker = append([]byte(nil), body...)
	case tagAdaptive:
		r.Target.Adaptive = append([]byte(nil), body...)
	}
	return true
}

func (r *Reservation) decodeWindow(body []byte) (ok bool) {
	count, n := binary.Uvarint(body)
	if n <= 0 || count > uint64(len(body)) {
		return false
	}
	body = body[n:]
	r.Window = make([]Held, 0, count)
	last := int64(0)
	for range count {
		until, n := binary.Varint(body)
		if n <= 0 {
			return false
		}
		held, m := binary.Uvarint(body[n:])
		if m <= 0 || held > 1<<31 {
			return false
		}
		body = body[n+m:]
		last += until
		r.Window = append(r.Window, Held{last, int(held)})
	}
	return len(body) == 0
}

// state is what the target keeps over a restart.
func (t *target) state(now int64) (st TargetState) {
	until, reason := t.gate.until, t.gate.reason
	if w := t.gate.wish; w.number != 0 {
		until, reason = w.until, w.reason
	}
	if until > now {
		st.GateUntil, st.GateReason = until, reason
	}
	st.Breaker, st.Adaptive = t.breaker.encode(), t.adaptive.encode()
	return st
}

// restore takes up what an earlier process kept.
func (t *target) restore(st TargetState, now int64) {
	if st.GateUntil > now {
		t.close(min(st.GateUntil, now+t.hintCap()), st.GateReason)
	}
	t.adaptive.restore(st.Adaptive)
	t.restoreBreaker(st.Breaker, now)
	t.repace(now)
}
