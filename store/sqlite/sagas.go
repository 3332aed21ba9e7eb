package sqlite

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

// Load implements [store.Store].
func (s *Store) Load(ctx context.Context, saga id.ID) (found store.Saga, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		row, ok, err := findRow(conn, saga)
		if err != nil {
			return err
		}
		if !ok {
			return store.ErrNotFound
		}
		if row.damage != nil {
			return row.damage
		}
		found, err = s.loadJournal(conn, &row)
		return err
	})
	if err != nil {
		return store.Saga{}, fmt.Errorf("loading saga %s: %w", saga, err)
	}
	return found, nil
}

func findRow(conn *sqlite.Conn, saga id.ID) (row sagaRow, found bool, err error) {
	err = each(conn, selectSaga, func(s *sqlite.Stmt) error {
		row = readRow(s)
		found = row.is(saga)
		return nil
	}, saga.Sequence())
	return row, found, err
}

// loadJournal walks the chain of a saga's entries, from the last to the first.
func (s *Store) loadJournal(conn *sqlite.Conn, row *sagaRow) (store.Saga, error) {
	read, err := conn.Prepare(selectSegment)
	if err != nil {
		return store.Saga{}, err
	}
	var first entry
	var in segment
	journal := make([]store.JournalRow, 0, min(row.version, 64))
	seq := row.head
	for version := row.version; version > 0; version-- {
		if in.body == nil || in.seq != seq {
			if in, err = readSegment(read, seq); err != nil {
				return store.Saga{}, err
			}
		}
		e, err := in.find(row.rid, version)
		if err != nil {
			return store.Saga{}, fmt.Errorf("the journal of version %d: %w", version, err)
		}
		r, err := s.names.journalRow(row, &in, &e)
		if err != nil {
			return store.Saga{}, err
		}
		r.Body = bytes.Clone(r.Body)
		journal = append(journal, r)
		first, seq = e, seq-e.back
	}
	slices.Reverse(journal)
	found, err := s.names.saga(row, &first)
	found.Journal, found.Input = journal, bytes.Clone(found.Input)
	return found, err
}

// The sagas due at one time, and those due later. As one query, of which the
// place is a row value, SQLite would walk all that are due at the first time.
const (
	dueAtQuery = `SELECT version, phase, due, hot, fixed, rid FROM saga INDEXED BY saga_due
		WHERE due >= 0 AND due = ? AND rid > ? ORDER BY rid LIMIT ?`
	dueLaterQuery = `SELECT version, phase, due, hot, fixed, rid FROM saga INDEXED BY saga_due
		WHERE due >= 0 AND due > ? AND due <= ? ORDER BY due, rid LIMIT ?`
)

// ClaimDue implements [store.Store].
func (s *Store) ClaimDue(ctx context.Context, afterDue int64, after id.ID, until int64, limit int) (found []store.Saga, err error) {
	limit = store.PageLimit(limit)
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		due := make([]sagaRow, 0, limit)
		add := func(stmt *sqlite.Stmt) error {
			due = append(due, readRow(stmt))
			return nil
		}
		if afterDue <= until {
			if err := each(conn, dueAtQuery, add, afterDue, after.Sequence(), int64(limit)); err != nil {
				return err
			}
		}
		if len(due) < limit {
			if err := each(conn, dueLaterQuery, add, afterDue, until, int64(limit-len(due))); err != nil {
				return err
			}
		}
		found, err = s.claimed(conn, due)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the sagas that are due: %w", err)
	}
	return found, nil
}

// claimAtOnce is how many sagas are read before their inputs are counted.
const claimAtOnce = 64

// claimed fills a page of sagas from their rows, until it is full.
func (s *Store) claimed(conn *sqlite.Conn, due []sagaRow) ([]store.Saga, error) {
	page := store.ClaimPage{Limit: len(due)}
	found := make([]store.Saga, 0, len(due))
	for rows := range slices.Chunk(due, claimAtOnce) {
		more, err := s.withStarts(conn, rows, false)
		if err != nil {
			return nil, err
		}
		for i := range more {
			found = append(found, more[i])
			if page.Add(&more[i]); page.Full() {
				return found, nil
			}
		}
	}
	return found, nil
}

// withStarts fills sagas from their rows and first entries, and gives each the
// first row of its journal where that is wanted. Sagas that began together share
// journal rows, so each of these is read once.
func (s *Store) withStarts(conn *sqlite.Conn, of []sagaRow, journal bool) ([]store.Saga, error) {
	read, err := conn.Prepare(selectSegment)
	if err != nil {
		return nil, err
	}
	order := make([]int, len(of))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(of[a].first, of[b].first) })
	found := make([]store.Saga, len(of))
	var in segment
	for _, i := range order {
		row := &of[i]
		err := row.damage
		if err == nil {
			found[i], err = s.withStart(read, row, &in, journal)
		}
		switch {
		case errors.Is(err, store.ErrDamaged):
			found[i] = row.damaged(err)
		case err != nil:
			return nil, fmt.Errorf("reading the start of saga %s: %w", row.id, err)
		}
	}
	return found, nil
}

// withStart fills one saga; in is the journal row that was read last.
func (s *Store) withStart(read *sqlite.Stmt, row *sagaRow, in *segment, journal bool) (found store.Saga, err error) {
	if in.body == nil || in.seq != row.first {
		if *in, err = readSegment(read, row.first); err != nil {
			return store.Saga{}, err
		}
	}
	e, err := in.find(row.rid, 1)
	if err != nil {
		return store.Saga{}, fmt.Errorf("the journal row %d: %w", in.seq, err)
	}
	if found, err = s.names.saga(row, &e); err != nil {
		return store.Saga{}, err
	}
	found.Input = bytes.Clone(found.Input)
	if !journal {
		return found, nil
	}
	r, err := s.names.journalRow(row, in, &e)
	r.Body = bytes.Clone(r.Body)
	found.Journal = []store.JournalRow{r}
	return found, err
}

// FindKey implements [store.Store].
func (s *Store) FindKey(ctx context.Context, tenant, name, key string) (found store.Key, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) (err error) {
		found, err = s.findKey(conn, tenant, name, key)
		return err
	})
	if err != nil {
		return store.Key{}, fmt.Errorf("finding the saga that key %q began: %w", key, err)
	}
	return found, nil
}

func (s *Store) findKey(conn *sqlite.Conn, tenant, name, key string) (store.Key, error) {
	if key == "" {
		return store.Key{}, store.ErrNotFound
	}
	block, err := conn.Prepare(selectBlock)
	if err != nil {
		return store.Key{}, err
	}
	saga, err := conn.Prepare(selectSaga)
	if err != nil {
		return store.Key{}, err
	}
	kept, err := conn.Prepare(selectKept)
	if err != nil {
		return store.Key{}, err
	}
	rids, err := lookup(s.keys, block, id.KeyHash(tenant, name, key), nil)
	if err != nil {
		return store.Key{}, err
	}
	is, found, err := holderOf(saga, kept, s.names, rids, tenant, name, key)
	switch {
	case err != nil:
		return store.Key{}, err
	case !found:
		return store.Key{}, store.ErrNotFound
	case !is.purged:
		return store.Key{Saga: is.id}, nil
	}
	def, err := s.names.definition(is.def)
	if err != nil || is.phase >= phases {
		return store.Key{}, fmt.Errorf("row %d of the table kept_key: %w", is.id.Sequence(), store.ErrDamaged)
	}
	return store.Key{Saga: is.id, Purged: true, Version: def.version, Phase: is.phase, CreatedAt: is.created, UpdatedAt: is.ended}, nil
}
