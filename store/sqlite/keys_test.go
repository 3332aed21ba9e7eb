package sqlite

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

// keyScene is a store with small buckets, whose keys are numbers.
type keyScene struct {
	*testing.T
	dir   string
	s     *Store
	epoch int64
	at    int64
	ids   *id.Source
	sagas map[int]id.ID
}

const keySceneBuckets = 16

func newKeyScene(t *testing.T) *keyScene {
	k := &keyScene{T: t, dir: t.TempDir(), ids: id.NewSource(nil, nil), sagas: map[int]id.ID{}}
	k.open()
	t.Cleanup(func() { closed(t, k.s) })
	return k
}

func (k *keyScene) open() {
	s, err := open(k.Context(), Config{Path: filepath.Join(k.dir, "unwind.db"), ReadConns: 1}, keySceneBuckets)
	if err != nil {
		k.Fatal(err)
	}
	if k.epoch, err = s.Join(k.Context(), "node-a"); err != nil {
		k.Fatal(err)
	}
	k.s = s
}

func (k *keyScene) reopen() {
	closed(k.T, k.s)
	k.open()
}

func startOf(saga id.ID, n int) store.Transition {
	key := fmt.Sprintf("key-%d", n)
	// Hashes of a few values only, so that many keys share one.
	return store.Transition{Saga: saga, Version: 1, Start: &store.Start{
		Name: "place-order", Key: key, KeyHash: id.KeyHash("", "place-order", key) & 0x8100_0000_0000_00ff,
	}}
}

func (k *keyScene) commit(ts ...store.Transition) []store.Result {
	k.Helper()
	k.at++
	for i := range ts {
		ts[i].At = k.at
	}
	results, err := k.s.Commit(k.Context(), &store.Batch{Epoch: k.epoch, Node: "node-a", At: k.at, Transitions: ts})
	if err != nil {
		k.Fatal(err)
	}
	return results
}

// start starts keys that are new.
func (k *keyScene) start(keys ...int) {
	k.Helper()
	var ts []store.Transition
	for _, n := range keys {
		k.sagas[n] = k.ids.New(0)
		ts = append(ts, startOf(k.sagas[n], n))
	}
	for i, r := range k.commit(ts...) {
		if r.Outcome != store.Committed {
			k.Fatalf("starting key %d: %v", keys[i], r)
		}
	}
}

// known checks that every key is met again, and no other is.
func (k *keyScene) known() {
	k.Helper()
	for n, saga := range k.sagas {
		if r := k.commit(startOf(k.ids.New(0), n))[0]; r != (store.Result{Outcome: store.Duplicate, Saga: saga}) {
			k.Fatalf("starting key %d again: %v; it began %s", n, r, saga)
		}
	}
	if _, err := k.s.FindKey(k.Context(), "", "place-order", "none"); !errors.Is(err, store.ErrNotFound) {
		k.Fatalf("finding a key that nobody used: %v", err)
	}
}

func (k *keyScene) end(keys ...int) {
	k.Helper()
	for _, n := range keys {
		k.commit(store.Transition{Saga: k.sagas[n], Version: 2, Phase: uint8(machine.Completed), SetDue: true, Due: store.AtRest})
	}
}

// purge deletes what has ended, and forgets it.
func (k *keyScene) purge(keys ...int) {
	k.Helper()
	k.deleted(len(keys), func() (int, error) { return k.s.Purge(k.Context(), k.epoch, k.at+1, k.at+1, 0) })
	for _, n := range keys {
		delete(k.sagas, n)
	}
}

// deleted calls until nothing is left, which must be so many.
func (k *keyScene) deleted(want int, purge func() (int, error)) {
	k.Helper()
	for total := 0; ; {
		n, err := purge()
		if err != nil {
			k.Fatal(err)
		}
		if total += n; n == 0 {
			if total != want {
				k.Fatalf("%d were deleted of %d", total, want)
			}
			return
		}
	}
}

func (k *keyScene) buckets() int64 {
	k.Helper()
	n, err := queryInt(k.s.writer.conn, "SELECT count(*) FROM key_bucket")
	if err != nil {
		k.Fatal(err)
	}
	return n
}

