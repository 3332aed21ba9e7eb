package engine

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// canonical returns a digest of the input as key-sorted JSON with numbers
// verbatim, so that the same input is the same whatever its spelling; and the
// input without white space around its tokens. Members that are there twice are
// an error: participants disagree about which of them counts.
func canonical(input json.RawMessage) (digest [32]byte, compact json.RawMessage, err error) {
	compact, err = compactJSON(input)
	if err != nil {
		return digest, nil, err
	}
	s := sorter{src: compact, out: make([]byte, 0, len(compact))}
	s.value()
	if s.twice != "" {
		return digest, nil, fmt.Errorf("an object has the member %s twice", s.twice)
	}
	return sha256.Sum256(s.out), compact, nil
}

// validJSON says what is wrong with a text that is to be JSON (RFC 8259).
func validJSON(text []byte) error {
	_, err := compactJSON(text)
	return err
}

// compactJSON is the text without white space around its tokens, where it is JSON.
func compactJSON(text []byte) ([]byte, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("it is not JSON: it is not UTF-8")
	}
	var compact bytes.Buffer
	compact.Grow(len(text))
	if err := json.Compact(&compact, text); err != nil {
		return nil, fmt.Errorf("it is not JSON: %w", err)
	}
	return compact.Bytes(), nil
}

// A sorter writes compact JSON with the members of each object in the order of
// their names and each string in one spelling. A large object inside another one
// is written as a NUL and its SHA-256, so that deep nesting does not have it
// moved again and again. What it reads is valid.
type sorter struct {
	src   []byte
	at    int
	out   []byte
	depth int
	twice string // a member that an object has twice
}

// large is how many bytes an object has that is written as its digest.
const large = 256

// A member is where one lies in sorter.out.
type member struct {
	name       string
	start, end int
}

func (s *sorter) value() {
	switch s.src[s.at] {
	case '{':
		s.object()
	case '[':
		s.copy(1)
		for s.src[s.at] != ']' {
			if s.src[s.at] == ',' {
				s.copy(1)
			}
			s.value()
		}
		s.copy(1)
	case '"':
		s.text()
	default: // a number, true, false or null
		end := s.at
		for end < len(s.src) && s.src[end] != ',' && s.src[end] != ']' && s.src[end] != '}' {
			end++
		}
		s.copy(end - s.at)
	}
}

func (s *sorter) copy(n int) {
	s.out = append(s.out, s.src[s.at:s.at+n]...)
	s.at += n
}

func (s *sorter) object() {
	s.depth++
	begin := len(s.out)
	s.copy(1)
	var members []member
	for s.src[s.at] != '}' {
		if s.src[s.at] == ',' {
			s.at++
		}
		m := member{start: len(s.out)}
		s.text()
		m.name = string(s.out[m.start:])
		s.copy(1) // the colon
		s.value()
		m.end = len(s.out)
		members = append(members, m)
	}
	s.at++
	s.sort(begin+1, members)
	s.out = append(s.out, '}')
	if s.depth--; s.depth > 0 && len(s.out)-begin > large {
		sum := sha256.Sum256(s.out[begin:])
		s.out = append(append(s.out[:begin], 0), sum[:]...)
	}
}

// sort puts the members that were written from a place on in order.
func (s *sorter) sort(begin int, members []member) {
	written := s.out[begin:]
	if !slices.IsSortedFunc(members, byName) {
		slices.SortFunc(members, byName)
		written = bytes.Clone(written)
	}
	s.out = s.out[:begin]
	for i, m := range members {
		if i > 0 && m.name == members[i-1].name {
			s.twice = m.name
		}
		s.out = append(s.out, written[m.start-begin:m.end-begin]...)
	}
}

func byName(a, b member) int { return strings.Compare(a.name, b.name) }

// text copies a string. Escapes are written as what they stand for, but for
// those that must be escapes, and halves of surrogate pairs, which stand for
// nothing.
func (s *sorter) text() {
	s.copy(1)
	for {
		c := s.src[s.at]
		switch {
		case c == '"':
			s.copy(1)
			return
		case c != '\\':
			s.copy(1)
			continue
		}
		r := rune(s.src[s.at+1])
		switch r {
		case 'b':
			r = '\b'
		case 'f':
			r = '\f'
		case 'n':
			r = '\n'
		case 'r':
			r = '\r'
		case 't':
			r = '\t'
		case 'u':
			r = s.hex(s.at)
			s.at += 4
		}
		s.at += 2
		if utf16.IsSurrogate(r) && s.at+5 < len(s.src) && s.src[s.at] == '\\' && s.src[s.at+1] == 'u' {
			if both := utf16.DecodeRune(r, s.hex(s.at)); both != utf8.RuneError {
				r = both
				s.at += 6
			}
		}
		if r < ' ' || r == '"' || r == '\\' || utf16.IsSurrogate(r) {
			s.out = fmt.Appendf(s.out, "\\u%04x", r)
		} else {
			s.out = utf8.AppendRune(s.out, r)
		}
	}
}

// hex reads the escape at a place: a backslash, u and four digits.
func (s *sorter) hex(at int) rune {
	n, _ := strconv.ParseUint(string(s.src[at+2:at+6]), 16, 16)
	return rune(n)
}
