package engine

import (
	"bytes"
	"context"
	"time"

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
	empty emptyPage
}

// An emptyPage is the last that had nothing: it is that of all who come to its place
// before there may be more.
type emptyPage struct {
	*eventPage
	at    pageKey
	rings int64     // of the bell, before it was read
	until time.Time // another node may have written something
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

// read returns the page past a place, from whoever read it. The bell has rung so often.
func (f *fan) read(ctx context.Context, at pageKey, rings int64, read func(joins *eventPage) (*eventPage, error)) (*eventPage, error) {
	select {
	case f.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-f.turn }()
	if p := f.pages[at]; p != nil {
		return p, nil
	}
	if e := &f.empty; e.eventPage != nil && e.at == at && e.rings == rings && time.Now().Before(e.until) {
		return e.eventPage, nil
	}
	var newest *eventPage
	if n := len(f.order); n > 0 {
		newest = f.pages[f.order[n-1]]
	}
	p, err := read(newest)
	if err != nil {
		return nil, err
	}
	if len(p.events) == 0 {
		f.empty = emptyPage{p, at, rings, time.Now().Add(eventPoll / 2)}
		return p, nil
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
