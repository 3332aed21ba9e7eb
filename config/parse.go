package config

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// parse turns a file into a tree. It returns nil where the file cannot be
// read as a whole; the report then says why.
func parse(file string, data []byte, r *report) *node {
	start := place{file: file, line: 1, column: 1}
	if len(data) > maxBytes {
		r.add("", place{file: file}, "the file has %d bytes; the most is %d (1 MiB): split it", len(data), maxBytes)
		return nil
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if bad := invalidText(data); bad >= 0 {
		r.add("", placeAt(file, data, bad), "the file is not UTF-8 text here; save it as UTF-8")
		return nil
	}
	var root *node
	trimmed := bytes.TrimLeft(data, " \t\r\n")
	if bytes.HasPrefix(trimmed, []byte("{")) && (json.Valid(data) || strings.EqualFold(filepath.Ext(file), ".json")) {
		root = parseJSON(file, data, r)
	} else {
		root = parseYAML(file, data, r)
	}
	switch {
	case root == nil:
		return nil
	case root.height > maxDepth:
		r.add("", start, "the values are nested deeper than %d levels; write them flatter", maxDepth)
		return nil
	case root.size > maxValues:
		r.add("", start, "the file holds more than %d values, its aliases expanded; split it", maxValues)
		return nil
	}
	return root
}

// invalidText returns the offset of the first byte that is not text, or -1.
func invalidText(data []byte) int {
	for i := 0; i < len(data); {
		c, size := utf8.DecodeRune(data[i:])
		if c == utf8.RuneError && size == 1 || c == 0 {
			return i
		}
		i += size
	}
	return -1
}

// placeAt returns the place of a byte.
func placeAt(file string, data []byte, offset int) place {
	before := data[:min(offset, len(data))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	return place{file, line, column}
}
