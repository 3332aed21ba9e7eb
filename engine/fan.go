package engine

import (
	"bytes"
	"context"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

// A fan lets streams of events that stand at one place share what is read there:
// one reads, the others find its page. A stream that comes from elsewhere ends its
// page where the last one ended, if it gets that far, and so joins the others. One
// that falls behind the pages kept reads the journal for itself.
type fan struct {
	turn  chan struct{} // held by who reads
	pages map[pageKey]*eventPage
	order []pageKey // of pages, the oldest first
}

// A pageKey is a place, and how much is read there.
type pageKey struct {
	eventCursor
	limit int
}

// An eventPage is what was read past a cursor. It does not change.
type eventPage struct {
	events []unwind.Event
	next   eventCursor
	last   *store.JournalRow // after which next is; nil: there was none
}

// fanPages is how many pages are kept for those who come later.
const fanPages = 64

func newFan() fan { return fan{turn: make(chan struct{}, 1), pages: map[pageKey]*eventPage{}} }

// read returns the page past a place, from whoever read it.
func (f *fan) read(ctx context.Context, at pageKey, read func(joins *eventPage) (*eventPage, error)) (*eventPage, error) {
	select {
	case f.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-f.turn }()
	if p := f.pages[at]; p != nil {
		return p, nil
	}
	var newest *eventPage
	if n := len(f.order); n > 0 {
		newest = f.pages[f.order[n-1]]
	}
	p, err := read(newest)
	if err != nil || len(p.events) == 0 {
		return p, err
	}
	if len(f.order) == fanPages {
		delete(f.pages, f.order[0])
		f.order = append(f.order[:0], f.order[1:]...)
	}
	f.pages[at], f.order = p, append(f.order, at)
	return p, nil
}

// upTo cuts rows off after the one that another page ended with; joined: it is
// among them.
func (p *eventPage) upTo(rows []store.JournalRow) (_ []store.JournalRow, joined bool) {
	if p == nil || p.last == nil {
		return rows, false
	}
	for i := len(rows) - 1; i >= 0; i-- { // should two look alike, one comes twice
		if r := &rows[i]; r.At == p.last.At && r.Saga == p.last.Saga && bytes.Equal(r.Body, p.last.Body) {
			return rows[:i+1], true
		}
	}
	return rows, false
}
