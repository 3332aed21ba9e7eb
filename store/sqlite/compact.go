package sqlite

import (
	"context"
	"slices"

	"zombiezen.com/go/sqlite"
)

// compactPerPurge is how many buckets of keys one purge looks at.
const compactPerPurge = 4

// countHolders counts sagas, and what is left of those whose key is kept.
const countHolders = `SELECT count(*) FROM (SELECT 1 FROM saga WHERE rid BETWEEN ?1 AND ?2
	UNION ALL SELECT 1 FROM kept_key WHERE rid BETWEEN ?1 AND ?2 LIMIT ?3)`

// A spentBucket is a bucket most of whose keys are free.
type spentBucket struct {
	id   int64
	live []keyEntry
}

// compactKeys drops buckets most of whose keys are free. Those that are left move
// to the recent ones, and with them into a later bucket.
func (s *Store) compactKeys(ctx context.Context, epoch int64) error {
	var spent []spentBucket
	err := s.read(ctx, func(conn *sqlite.Conn) (err error) {
		spent, err = spentBuckets(conn)
		return err
	})
	if err != nil {
		return err
	}
	for _, b := range spent {
		err := s.write(ctx, epoch, func(w *writer) error { return w.dropBucket(&b) })
		if err != nil {
			return err
		}
	}
	return nil
}

// spentBuckets looks at the oldest buckets. Of the sagas that a bucket spans it
// counts those of its later half: the earlier one may reach far back.
func spentBuckets(conn *sqlite.Conn) (spent []spentBucket, err error) {
	var oldest [][4]int64
	err = each(conn, "SELECT id, entries, median, high FROM key_bucket ORDER BY high LIMIT ?", func(s *sqlite.Stmt) error {
		oldest = append(oldest, [4]int64{s.ColumnInt64(0), s.ColumnInt64(1), s.ColumnInt64(2), s.ColumnInt64(3)})
		return nil
	}, int64(compactPerPurge))
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, b := range oldest {
		left := int64(0)
		err := each(conn, countHolders, func(s *sqlite.Stmt) error {
			left = s.ColumnInt64(0)
			return nil
		}, b[2], b[3], b[1]/16+1)
		if err != nil {
			return nil, err
		}
		if left <= b[1]/16 {
			ids = append(ids, b[0])
		}
	}
	alive, err := conn.Prepare("SELECT 1 FROM saga WHERE rid = ?1 UNION ALL SELECT 1 FROM kept_key WHERE rid = ?1")
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		b := spentBucket{id: id}
		err := each(conn, "SELECT body FROM key_block WHERE id BETWEEN ? AND ?", func(s *sqlite.Stmt) error {
			var in []keyEntry
			if err := eachKey(columnBytes(s, 0, nil), func(e keyEntry) { in = append(in, e) }); err != nil {
				return err
			}
			for _, e := range in {
				alive.BindInt64(1, e.rid)
				err := rows(alive, func(*sqlite.Stmt) error {
					b.live = append(b.live, e)
					return nil
				})
				if err != nil {
					return err
				}
			}
			return nil
		}, id<<8, id<<8|0xff)
		if err != nil {
			return nil, err
		}
		spent = append(spent, b)
	}
	return spent, nil
}

// dropBucket deletes a bucket. Sagas do not come back, nor do kept keys, so what was
// alive before the transaction is all there is to keep.
func (w *writer) dropBucket(b *spentBucket) error {
	k := w.keys
	for _, e := range b.live {
		k.batch = append(k.batch, batchKey{keyEntry: e})
	}
	if err := w.writeKeys(); err != nil {
		return err
	}
	k.dropped = b.id
	if err := each(w.conn, "DELETE FROM key_block WHERE id BETWEEN ? AND ?", nil, b.id<<8, b.id<<8|0xff); err != nil {
		return err
	}
	return each(w.conn, "DELETE FROM key_bucket WHERE id = ?", nil, b.id)
}

// drop takes a bucket out of the filter.
func (k *keys) drop(bucket int64) {
	if column := slices.Index(k.buckets, bucket); column >= 0 && bucket != 0 {
		k.buckets[column] = 0
		k.filter.clear(column)
	}
}
