package sqlite

import (
	"context"
	"encoding/binary"
	"maps"
	"math"
	"slices"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind/store"
)

// blocks remembers for each block of neighbouring sagas (about a minute's) when
// the first of those in it that ended well did, so that a purge does not read all
// sagas again to find that few are old enough. What it says is never too late: a
// block that says too early is read once in vain. It begins empty, and the first
// purges read what lies before the frontier.
type blocks struct {
	oldest   map[int64]int64 // by rid >> blockShift; no entry: none ended well
	frontier int64           // sagas from here on have not been looked at
	passed   map[int64]bool  // sagas that can't be read: no purge looks at them again
}

// blockShift: 2^22 sequences are a millisecond.
const blockShift = 38

// surveyRows is how many rows one read of a survey looks at.
const surveyRows = 100_000

func (b *blocks) reset() {
	*b = blocks{oldest: map[int64]int64{}, frontier: math.MinInt64, passed: map[int64]bool{}}
}

// settled notes a transition to a good end.
func (b *blocks) settled(rid int64, t *store.Transition) {
	if ended(t.Phase) {
		b.note(rid>>blockShift, t.At)
	}
}

func (b *blocks) note(block, at int64) {
	if was, ok := b.oldest[block]; !ok || at < was {
		b.oldest[block] = at
	}
}

// passOver keeps sagas out of further surveys.
func (s *Store) passOver(rids []int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, rid := range rids {
		s.writer.blocks.passed[rid] = true
	}
}

// doomed returns up to limit sagas that a purge may delete.
func (s *Store) doomed(ctx context.Context, before int64, limit int) (rids []int64, err error) {
	blocks := &s.writer.blocks
	// Phase 1: the blocks that are known to hold some.
	s.mu.Lock()
	var candidates []int64
	for block, at := range blocks.oldest {
		if at < before {
			candidates = append(candidates, block)
		}
	}
	s.mu.Unlock()
	slices.Sort(candidates)
	for _, block := range candidates {
		if len(rids) == limit {
			return rids, nil
		}
		s.mu.Lock()
		was := blocks.oldest[block]
		delete(blocks.oldest, block) // commits note anew what they end
		s.mu.Unlock()
		found, last, err := s.survey(ctx, block<<blockShift, (block+1)<<blockShift-1, before, limit-len(rids))
		if rids = append(rids, found...); err != nil || last < (block+1)<<blockShift-1 {
			s.mu.Lock()
			blocks.note(block, was)
			s.mu.Unlock()
		}
		if err != nil {
			return nil, err
		}
	}
	// Phase 2: what nobody has looked at yet.
	for len(rids) < limit {
		s.mu.Lock()
		frontier := blocks.frontier
		s.mu.Unlock()
		if frontier == math.MaxInt64 {
			break
		}
		found, last, err := s.survey(ctx, frontier, math.MaxInt64, before, limit-len(rids))
		if err != nil {
			return nil, err
		}
		rids = append(rids, found...)
		s.mu.Lock()
		blocks.frontier = max(last, last+1) // the greatest stays
		s.mu.Unlock()
	}
	slices.Sort(rids)
	return slices.Compact(rids), nil
}

// survey looks at the sagas from low to high that ended well and returns those
// that ended before a time, up to limit, and how far it came; it notes all of
// them in their blocks.
func (s *Store) survey(ctx context.Context, low, high, before int64, limit int) (rids []int64, last int64, err error) {
	oldest := blocks{oldest: map[int64]int64{}}
	seen := 0
	s.mu.Lock()
	passed := maps.Clone(s.writer.blocks.passed)
	s.mu.Unlock()
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		return enough(each(conn, "SELECT rid, phase, hot FROM saga WHERE rid BETWEEN ? AND ? ORDER BY rid LIMIT ?", func(stmt *sqlite.Stmt) error {
			seen++
			last = stmt.ColumnInt64(0)
			if passed[last] {
				return nil
			}
			var updated [8]byte
			if !ended(uint8(stmt.ColumnInt64(1))) || stmt.ColumnBytes(2, updated[:]) < len(updated) {
				return nil
			}
			at := int64(binary.LittleEndian.Uint64(updated[:]))
			if at < before {
				open, err := waiting(conn, last)
				if err != nil || open {
					return err
				}
				rids = append(rids, last)
			}
			oldest.note(last>>blockShift, at)
			if len(rids) == limit {
				return errEnough
			}
			return nil
		}, low, high, int64(surveyRows)))
	})
	if err == nil && seen < surveyRows && len(rids) < limit {
		last = high
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for block, at := range oldest.oldest {
		s.writer.blocks.note(block, at)
	}
	return rids, last, err
}

// waiting reports whether a saga has a dead letter that somebody has to look at.
// Its next transition notes the saga anew.
func waiting(conn *sqlite.Conn, rid int64) (found bool, err error) {
	err = each(conn, "SELECT 1 FROM dead_letter WHERE rid = ? AND state IN ('open', 'replaying') LIMIT 1", func(*sqlite.Stmt) error {
		found = true
		return nil
	}, rid)
	return found, err
}
