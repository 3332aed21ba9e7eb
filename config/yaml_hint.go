package config

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// syntaxHint says what is right, for the mistakes that happen most.
func syntaxHint(why string, data []byte, line int) string {
	switch {
	case dashSticks(data, line):
		return "; put a blank after the dash, as in - name: charge"
	case strings.Contains(why, "\t"), strings.Contains(why, "tab character"):
		return "; indent with blanks, not with tabs"
	case strings.Contains(why, "mapping value is not allowed"):
		return "; give each key a line of its own with the same indentation as its neighbours, and put text that holds a colon in quotes"
	case strings.Contains(why, "not allowed in this context"):
		return layoutHint(data, line)
	case strings.Contains(why, "non-map value"), strings.Contains(why, "invalid key"):
		return "; write key: value, indented like its neighbours"
	case strings.Contains(why, "end token"), strings.Contains(why, "end character"), strings.Contains(why, "could not find"):
		return "; close the bracket or the quote that is opened here"
	}
	return ""
}

// layoutHint says how far a line is to be indented, from the lines above that it
// can stand beside.
func layoutHint(data []byte, line int) string {
	lines := bytes.Split(data, []byte("\n"))
	if line < 1 || line > len(lines) {
		return ""
	}
	own := bytes.TrimLeft(lines[line-1], " ")
	depth := len(lines[line-1]) - len(own)
	less, more := -1, -1 // the nearest that are right
	beside := func(indent int) {
		if indent < depth {
			less = max(less, indent)
		} else if more < 0 || indent < more {
			more = indent
		}
	}
	open := math.MaxInt // lines that stand deeper belong to what has ended
	for i := line - 2; i >= 0 && open > 0; i-- {
		text := bytes.TrimLeft(lines[i], " ")
		indent := len(lines[i]) - len(text)
		if len(bytes.TrimSpace(text)) == 0 || text[0] == '#' || indent >= open {
			continue
		}
		if first := bytes.TrimLeft(bytes.TrimPrefix(text, []byte("-")), " "); open > indent+len(text)-len(first) {
			beside(indent + len(text) - len(first)) // the keys of a list's item stand beside its first
		}
		open = indent
		beside(indent)
	}
	right := strconv.Itoa(less)
	switch {
	case less < 0 && more < 0:
		return ""
	case less < 0:
		right = strconv.Itoa(more)
	case more >= 0:
		right += " or " + strconv.Itoa(more)
	}
	return fmt.Sprintf("; this line is indented by %d: indent it by %s, like the line above that it belongs beside", depth, right)
}

// dashSticks reports whether a line, or the one before it, is an item of a list
// whose dash stands too close: the parser may see it only at the next line.
func dashSticks(data []byte, line int) bool {
	lines := bytes.Split(data, []byte("\n"))
	for i := max(line-2, 0); i < min(line, len(lines)); i++ {
		if own := bytes.TrimLeft(lines[i], " "); len(own) > 1 && own[0] == '-' && ('a' <= own[1] && own[1] <= 'z' || own[1] == '{') {
			return true
		}
	}
	return false
}
