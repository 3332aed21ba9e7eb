package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/unwindhq/unwind"
)

// Bounds on a file, so that none can exhaust the one who reads it.
const (
	maxBytes  = 1 << 20
	maxDepth  = 64
	maxValues = 100_000
	maxFaults = 1000
)

// A kind is what a value was written as.
type kind uint8

const (
	null kind = iota
	boolean
	number    // in the form that JSON has for it
	oddNumber // in another: 0x1F, 1_000, +5, .5, .inf
	text
	list
	mapping
)

func (k kind) String() string {
	return [...]string{"nothing", "true or false", "a number", "a number", "text", "a list", "a mapping"}[k]
}

// A place is where something was written. Line and column count from 1 and are
// zero where there is no file.
type place struct {
	file         string
	line, column int
}

// A node is a value as it was written. Nodes are shared where a file repeats
// them by alias, so they are never changed once built.
type node struct {
	kind   kind
	text   string // of a scalar: its characters, not its quotes
	at     place
	items  []*node
	fields []field
	// size counts the values in it, itself included, as if every alias were
	// written out; long text counts for several.
	size   int
	height int // levels in it
}

// A field is an entry of a mapping.
type field struct {
	key   string
	at    place
	value *node
}

// find returns the value of a key, or nil.
func (n *node) find(key string) *field {
	for i := range n.fields {
		if n.fields[i].key == key {
			return &n.fields[i]
		}
	}
	return nil
}

// measure sets size and height from what lies directly below.
func (n *node) measure() {
	const textUnit = 256 // bytes
	n.size, n.height = 1+len(n.text)/textUnit, 0
	include := func(c *node, more int) {
		n.size = min(n.size+c.size+more, maxValues+1)
		n.height = max(n.height, min(c.height+1, maxDepth+1))
	}
	for _, c := range n.items {
		include(c, 0)
	}
	for _, f := range n.fields {
		include(f.value, len(f.key)/textUnit)
	}
}

// locate returns the place of what a JSON pointer names, or of the nearest
// thing around it that was written: for what is missing in a mapping that is
// the mapping's key.
func (n *node) locate(pointer string) place {
	at := n.at
	for _, part := range splitPointer(pointer) {
		switch n.kind {
		case mapping:
			f := n.find(part)
			if f == nil {
				return at
			}
			at, n = f.at, f.value
		case list:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(n.items) {
				return at
			}
			n = n.items[i]
			at = n.at
		default:
			return at
		}
	}
	if n.kind == mapping || n.kind == list || n.kind == null {
		return at
	}
	return n.at
}

// A report collects what is wrong with a file.
type report struct {
	faults []unwind.Fault
	// judged holds the pointers at which a fault was found, so that what only
	// follows from it is not reported as well.
	judged map[string]bool
}

// add notes a fault that leaves a pointer without the value that it should have.
func (r *report) add(pointer string, at place, format string, args ...any) {
	r.excuse(pointer)
	r.note(pointer, at, format, args...)
}

// note notes a fault that leaves the value as it is.
func (r *report) note(pointer string, at place, format string, args ...any) {
	if len(r.faults) >= maxFaults {
		return
	}
	r.faults = append(r.faults, unwind.Fault{
		Pointer: pointer, Message: fmt.Sprintf(format, args...),
		File: at.file, Line: at.line, Column: at.column,
	})
	if len(r.faults) == maxFaults {
		r.faults = append(r.faults, unwind.Fault{
			Message: fmt.Sprintf("there are more faults than %d; the others are not shown", maxFaults), File: at.file,
		})
	}
}

// excuse keeps silent about what else may be found at a pointer or below.
func (r *report) excuse(pointer string) {
	if r.judged == nil {
		r.judged = map[string]bool{}
	}
	r.judged[pointer] = true
}

// follows reports whether a fault at a pointer may only be a consequence of
// one already reported there or further up.
func (r *report) follows(pointer string) bool {
	for {
		if r.judged[pointer] {
			return true
		}
		cut := strings.LastIndexByte(pointer, '/')
		if cut <= 0 {
			return false
		}
		pointer = pointer[:cut]
	}
}

var (
	escapePointer   = strings.NewReplacer("~", "~0", "/", "~1")
	unescapePointer = strings.NewReplacer("~1", "/", "~0", "~")
)

// below appends a part to a JSON pointer (RFC 6901).
func below(pointer, part string) string { return pointer + "/" + escapePointer.Replace(part) }

func splitPointer(pointer string) []string {
	if pointer == "" {
		return nil
	}
	parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i := range parts {
		parts[i] = unescapePointer.Replace(parts[i])
	}
	return parts
}
