package engine

import (
	"strconv"
	"strings"

	"github.com/unwindhq/unwind/internal/id"
)

// A place is where a comparison goes on: in the page of the list behind a cursor, at
// a saga, behind so many of its calls. The zero place is the beginning, and the end.
type place struct {
	list  string
	saga  id.ID
	calls int
}

// String writes the place as a cursor; the zero one is empty.
func (p place) String() string {
	switch {
	case p == place{}:
		return ""
	case p.saga == id.ID{}:
		return p.list
	}
	return p.list + "/" + p.saga.String() + "/" + strconv.Itoa(p.calls)
}

// parsePlace reads what String wrote. What the list's own cursor is worth, the store
// says.
func parsePlace(text string) (p place, ok bool) {
	parts := strings.Split(text, "/")
	p.list = parts[0]
	if len(parts) == 1 {
		return p, true
	}
	if len(parts) != 3 {
		return p, false
	}
	var errs [2]error
	p.saga, errs[0] = id.Parse(parts[1])
	p.calls, errs[1] = strconv.Atoi(parts[2])
	return p, errs[0] == nil && errs[1] == nil && p.calls >= 0 && p.saga != id.ID{}
}