func numbers(from, to int) (n []int) {
	for i := from; i < to; i++ {
		n = append(n, i)
	}
	return n
}

func TestKeysOutliveTheirBuckets(t *testing.T) {
	k := newKeyScene(t)
	for i := 0; i < 300; {
		n := 1 + rand.IntN(12)
		k.start(numbers(i, i+n)...)
		i += n
	}
	if n := k.buckets(); n < 10 {
		t.Fatalf("there are %d buckets; the test wants many", n)
	}
	k.known()
	k.reopen()
	k.known()
	k.start(numbers(1000, 1100)...)
	k.known()
}

func TestSpentBucketsAreDropped(t *testing.T) {
	k := newKeyScene(t)
	k.start(numbers(0, 200)...)
	for i := 200; i < 400; i++ {
		k.start(i)
	}
	full := k.buckets()
	gone := append(numbers(0, 50), numbers(51, 380)...) // one old saga stays
	k.end(gone...)
	k.purge(gone...)
	for range 20 {
		k.purge()
	}
	if n := k.buckets(); n > 4 {
		t.Errorf("%d buckets are left of %d", n, full)
	}
	k.known()
	k.reopen()
	k.known()
	k.start(gone...) // they are free again
	k.known()
}

// Their sagas are deleted, and the keys are met again until they are freed.
func TestKeptKeysOutliveTheirBuckets(t *testing.T) {
	k := newKeyScene(t)
	for i := range 400 {
		k.start(i)
	}
	full, gone := k.buckets(), numbers(0, 380)
	k.end(gone...)
	keep := func() (int, error) { return k.s.Purge(k.Context(), k.epoch, k.at+1, 0, 0) }
	k.deleted(len(gone), keep)
	for range 20 { // buckets are looked at in turn
		k.deleted(0, keep)
	}
	if n := k.buckets(); n != full {
		t.Errorf("%d buckets of %d are left, and all keys are taken", n, full)
	}
	k.known()
	k.reopen()
	k.known()
	free := func() (int, error) { return k.s.PurgeKeys(k.Context(), k.epoch, k.at+1, 50) }
	k.deleted(len(gone), free)
	for range 20 {
		k.deleted(0, keep)
	}
	if n := k.buckets(); n > 4 {
		t.Errorf("%d buckets are left of %d", n, full)
	}
	for _, n := range gone {
		delete(k.sagas, n)
	}
	k.start(gone...)
	k.known()
}

// A transaction that fails leaves no key behind.
func TestKeysOfARefusedBatchAreFree(t *testing.T) {
	k := newKeyScene(t)
	k.start(numbers(0, 10)...)
	bad := store.Transition{Saga: k.ids.New(0), Version: 1, Phase: phases, Start: &store.Start{Name: "place-order"}}
	var ts []store.Transition
	for n := range 40 { // more than a bucket
		ts = append(ts, startOf(k.ids.New(0), 100+n))
	}
	if _, err := k.s.Commit(k.Context(), &store.Batch{Epoch: k.epoch, Transitions: append(ts, bad)}); err == nil {
		t.Fatal("a phase that does not exist was written")
	}
	k.start(numbers(100, 140)...)
	k.known()
	k.reopen()
	k.known()
}

func TestFilterForgetsNothing(t *testing.T) {
	var f filter
	hashes := map[int][]uint64{}
	for column := range 150 {
		f.grow(column+1, 64)
		for range 64 {
			h := rand.Uint64()
			f.add(h, column)
			hashes[column] = append(hashes[column], h)
		}
	}
	f.clear(70)
	wrong := 0
	for column, hs := range hashes {
		for _, h := range hs {
			found := false
			f.probe(h, func(c int) {
				if c == column {
					found = true
				} else {
					wrong++
				}
			})
			if found != (column != 70) {
				t.Fatalf("column %d: found is %v", column, found)
			}
		}
	}
	// 150 columns of 64 keys, asked for 9,600 hashes: one in 1,700 is expected.
	if rate := float64(wrong) / (150 * 9600); rate > 1./1000 {
		t.Errorf("the filter answers wrongly %f of the time", rate)
	}
}
