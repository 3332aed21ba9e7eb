package sqlite

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

// keysPerBucket is how many identities a bucket holds.
const keysPerBucket = 1 << 15

// keys finds the saga that an identity began. An index of a million hashes would
// make every start dirty a page of its own, somewhere; so the hashes are kept in
// the order of time, as a log-structured tree keeps them:
//
//   - The recent ones are in memory. The table key_log holds them too, one row
//     per commit, for the next start of the process.
//   - When there are enough, one commit writes them as a bucket, 256 sorted
//     blocks, and empties key_log. Buckets never change.
//   - A filter in memory says in which buckets a hash may be: mostly in none.
//
// What is found is a row that may be the one: it is compared with the saga's row, or
// with what is left of it (kept.go), so that equal hashes and freed keys do no harm.
type keys struct {
	perBucket int

	mu      sync.RWMutex
	recent  map[uint64]int64 // hash to rid
	twins   []keyEntry       // recent ones whose hash another recent one has
	buckets []int64          // by the filter's column; 0: none
	filter  filter

	// The writer's, until its transaction ends.
	batch   []batchKey
	hashes  map[uint64]struct{} // of batch
	written *bucket
	dropped int64 // a bucket that the transaction deletes
}

type keyEntry struct {
	hash uint64
	rid  int64
}

type batchKey struct {
	keyEntry
	start *store.Start
	saga  id.ID
}

// A bucket is what the transaction turns the recent entries into.
type bucket struct {
	id      int64
	entries []keyEntry
}

func newKeys(perBucket int) *keys {
	return &keys{perBucket: perBucket, recent: map[uint64]int64{}, hashes: map[uint64]struct{}{}}
}

// blockOf is the block in a bucket that a hash is in.
func blockOf(bucket int64, hash uint64) int64 { return bucket<<8 | int64(hash>>56) }

// candidates appends the rows that may be of the hash: of sagas in memory, and
// the blocks to look into.
func (k *keys) candidates(hash uint64, rids, blocks []int64) (_, _ []int64) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if rid, ok := k.recent[hash]; ok {
		rids = append(rids, rid)
		for _, e := range k.twins {
			if e.hash == hash {
				rids = append(rids, e.rid)
			}
		}
	}
	k.filter.probe(hash, func(column int) {
		if bucket := k.buckets[column]; bucket != 0 {
			blocks = append(blocks, blockOf(bucket, hash))
		}
	})
	return rids, blocks
}

// add remembers a start of the transaction.
func (k *keys) add(start *store.Start, saga id.ID, rid int64) {
	k.batch = append(k.batch, batchKey{keyEntry{start.KeyHash, rid}, start, saga})
	k.hashes[start.KeyHash] = struct{}{}
}

// keep makes what the transaction added visible.
func (k *keys) keep() {
	if len(k.batch) == 0 && k.dropped == 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drop(k.dropped)
	if b := k.written; b != nil {
		clear(k.recent)
		k.twins = nil
		k.addBucket(b)
	} else {
		for _, b := range k.batch {
			k.addRecent(b.keyEntry)
		}
	}
	k.forget()
}

func (k *keys) addRecent(e keyEntry) {
	if _, ok := k.recent[e.hash]; ok {
		k.twins = append(k.twins, e)
	} else {
		k.recent[e.hash] = e.rid
	}
}

func (k *keys) addBucket(b *bucket) {
	column := slices.Index(k.buckets, 0)
	if column < 0 {
		column = len(k.buckets)
		k.buckets = append(k.buckets, 0)
		k.filter.grow(len(k.buckets), k.perBucket)
	}
	k.buckets[column] = b.id
	for _, e := range b.entries {
		k.filter.add(e.hash, column)
	}
}

// forget drops what the transaction added.
func (k *keys) forget() {
	clear(k.batch) // they hold the caller's memory
	k.batch = k.batch[:0]
	clear(k.hashes)
	k.written, k.dropped = nil, 0
}

// load reads the identities anew.
func (k *keys) load(conn *sqlite.Conn) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.recent)
	k.twins, k.buckets, k.filter = nil, nil, filter{}
	var blob []byte
	err := each(conn, "SELECT body FROM key_log", func(s *sqlite.Stmt) error {
		blob = columnBytes(s, 0, blob)
		return eachKey(blob, func(e keyEntry) { k.addRecent(e) })
	})
	if err != nil {
		return fmt.Errorf("reading the newest keys: %w", err)
	}
	b := &bucket{}
	err = each(conn, "SELECT id, body FROM key_block ORDER BY id", func(s *sqlite.Stmt) error {
		if bucket := s.ColumnInt64(0) >> 8; bucket != b.id {
			if b.id != 0 {
				k.addBucket(b)
			}
			b.id, b.entries = bucket, b.entries[:0]
		}
		blob = columnBytes(s, 1, blob)
		return eachKey(blob, func(e keyEntry) { b.entries = append(b.entries, e) })
	})
	if err != nil {
		return fmt.Errorf("reading the keys: %w", err)
	}
	if b.id != 0 {
		k.addBucket(b)
	}
	return nil
}

// Entries are stored as 8 bytes of hash and 8 of rid, big-endian; in a block they
// are in order.
const keySize = 16

func appendKey(b []byte, e keyEntry) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, e.hash), uint64(e.rid))
}

func keyAt(b []byte, i int) keyEntry {
	b = b[i*keySize:]
	return keyEntry{binary.BigEndian.Uint64(b), int64(binary.BigEndian.Uint64(b[8:]))}
}

func eachKey(b []byte, fn func(keyEntry)) error {
	if len(b)%keySize != 0 {
		return store.ErrDamaged
	}
	for i := range len(b) / keySize {
		fn(keyAt(b, i))
	}
	return nil
}

// findInBlock appends the rows of a hash.
func findInBlock(b []byte, hash uint64, rids []int64) []int64 {
	n := len(b) / keySize
	low, high := 0, n
	for low < high {
		if mid := (low + high) / 2; keyAt(b, mid).hash < hash {
			low = mid + 1
		} else {
			high = mid
		}
	}
	for ; low < n && keyAt(b, low).hash == hash; low++ {
		rids = append(rids, keyAt(b, low).rid)
	}
	return rids
}
