package api

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/unwindhq/unwind"
)

// A query reads the parameters of a request and notes every fault.
type query struct {
	values url.Values
	faults []unwind.Fault
}

// query refuses parameters that the route does not have, and repeated ones.
func (c *call) query(known []param) *query {
	q := &query{}
	if c.r.URL.RawQuery == "" {
		return q
	}
	var err error
	if q.values, err = url.ParseQuery(c.r.URL.RawQuery); err != nil {
		q.fault("", "the query can't be read: "+err.Error())
	}
	for name, values := range q.values {
		switch {
		case !slices.ContainsFunc(known, func(p param) bool { return p.name == name }):
			names := make([]string, len(known))
			for i := range known {
				names[i] = known[i].name
			}
			there := "there is " + strings.Join(names, ", ")
			if len(names) == 0 {
				there = "there is none"
			}
			q.fault(name, "this parameter is not known here; "+there)
		case len(values) > 1:
			q.fault(name, "this parameter is there more than once")
		}
	}
	slices.SortFunc(q.faults, func(a, b unwind.Fault) int { return strings.Compare(a.Pointer, b.Pointer) })
	return q
}

func (q *query) fault(name, message string) {
	q.faults = append(q.faults, unwind.Fault{Pointer: "/query" + pointer(name), Message: message})
}

func (q *query) err() error {
	if len(q.faults) == 0 {
		return nil
	}
	return faulty(q.faults)
}

func (q *query) text(name string) string { return q.values.Get(name) }

// word reads a text that is not empty where it is there.
func (q *query) word(name string) string {
	text := q.text(name)
	if text == "" && q.values.Has(name) {
		q.fault(name, "it is empty; write what it has to be, or leave it out")
	}
	return text
}

const maxPage = 1000

func (q *query) page() unwind.Page {
	p := unwind.Page{Cursor: q.text("cursor")}
	if s := q.text("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > maxPage {
			q.fault("limit", "write a number from 1 to "+strconv.Itoa(maxPage))
		}
		p.Limit = n
	}
	return p
}

func (q *query) time(name string) unwind.Time {
	s := q.text(name)
	if s == "" {
		return unwind.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		q.fault(name, "write a time as in 2026-01-02T15:04:05Z")
	}
	return unwind.Time{Time: t.UTC()}
}

// one reads a parameter that is one of a few words, or empty.
func one[T ~string](q *query, name string, words ...T) T {
	v := T(q.text(name))
	if v != "" && !slices.Contains(words, v) {
		q.fault(name, "write one of "+joinWords(words))
	}
	return v
}

func joinWords[T ~string](words []T) string {
	text := make([]string, len(words))
	for i, w := range words {
		text[i] = string(w)
	}
	return strings.Join(text, ", ")
}

// The parameters that lists share.
var pageParams = []param{
	{name: "limit", text: "How many items at most; 100 where it is left out", kind: "integer", most: maxPage},
	{name: "cursor", text: "next_cursor of the page before", kind: "string"},
}

func withPage(params ...param) []param { return append(params, pageParams...) }
