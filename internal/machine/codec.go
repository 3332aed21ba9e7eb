package machine

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/unwindhq/unwind"
)

// codecVersion leads every encoded state, so that a newer form is refused by an
// older program rather than misread.
const codecVersion = 1

var errShort = errors.New("the row ends in the middle of a value")

// Flags of an encoded side and step.
const (
	flagOrdered = 1 << iota
	flagAsking
	flagUncertain
	flagReplayed
	flagDead = flagReplayed
)

// AppendState appends the binary form of s: a version byte, then unsigned
// varints. Times are written as distances from CreatedAt.
func AppendState(b []byte, s *State) []byte {
	b = append(b, codecVersion, byte(s.Phase), flags(s.DeadlinePassed, s.Cancelling, false, false))
	b = binary.AppendUvarint(b, s.Version)
	b = binary.AppendUvarint(b, uint64(s.CreatedAt))
	b = appendTime(b, s.CreatedAt, s.UpdatedAt)
	b = appendTime(b, s.CreatedAt, s.DeadlineAt)
	b = binary.AppendUvarint(b, uint64(len(s.Steps)))
	for i := range s.Steps {
		st := &s.Steps[i]
		b = append(b, byte(st.Status)<<4|byte(st.Comp), flags(false, false, false, st.Dead))
		b = appendTime(b, s.CreatedAt, st.StartedAt)
		b = appendTime(b, s.CreatedAt, st.EndedAt)
		b = appendSide(b, s.CreatedAt, &st.Action)
		b = appendSide(b, s.CreatedAt, &st.Undo)
	}
	return b
}

func flags(a, b, c, d bool) (f byte) {
	for i, on := range [...]bool{a, b, c, d} {
		if on {
			f |= 1 << i
		}
	}
	return f
}

// appendTime writes 0 for no time, else the zigzag distance from base, plus one.
func appendTime(b []byte, base, t Micros) []byte {
	if t == 0 {
		return append(b, 0)
	}
	d := int64(t - base)
	return binary.AppendUvarint(b, (uint64(d)<<1^uint64(d>>63))+1)
}

func appendSide(b []byte, base Micros, s *Side) []byte {
	if *s == (Side{}) {
		return append(b, 0xff)
	}
	b = append(b, flags(s.Ordered, s.Asking, s.Uncertain, s.Replayed))
	for _, n := range [...]uint32{s.Attempts, s.Throttled, s.Waits, s.Misses, s.Allowed, s.Generation} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	for _, t := range [...]Micros{s.NotBefore, s.Since, s.FirstSent, s.LastSent} {
		b = appendTime(b, base, t)
	}
	return b
}

// DecodeState reads what AppendState wrote. It never panics; garbage and rows of
// a newer version are errors.
func DecodeState(b []byte) (State, error) {
	r := reader{b: b}
	if v := r.byte(); r.err == nil && v != codecVersion {
		return State{}, fmt.Errorf("decoding a saga's state: it has version %d and this program knows %d; run the newer program that wrote it", v, codecVersion)
	}
	var s State
	s.Phase = Phase(r.byte())
	f := r.byte()
	s.DeadlinePassed, s.Cancelling = f&1 != 0, f&2 != 0
	s.Version = r.uvarint()
	s.CreatedAt = Micros(r.uvarint())
	s.UpdatedAt = r.time(s.CreatedAt)
	s.DeadlineAt = r.time(s.CreatedAt)
	n := r.uvarint()
	if n > unwind.MaxSteps || s.Phase > DeadLettered {
		return State{}, fmt.Errorf("decoding a saga's state: %d steps in phase %d cannot be; the row is damaged", n, s.Phase)
	}
	s.Steps = make([]Step, n)
	for i := range s.Steps {
		st := &s.Steps[i]
		c := r.byte()
		st.Status, st.Comp = StepStatus(c>>4), CompStatus(c&15)
		if st.Status > StepSkipped || st.Comp > CompResolved {
			return State{}, fmt.Errorf("decoding a saga's state: step %d has the unknown status %#x; the row is damaged", i, c)
		}
		st.Dead = r.byte()&flagDead != 0
		st.StartedAt, st.EndedAt = r.time(s.CreatedAt), r.time(s.CreatedAt)
		r.side(s.CreatedAt, &st.Action)
		r.side(s.CreatedAt, &st.Undo)
	}
	if r.err == nil && len(r.b) > 0 {
		r.err = fmt.Errorf("%d bytes follow its end", len(r.b))
	}
	if r.err != nil {
		return State{}, fmt.Errorf("decoding a saga's state: %w; the row is damaged", r.err)
	}
	return s, nil
}

// A reader takes values off the front of a row; the first error sticks.
type reader struct {
	b   []byte
	err error
}

func (r *reader) byte() byte {
	if r.err != nil || len(r.b) == 0 {
		r.fail(errShort)
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if r.err != nil || n <= 0 {
		r.fail(errShort)
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *reader) time(base Micros) Micros {
	v := r.uvarint()
	if v == 0 {
		return 0
	}
	v--
	return base + Micros(int64(v>>1)^-int64(v&1))
}

func (r *reader) side(base Micros, s *Side) {
	f := r.byte()
	if f == 0xff {
		return
	}
	s.Ordered, s.Asking, s.Uncertain, s.Replayed = f&flagOrdered != 0, f&flagAsking != 0, f&flagUncertain != 0, f&flagReplayed != 0
	for _, n := range [...]*uint32{&s.Attempts, &s.Throttled, &s.Waits, &s.Misses, &s.Allowed, &s.Generation} {
		*n = uint32(r.uvarint())
	}
	for _, t := range [...]*Micros{&s.NotBefore, &s.Since, &s.FirstSent, &s.LastSent} {
		*t = r.time(base)
	}
}
