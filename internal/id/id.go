// Package id makes and reads saga ids: UUIDs of version 7 (RFC 9562) that carry
// a slot, so that sagas can be placed on several databases later, and a counter,
// so that a store can keep them in the order of their making under an integer.
//
//	48 bits  milliseconds since the Unix epoch, never falling
//	 4 bits  version 7
//	 2 bits  random, 10 bits slot
//	 2 bits  variant
//	22 bits  counter within the millisecond, from a random start (RFC 9562, 6.2, method 1)
//	40 bits  random
package id

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Slots is how many slots there are.
const Slots = 1024

// An ID names a saga. The zero value names none.
type ID [16]byte

// Last is past every id.
var Last = ID{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// String returns the canonical text.
func (i ID) String() string { return uuid.UUID(i).String() }

// Parse reads the canonical text of an id.
func Parse(s string) (ID, error) {
	u, err := uuid.Parse(s)
	if err != nil || len(s) != 36 || u.Version() != 7 {
		return ID{}, fmt.Errorf("%q is not a saga id; it is a UUID of version 7, as in 019307e2-5a00-7001-8000-000000000001", s)
	}
	return ID(u), nil
}

// Slot returns the slot, 0 to 1023.
func (i ID) Slot() int { return int(binary.BigEndian.Uint16(i[6:8]) & (Slots - 1)) }

// Sequence returns the id's place in the order of making: positive, and unique
// among the ids of one [Source].
func (i ID) Sequence() int64 {
	ms := int64(binary.BigEndian.Uint64(i[0:8]) >> 16)
	counter := int64(binary.BigEndian.Uint32(i[8:12])&0x3fff_ffff) >> 8
	if ms-epoch >= 1<<41 { // the year 2089; also Last
		return math.MaxInt64
	}
	return (ms-epoch)<<22 | counter
}

// OfSequence returns the first id of a sequence. Of an id that is lost but for its
// place it has the time and the counter, and the same Sequence.
func OfSequence(sequence int64) ID {
	var i ID
	binary.BigEndian.PutUint64(i[0:8], uint64(sequence>>22+epoch)<<16|0x7000)
	binary.BigEndian.PutUint64(i[8:16], 0x8000_0000_0000_0000|uint64(sequence&(1<<22-1))<<40)
	return i
}

// epoch is 2020-01-01 in milliseconds, so that a sequence fits 63 bits.
const epoch = 1_577_836_800_000

// A Source makes ids. It is safe for concurrent use.
type Source struct {
	now  func() time.Time
	rand func() uint64

	mu      sync.Mutex
	ms      int64
	counter uint32
}

// NewSource returns a source on the given clock and chance; nil means the
// system's.
func NewSource(now func() time.Time, random func() uint64) *Source {
	if now == nil {
		now = time.Now
	}
	if random == nil {
		random = rand.Uint64
	}
	return &Source{now: now, rand: random}
}

// New makes an id in the given slot.
func (s *Source) New(slot int) ID {
	s.mu.Lock()
	r := s.rand()
	if ms := s.now().UnixMilli(); ms > s.ms {
		s.ms, s.counter = ms, uint32(r>>44)&0xfffff // three quarters stay free for counting
	} else if s.counter++; s.counter >= 1<<22 {
		s.ms, s.counter = s.ms+1, 0
	}
	ms, counter := s.ms, s.counter
	s.mu.Unlock()
	var i ID
	binary.BigEndian.PutUint64(i[0:8], uint64(ms)<<16|0x7000|(r&0xc00)|uint64(slot)&(Slots-1))
	binary.BigEndian.PutUint64(i[8:16], 0x8000_0000_0000_0000|uint64(counter)<<40|(r>>4)&(1<<40-1))
	return i
}

// KeyHash is the hash of a start's identity: tenant, saga and key.
func KeyHash(tenant, saga, key string) uint64 {
	b := make([]byte, 0, 128)
	b = append(append(b, tenant...), 0)
	b = append(append(b, saga...), 0)
	b = append(b, key...)
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:8])
}

// SlotOf is the slot of a start: one identity, one slot.
func SlotOf(keyHash uint64) int { return int(keyHash % Slots) }
