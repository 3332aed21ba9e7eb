package store

import (
	"math"
	"strconv"
	"strings"

	"github.com/unwindhq/unwind"
)

// Bounds on a page of rows, as [Store] promises them.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

// PageLimit returns how many rows a limit means: 100 for zero or less, and 1000
// at most.
func PageLimit(limit int) int {
	if limit <= 0 {
		return defaultLimit
	}
	return min(limit, maxLimit)
}

// ClaimBytes is how many bytes of inputs fill a page of [Store.ClaimDue].
const ClaimBytes = 8 << 20

// A ClaimPage counts what is in a page of [Store.ClaimDue]. The zero page has a
// limit of 100.
type ClaimPage struct {
	Limit       int // as it was asked for: [PageLimit]
	rows, bytes int
}

// Add counts one more saga.
func (p *ClaimPage) Add(s *Saga) {
	p.rows++
	p.bytes += len(s.Input)
}

// Full reports whether the page is full: there may be more sagas behind it.
func (p *ClaimPage) Full() bool { return p.rows >= PageLimit(p.Limit) || p.bytes >= ClaimBytes }

// A Cursor names a list that has cursors. What a list gives out is its letter
// and the place of the last row that was given, so that it stays right whatever
// comes or goes.
type Cursor byte

// The lists that have cursors.
const (
	SagaCursor       Cursor = 's'
	DeadLetterCursor Cursor = 'd'
	JournalCursor    Cursor = 'j'
	AlertCursor      Cursor = 'a'
	AuditCursor      Cursor = 'u'
	OperationCursor  Cursor = 'o'
	// OldestCursor is of dead letters, oldest first.
	OldestCursor Cursor = 'e'
	TrailCursor  Cursor = 't' // of the audit, oldest first
)

// AuditOldest is the cursor that begins the audit at its oldest row.
const AuditOldest = "oldest"

// At writes the cursor of a place; what its numbers mean is the adapter's.
func (c Cursor) At(place ...int64) string {
	b := []byte{byte(c)}
	for i, n := range place {
		if i > 0 {
			b = append(b, '.')
		}
		b = strconv.AppendInt(b, n, 10)
	}
	return string(b)
}

// Parse reads a place of so many numbers as [Cursor.At] wrote it. Any other text
// is an [*unwind.Error] of InvalidRequest.
func (c Cursor) Parse(text string, numbers int) ([]int64, error) {
	place := make([]int64, 0, numbers)
	if text != "" {
		for part := range strings.SplitSeq(text[1:], ".") {
			n, err := strconv.ParseInt(part, 10, 64)
			if err != nil {
				break
			}
			place = append(place, n)
		}
	}
	if len(place) != numbers || c.At(place...) != text {
		return nil, unwind.Errorf(unwind.InvalidRequest, "the cursor %q is not one that this list gave; take next_cursor as it is, or leave it away to begin anew", text)
	}
	return place, nil
}

// Before reads the number that the page of a list lies before which is newest first by
// one number; the empty text is the newest end.
func (c Cursor) Before(text string) (int64, error) {
	if text == "" {
		return math.MaxInt64, nil
	}
	place, err := c.Parse(text, 1)
	if err != nil {
		return 0, err
	}
	return place[0], nil
}
