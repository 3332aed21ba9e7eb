package machine

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/unwindhq/unwind/internal/planted"
)

// AppendJSONString appends s as a JSON string, as encoding/json does where it
// does not escape for HTML.
func AppendJSONString(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if c >= utf8.RuneSelf && (r != utf8.RuneError || size > 1) && r != '\u2028' && r != '\u2029' {
			i += size
			continue
		}
		b = append(append(b, s[from:i]...), '\\')
		switch c {
		case '"', '\\':
			b = append(b, c)
		case '\b', '\f', '\n', '\r', '\t':
			b = append(b, "btn?fr"[c-'\b'])
		default:
			hex := strconv.FormatUint(0x10000|uint64(r), 16)
			b = append(append(b, 'u'), hex[1:]...)
		}
		i += size
		from = i
	}
	return append(append(b, s[from:]...), '"')
}

func appendRaw(b []byte, raw json.RawMessage) []byte {
	if len(raw) == 0 {
		return append(b, "null"...)
	}
	if planted.On(planted.RoundNumbers) {
		if f, err := strconv.ParseFloat(string(raw), 64); err == nil {
			return strconv.AppendFloat(b, f, 'g', -1, 64)
		}
	}
	return append(b, raw...)
}

// pick returns the value at a dotted path as it was written, or nil. A part is a
// name in an object or an index in an array.
func pick(doc json.RawMessage, path string) json.RawMessage {
	for path != "" && len(doc) > 0 {
		var part string
		part, path, _ = strings.Cut(path, ".")
		doc = member(doc, part)
	}
	return doc
}

func member(doc json.RawMessage, name string) json.RawMessage {
	var object map[string]json.RawMessage
	if json.Unmarshal(doc, &object) == nil {
		return object[name]
	}
	var array []json.RawMessage
	i, err := strconv.ParseUint(name, 10, 31)
	if err != nil || json.Unmarshal(doc, &array) != nil || i >= uint64(len(array)) {
		return nil
	}
	return array[i]
}

// plainText is a value as it reads inside a text: a string without its quotes,
// nothing for null, anything else as it was written.
func plainText(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || slices.Equal(raw, []byte("null")) {
		return ""
	}
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}
