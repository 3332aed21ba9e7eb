package sqlite

import (
	"strconv"
	"strings"

	"github.com/unwindhq/unwind"
)

// Bounds on a page, as [store.Store] promises them.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

func bounded(limit int) int {
	if limit <= 0 {
		return defaultLimit
	}
	return min(limit, maxLimit)
}

// The lists that have cursors. A cursor is the list's letter and the place of
// the last row that was given, so that it stays right whatever comes or goes.
const (
	sagaCursor       = 's'
	deadLetterCursor = 'd'
	journalCursor    = 'j'
	alertCursor      = 'a'
	auditCursor      = 'u'
)

func cursor(list byte, place ...int64) string {
	b := []byte{list}
	for i, n := range place {
		if i > 0 {
			b = append(b, '.')
		}
		b = strconv.AppendInt(b, n, 10)
	}
	return string(b)
}

// parseCursor reads what [cursor] wrote, and nothing else.
func parseCursor(list byte, text string, numbers int) ([]int64, error) {
	place := make([]int64, 0, numbers)
	for part := range strings.SplitSeq(text[1:], ".") {
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil {
			break
		}
		place = append(place, n)
	}
	if len(place) != numbers || cursor(list, place...) != text {
		return nil, unwind.Errorf(unwind.InvalidRequest, "the cursor %q is not one that this list gave; take next_cursor as it is, or leave it away to begin anew", text)
	}
	return place, nil
}
