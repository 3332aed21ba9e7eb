package id

import (
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// today is 2026-01-01, in milliseconds since the Unix epoch.
const today = 1_767_225_600_000

// A world is the clock and the chance of a source, both the test's to set.
type world struct {
	ms     int64
	random uint64
}

func (w *world) source() *Source {
	return NewSource(func() time.Time { return time.UnixMilli(w.ms) }, func() uint64 { return w.random })
}

// The clock may run, stand still and go backwards, and slots and chance are
// arbitrary: what was made later comes later.
func TestSequenceIsTheOrderOfMaking(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := &world{ms: today}
		s := w.source()
		last := int64(0)
		r.Repeat(map[string]func(*rapid.T){
			"clock":  func(r *rapid.T) { w.ms += rapid.Int64Range(-5, 5).Draw(r, "milliseconds") },
			"leap":   func(r *rapid.T) { w.ms += rapid.SampledFrom([]int64{-86_400_000, 86_400_000}).Draw(r, "milliseconds") },
			"chance": func(r *rapid.T) { w.random = rapid.Uint64().Draw(r, "chance") },
			"make": func(r *rapid.T) {
				slot := rapid.IntRange(0, Slots-1).Draw(r, "slot")
				i := s.New(slot)
				if i.Sequence() <= last {
					r.Fatalf("id %s has the sequence %d, and the one before it %d", i, i.Sequence(), last)
				}
				last = i.Sequence()
				if i.Slot() != slot {
					r.Fatalf("id %s was made in slot %d and says %d", i, slot, i.Slot())
				}
				if first := OfSequence(last); first.Sequence() != last || first.String()[:13] != i.String()[:13] {
					r.Fatalf("the first id of the sequence of %s is %s", i, first)
				}
				parsed, err := Parse(i.String())
				if err != nil || parsed != i {
					r.Fatalf("id %s reads back as %s (%v)", i, parsed, err)
				}
			},
		})
	})
}

func TestLayoutIsThatOfUUIDVersion7(t *testing.T) {
	w := &world{ms: today, random: 0xffff_ffff_ffff_ffff}
	for _, c := range []struct {
		what string
		slot int
		want string
	}{
		// 019b76da-a800 is 2026-01-01; 7 the version; the top bits of fff are
		// chance, the others the slot; the counter starts in its lowest quarter.
		{"the first of a millisecond", 1023, "019b76da-a800-7fff-8fff-ffffffffffff"},
		{"the second of it", 0, "019b76da-a800-7c00-9000-00ffffffffff"},
	} {
		s := w.source()
		if c.slot == 0 {
			s.New(1023)
		}
		if got := s.New(c.slot).String(); got != c.want {
			t.Errorf("%s is %s, want %s", c.what, got, c.want)
		}
	}
}

// More ids than a millisecond's counter holds move on to the next millisecond,
// and the clock that catches up does not go back.
func TestFullMillisecondFlowsIntoTheNext(t *testing.T) {
	w := &world{ms: today}
	s := w.source()
	first := s.New(0)
	last := first.Sequence()
	for range 1<<22 + 10 {
		i := s.New(0)
		if i.Sequence() != last+1 {
			t.Fatalf("after sequence %d came %d", last, i.Sequence())
		}
		last++
	}
	w.ms++
	if i := s.New(0); i.Sequence() != last+1 {
		t.Errorf("once the clock caught up came sequence %d after %d", i.Sequence(), last)
	}
	w.ms++
	if i := s.New(0); i.Sequence() <= last+1 {
		t.Errorf("in the next millisecond came sequence %d after %d", i.Sequence(), last+1)
	}
}

func TestIDsAreUniqueUnderConcurrency(t *testing.T) {
	const makers, each = 8, 5000
	s := NewSource(nil, nil)
	made := make([][]int64, makers)
	var wg sync.WaitGroup
	for m := range makers {
		wg.Go(func() {
			for range each {
				made[m] = append(made[m], s.New(m).Sequence())
			}
		})
	}
	wg.Wait()
	var all []int64
	for m, mine := range made {
		if !slices.IsSorted(mine) {
			t.Errorf("maker %d got ids that fall", m)
		}
		all = append(all, mine...)
	}
	slices.Sort(all)
	if n := len(slices.Compact(all)); n != makers*each {
		t.Errorf("%d ids have %d sequences", makers*each, n)
	}
}

// Two sources that stand in the same millisecond begin at places of chance.
func TestSourcesOfOneMillisecondDiffer(t *testing.T) {
	at := func() time.Time { return time.UnixMilli(today) }
	seen := map[int64]bool{}
	for range 100 {
		seen[NewSource(at, nil).New(0).Sequence()] = true
	}
	if len(seen) < 99 {
		t.Errorf("100 sources began at %d places", len(seen))
	}
}

func TestZeroIsBeforeAndLastPastEveryID(t *testing.T) {
	for _, ms := range []int64{epoch + 1, today, epoch + 1<<41 - 1} {
		w := &world{ms: ms, random: ^uint64(0)}
		i := w.source().New(Slots - 1)
		if zero, seq, last := (ID{}).Sequence(), i.Sequence(), Last.Sequence(); zero >= seq || seq <= 0 || seq >= last {
			t.Errorf("an id of %s has the sequence %d, the zero id %d and the last %d", time.UnixMilli(ms).UTC(), seq, zero, last)
		}
	}
}

func TestParseRefusesWhatIsNoSagaID(t *testing.T) {
	const good = "019b76da-a800-7fff-8fff-ffffffffffff"
	if _, err := Parse(good); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		"", "x", good[:35], good + "0", " " + good[1:], "{" + good + "}", "urn:uuid:" + good,
		"019b76daa8007fff8fffffffffffffff",
		"00000000-0000-0000-0000-000000000000",
		"ffffffff-ffff-ffff-ffff-ffffffffffff",
		"f47ac10b-58cc-4372-a567-0e02b2c3d479", // version 4
		"019b76da-a800-7fff-8fff-fffffffffffg",
		"019b76da_a800_7fff_8fff_ffffffffffff",
	} {
		if i, err := Parse(bad); err == nil {
			t.Errorf("%q was read as %s", bad, i)
		}
	}
}

func TestKeyHashDependsOnEveryPart(t *testing.T) {
	identities := [][3]string{
		{"", "place-order", "ORD-1"}, {"acme", "place-order", "ORD-1"}, {"", "refund", "ORD-1"}, {"", "place-order", "ORD-2"},
		{"acmeplace-order", "", "ORD-1"}, {"place-order", "", "ORD-1"}, {"", "", "place-orderORD-1"}, {"", "place-order", ""},
	}
	seen := map[uint64][3]string{}
	for _, i := range identities {
		h := KeyHash(i[0], i[1], i[2])
		if other, twice := seen[h]; twice {
			t.Errorf("%q and %q share the hash %x", i, other, h)
		}
		seen[h] = i
		if again := KeyHash(i[0], i[1], i[2]); again != h {
			t.Errorf("%q has the hashes %x and %x", i, h, again)
		}
		if slot := SlotOf(h); slot < 0 || slot >= Slots {
			t.Errorf("%q is placed in slot %d", i, slot)
		}
	}
	// Stored rows depend on it: the first 8 bytes of SHA-256 of the parts with NUL between them.
	if got, want := KeyHash("acme", "place-order", "ORD-1"), uint64(0x856587a9c15d9b56); got != want {
		t.Errorf("the hash is %x, want %x", got, want)
	}
}
