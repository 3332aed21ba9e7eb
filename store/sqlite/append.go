package sqlite

import (
	"fmt"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

// segmentLimit is the longest segment of more than one entry: what lies on one
// page beside the row's other columns.
const segmentLimit = pageSize - 35 - 32

// place returns the journal row that the entry of t will be in.
func (w *writer) place(t *store.Transition) (int64, error) {
	if w.entries > 0 && len(w.segment)+entryRoom(t) > segmentLimit {
		if err := w.flushSegment(); err != nil {
			return 0, err
		}
	}
	return w.seq + 1, nil
}

// append adds the entry of t where place said.
func (w *writer) append(t *store.Transition, back int64) {
	w.segment, w.scratch = appendEntry(w.segment, w.scratch, w.entries, back, w.at, t)
	w.entries++
}

// flushSegment writes the segment that is being filled.
func (w *writer) flushSegment() error {
	if w.entries == 0 {
		return nil
	}
	w.insertJournal.BindInt64(1, w.seq+1)
	w.insertJournal.BindInt64(2, w.epoch)
	w.insertJournal.BindInt64(3, w.node)
	w.insertJournal.BindInt64(4, w.at)
	w.insertJournal.BindBytes(5, w.segment)
	if err := exec(w.insertJournal); err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	w.pages += 2 + len(w.segment)/pageSize // with the rows of its sagas
	w.seq++
	w.segment, w.entries = w.segment[:0], 0
	return nil
}

// readHead reads what the writer does not remember of a saga.
func (w *writer) readHead(saga id.ID) (h head, ok bool, err error) {
	w.readSaga.BindInt64(1, saga.Sequence())
	row, err := w.readSaga.Step()
	if err != nil {
		return head{}, false, err
	}
	if !row {
		return head{}, false, w.readSaga.Reset()
	}
	h.version = uint64(w.readSaga.ColumnInt64(0))
	h.phase = uint8(w.readSaga.ColumnInt64(1))
	h.due = w.readSaga.ColumnInt64(2)
	w.blob = columnBytes(w.readSaga, 3, w.blob)
	w.fixed = columnBytes(w.readSaga, 4, w.fixed)
	if err := w.readSaga.Reset(); err != nil {
		return head{}, false, err
	}
	hot, err := decodeHot(w.blob)
	if err != nil {
		return head{}, false, err
	}
	fixed, err := decodeFixed(w.fixed)
	if err != nil {
		return head{}, false, err
	}
	if h.phase >= phases {
		return head{}, false, store.ErrDamaged
	}
	h.seq = hot.head
	return h, fixed.id == saga, nil
}
