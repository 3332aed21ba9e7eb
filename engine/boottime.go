package engine

import (
	"encoding/binary"
	"errors"

	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/store"
)

// A reading is what the clocks said when a state of flow control was written; it
// stands before the state in its row. The wall clock may be set between two processes;
// the one that counts from the boot can't be.
type reading struct {
	now  int64    // of the engine, µs
	boot [16]byte // id of the boot; zero: nobody knows
	up   int64    // since then, µs
}

const readingVersion = 1

var errReading = errors.New("it does not begin with a reading of the clocks")

func (e *Engine) reading() reading {
	boot, up := bootClock()
	return reading{int64(e.clock.now()), boot, up}
}

func (r *reading) append(b []byte) []byte {
	b = append(append(b, readingVersion), r.boot[:]...)
	return binary.AppendVarint(binary.AppendVarint(b, r.now), r.up)
}

// cutReading takes the reading from the front of a row.
func cutReading(b []byte) (r reading, rest []byte, err error) {
	if len(b) < 17 || b[0] != readingVersion {
		return r, b, errReading
	}
	copy(r.boot[:], b[1:])
	b = b[17:]
	for _, into := range []*int64{&r.now, &r.up} {
		v, n := binary.Varint(b)
		if n <= 0 {
			return r, b, errReading
		}
		*into, b = v, b[n:]
	}
	return r, b, nil
}

// stamp puts a reading before each state of flow control that a batch keeps, and now
// and then one alone into a batch.
func (e *Engine) stamp(b *store.Batch) {
	alone := int64(e.clock.now()) >= e.stamped+readEvery
	if len(b.Flow) == 0 && !alone {
		return
	}
	now := e.reading()
	if alone {
		e.stamped = now.now
		b.Flow = append(b.Flow, store.FlowState{Scope: node.ScopeClock})
	}
	for i := range b.Flow {
		body := now.append(make([]byte, 0, 40+len(b.Flow[i].Body)))
		b.Flow[i].Body = append(body, b.Flow[i].Body...)
	}
}

// kept reads what flow control kept over a restart.
func (e *Engine) kept(rows []store.FlowState) []node.Kept {
	now, kept := e.reading(), make([]node.Kept, 0, len(rows))
	for i := range rows {
		then, body, err := cutReading(rows[i].Body)
		kept = append(kept, node.Kept{FlowState: store.FlowState{Scope: rows[i].Scope, Body: body}, Err: err, Set: now.set(then)})
	}
	return kept
}

// set returns by how much the clock was set since then: times of then mean the same
// when they are moved by that.
func (r *reading) set(then reading) machine.Micros {
	passed := max(r.now-then.now, 0) // after another boot the wall clock is all there is
	if r.boot != ([16]byte{}) && r.boot == then.boot && r.up >= then.up {
		passed = r.up - then.up
	}
	return machine.Micros(r.now - then.now - passed)
}
