package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// jsonNumber is the number of RFC 8259, section 6.
var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

func numberKind(s string) kind {
	if jsonNumber.MatchString(s) {
		return number
	}
	return oddNumber
}

func belowItem(pointer string, i int) string { return pointer + "/" + strconv.Itoa(i) }

// parseJSON turns JSON into a tree, or returns nil where it is not JSON. YAML
// contains JSON but for tabs, some escapes and places, so it has its own way.
func parseJSON(file string, data []byte, r *report) *node {
	if err := json.Unmarshal(data, new(json.RawMessage)); err != nil {
		offset := len(data)
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			offset = int(syntax.Offset) - 1
		}
		r.add("", placeAt(file, data, max(offset, 0)), "this is not JSON: %s", clip(err.Error()))
		return nil
	}
	j := jsonTree{file: file, data: data, report: r, dec: json.NewDecoder(bytes.NewReader(data))}
	j.dec.UseNumber()
	root, err := j.value("", 0)
	if err != nil {
		r.add("", j.next(), "this JSON cannot be read: %s", clip(err.Error()))
		return nil
	}
	return root
}

// A jsonTree builds a tree out of the tokens of JSON.
type jsonTree struct {
	file   string
	data   []byte
	report *report
	dec    *json.Decoder
	// The line and column of the last offset asked for, less one; offsets only grow.
	offset, line, column int
}

// next returns the place of the token that the decoder reads next.
func (j *jsonTree) next() place {
	i := int(j.dec.InputOffset())
	for i < len(j.data) && strings.IndexByte(" \t\r\n,:", j.data[i]) >= 0 {
		i++
	}
	for ; j.offset < i; j.offset++ {
		if c := j.data[j.offset]; c == '\n' {
			j.line, j.column = j.line+1, 0
		} else if utf8.RuneStart(c) {
			j.column++
		}
	}
	return place{j.file, j.line + 1, j.column + 1}
}

var errTooDeep = errors.New("the values are nested too deeply; write them flatter")

func (j *jsonTree) value(pointer string, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	out := &node{at: j.next()}
	t, err := j.dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case bool:
		out.kind, out.text = boolean, strconv.FormatBool(t)
	case json.Number:
		out.kind, out.text = number, t.String()
	case string:
		out.kind, out.text = text, t
	case json.Delim:
		if t == '[' {
			err = j.items(out, pointer, depth)
		} else {
			err = j.fields(out, pointer, depth)
		}
		if err != nil {
			return nil, err
		}
		if _, err := j.dec.Token(); err != nil { // the closing bracket
			return nil, err
		}
	}
	out.measure()
	return out, nil
}

func (j *jsonTree) items(out *node, pointer string, depth int) error {
	out.kind = list
	for j.dec.More() {
		item, err := j.value(belowItem(pointer, len(out.items)), depth+1)
		if err != nil {
			return err
		}
		out.items = append(out.items, item)
	}
	return nil
}

func (j *jsonTree) fields(out *node, pointer string, depth int) error {
	out.kind = mapping
	first := map[string]place{}
	for j.dec.More() {
		at := j.next()
		t, err := j.dec.Token()
		if err != nil {
			return err
		}
		key, ok := t.(string)
		if !ok {
			return errors.New("a key must be text in quotes")
		}
		value, err := j.value(below(pointer, key), depth+1)
		if err != nil {
			return err
		}
		if before, twice := first[key]; twice {
			j.report.note(below(pointer, key), at, "the key %q is written twice (first on line %d); keep one", clip(key), before.line)
			continue
		}
		first[key] = at
		out.fields = append(out.fields, field{key, at, value})
	}
	return nil
}

// toJSON writes a node as JSON, its numbers as they were written.
func toJSON(n *node, pointer string, r *report) json.RawMessage {
	var b bytes.Buffer
	writeJSON(&b, n, pointer, r)
	return b.Bytes()
}

func writeJSON(b *bytes.Buffer, n *node, pointer string, r *report) {
	switch n.kind {
	case null:
		b.WriteString("null")
	case boolean, number:
		b.WriteString(n.text)
	case oddNumber:
		r.add(pointer, n.at, "%s is a number that JSON cannot write; use plain decimal digits, or put it in quotes", clip(n.text))
		b.WriteByte('0')
	case text:
		writeText(b, n.text)
	case list:
		for i, item := range n.items {
			b.WriteByte("[,"[min(i, 1)])
			writeJSON(b, item, belowItem(pointer, i), r)
		}
		if len(n.items) == 0 {
			b.WriteByte('[')
		}
		b.WriteByte(']')
	case mapping:
		for i, f := range n.fields {
			b.WriteByte("{,"[min(i, 1)])
			writeText(b, f.key)
			b.WriteByte(':')
			writeJSON(b, f.value, below(pointer, f.key), r)
		}
		if len(n.fields) == 0 {
			b.WriteByte('{')
		}
		b.WriteByte('}')
	}
}

func writeText(b *bytes.Buffer, s string) {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes, into memory
	b.Truncate(b.Len() - 1)
}
