package unwind

import (
	"strconv"
	"strings"
)

// A Fault is one thing wrong with a request, a definition or a configuration.
type Fault struct {
	// Pointer is a JSON pointer (RFC 6901) to the place.
	Pointer string `json:"pointer"`
	// Message says what is wrong and what would be right.
	Message string `json:"message"`
	// Warning marks a fault that does not refuse the definition.
	Warning bool `json:"warning,omitempty"`
	// File, with Line and Column counted from 1; zero where there is no file.
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// String says what is wrong with which field, the field as people write it:
// "steps[1].action.service: …" for /steps/1/action/service, and "limit: …" for
// the parameter /query/limit.
func (f Fault) String() string {
	pointer := f.Pointer
	for _, beside := range [...]string{"/query/", "/path/", "/header/"} {
		if name, ok := strings.CutPrefix(pointer, beside); ok {
			pointer = "/" + name
		}
	}
	if pointer == "" || pointer == "/" {
		return f.Message
	}
	var b strings.Builder
	for part := range strings.SplitSeq(pointer[1:], "/") {
		part = unescapePointer.Replace(part)
		if len(part) > 80 {
			part = strings.ToValidUTF8(part[:80], "") + "…"
		}
		switch _, err := strconv.ParseUint(part, 10, 31); {
		case err == nil:
			b.WriteString("[" + part + "]")
		case part == "" || strings.ContainsFunc(part, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`.[]"`, r) }):
			b.WriteString("[" + strconv.Quote(part) + "]")
		default:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(part)
		}
	}
	return b.String() + ": " + f.Message
}

var unescapePointer = strings.NewReplacer("~1", "/", "~0", "~")
