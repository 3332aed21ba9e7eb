package sqlite

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

// sameKey answers a start whose identity began a saga before.
func (w *writer) sameKey(start *store.Start) (r store.Result, found bool, err error) {
	// Phase 1: those before it in the batch.
	if _, ok := w.keys.hashes[start.KeyHash]; ok {
		for _, b := range w.keys.batch {
			if s := b.start; s != nil && s.Key == start.Key && s.Tenant == start.Tenant && s.Name == start.Name {
				return sameInput(b.saga, s.InputDigest, start), true, nil
			}
		}
	}
	// Phase 2: those that may have its hash.
	var room [4]int64
	rids, err := lookup(w.keys, w.keyBlock, start.KeyHash, room[:0])
	if err != nil || len(rids) == 0 {
		return store.Result{}, false, err
	}
	// Phase 3: the one whose row says so.
	was, found, err := holderOf(w.readSaga, w.readKept, w.names, rids, start.Tenant, start.Name, start.Key)
	if err != nil || !found {
		return store.Result{}, false, err
	}
	digest, err := w.digestOf(&was)
	switch {
	case errors.Is(err, store.ErrDamaged): // who reads it hears that
		return store.Result{Outcome: store.Duplicate, Saga: was.id}, true, nil
	case err != nil:
		return store.Result{}, false, fmt.Errorf("reading the start of saga %s: %w", was.id, err)
	}
	return sameInput(was.id, digest, start), true, nil
}

// digestOf reads the digest of the input that a key came with.
func (w *writer) digestOf(was *holder) (digest [32]byte, err error) {
	if was.first == 0 {
		return digest, store.ErrDamaged // all but its id is lost
	}
	if was.purged {
		return was.digest, nil
	}
	segment, err := readSegment(w.readJournal, was.first)
	if err != nil {
		return digest, err
	}
	e, err := segment.find(was.id.Sequence(), 1)
	if err != nil || e.start == nil {
		return digest, cmp.Or(err, store.ErrDamaged)
	}
	return e.start.digest, nil
}

func sameInput(was id.ID, digest [32]byte, start *store.Start) store.Result {
	if digest == start.InputDigest {
		return store.Result{Outcome: store.Duplicate, Saga: was}
	}
	return store.Result{Outcome: store.KeyReused, Saga: was}
}

// lookup appends the rids that a hash may stand for.
func lookup(k *keys, block *sqlite.Stmt, hash uint64, rids []int64) ([]int64, error) {
	var room [4]int64
	rids, blocks := k.candidates(hash, rids, room[:0])
	for _, b := range blocks {
		block.BindInt64(1, b)
		err := rows(block, func(s *sqlite.Stmt) error {
			body := columnBytes(s, 0, nil)
			if len(body)%keySize != 0 {
				return store.ErrDamaged
			}
			rids = findInBlock(body, hash, rids)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("reading the keys: %w", err)
		}
	}
	return rids, nil
}

// A holder is who has a key: a saga, or what is left of one that is purged.
type holder struct {
	fixed
	purged bool // and then what follows is known
	phase  uint8
	ended  int64
	digest [32]byte
}

// holderOf returns which of the sagas has the identity, if one has. The statements
// are selectSaga and selectKept.
func holderOf(saga, kept *sqlite.Stmt, n *names, rids []int64, tenant, name, key string) (is holder, found bool, err error) {
	for _, rid := range rids {
		there := false
		saga.BindInt64(1, rid)
		err := rows(saga, func(s *sqlite.Stmt) (err error) {
			there = true
			is = holder{}
			is.fixed, found, err = n.holds(columnBytes(s, 4, nil), rid, tenant, name, key)
			return err
		})
		if err == nil && !there {
			kept.BindInt64(1, rid)
			err = rows(kept, func(s *sqlite.Stmt) (err error) {
				is = holder{purged: true, phase: uint8(s.ColumnInt64(0)), ended: s.ColumnInt64(1)}
				s.ColumnBytes(2, is.digest[:])
				is.fixed, found, err = n.holds(columnBytes(s, 3, nil), rid, tenant, name, key)
				return err
			})
		}
		if err != nil || found {
			return is, found, err
		}
	}
	return holder{}, false, nil
}

// holds reports whether a row, whose hash is that of the identity, has it. One that
// is damaged has: its hash is of 64 bits.
func (n *names) holds(blob []byte, rid int64, tenant, name, key string) (fixed, bool, error) {
	f, err := decodeFixed(blob)
	if err != nil || f.id.Sequence() != rid {
		return fixed{id: id.OfSequence(rid)}, true, nil //nolint:nilerr // found
	}
	if f.key != key || f.tenant != tenant {
		return fixed{}, false, nil
	}
	def, err := n.definition(f.def)
	return f, err == nil && def.name == name, err
}

// writeKeys makes the identities of the transaction durable.
func (w *writer) writeKeys() error {
	k := w.keys
	if len(k.batch) == 0 {
		return nil
	}
	if len(k.recent)+len(k.twins)+len(k.batch) >= k.perBucket {
		return w.writeBucket()
	}
	b := w.blob[:0]
	for i := range k.batch {
		b = appendKey(b, k.batch[i].keyEntry)
	}
	w.blob = b
	w.logKeys.BindBytes(1, b)
	if err := exec(w.logKeys); err != nil {
		return fmt.Errorf("writing the keys: %w", err)
	}
	return nil
}

// writeBucket writes the recent identities, and the transaction's, as a bucket.
func (w *writer) writeBucket() error {
	k := w.keys
	entries := make([]keyEntry, 0, len(k.recent)+len(k.twins)+len(k.batch))
	for hash, rid := range k.recent {
		entries = append(entries, keyEntry{hash, rid})
	}
	entries = append(entries, k.twins...)
	for i := range k.batch {
		entries = append(entries, k.batch[i].keyEntry)
	}
	// Which rids it spans, for the purge.
	slices.SortFunc(entries, func(a, b keyEntry) int { return cmp.Compare(a.rid, b.rid) })
	median, high := entries[len(entries)/2].rid, entries[len(entries)-1].rid
	slices.SortFunc(entries, func(a, b keyEntry) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.rid, b.rid)) })
	id := int64(1)
	for _, b := range k.buckets {
		id = max(id, b+1) // also of one that is being dropped
	}
	bind(w.insertBucket, id, int64(len(entries)), median, high)
	if err := exec(w.insertBucket); err != nil {
		return fmt.Errorf("writing a bucket of keys: %w", err)
	}
	for rest := entries; len(rest) > 0; {
		block, blob := blockOf(id, rest[0].hash), w.blob[:0]
		for len(rest) > 0 && blockOf(id, rest[0].hash) == block {
			blob, rest = appendKey(blob, rest[0]), rest[1:]
		}
		w.blob = blob
		bind(w.insertBlock, block, blob)
		if err := exec(w.insertBlock); err != nil {
			return fmt.Errorf("writing a bucket of keys: %w", err)
		}
	}
	w.pages += len(entries) * keySize / pageSize * 2
	if err := exec(w.dropLog); err != nil {
		return fmt.Errorf("emptying the log of keys: %w", err)
	}
	k.written = &bucket{id, entries}
	return nil
}
