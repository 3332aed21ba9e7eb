package machine

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// AppendEntries appends the JSON form of a transition's entries: an array of
// objects with the one-letter names of [Entry]'s tags. It writes what
// encoding/json would, without its cost.
func AppendEntries(b []byte, entries []Entry) []byte {
	b = append(b, '[')
	for i := range entries {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendEntry(b, &entries[i])
	}
	return append(b, ']')
}

func appendEntry(b []byte, e *Entry) []byte {
	b = append(b, `{"k":`...)
	b = AppendJSONString(b, e.Kind)
	b = append(b, `,"t":`...)
	b = strconv.AppendInt(b, int64(e.At), 10)
	b = append(b, `,"s":`...)
	b = strconv.AppendInt(b, int64(e.Step), 10)
	b = appendText(b, "d", string(e.Dir))
	b = appendInt(b, "n", int64(e.Attempt))
	b = appendInt(b, "g", int64(e.Generation))
	b = appendInt(b, "b", int64(e.NotBefore))
	b = appendFlag(b, "ask", e.Ask)
	b = appendText(b, "c", string(e.Class))
	b = appendInt(b, "h", int64(e.Status))
	b = appendInt(b, "ra", int64(e.Asked))
	b = appendText(b, "m", e.Message)
	b = appendFlag(b, "i", e.Counted)
	b = appendFlag(b, "x", e.Executed)
	b = appendText(b, "by", e.Actor)
	b = appendText(b, "why", e.Reason)
	b = appendText(b, "ev", e.Evidence)
	b = appendFlag(b, "nk", e.NewKey)
	b = appendText(b, "as", e.As)
	b = appendText(b, "gr", e.Group)
	if len(e.Output) > 0 {
		b = append(b, `,"o":`...)
		b = append(b, e.Output...)
	}
	b = appendText(b, "bd", e.Body)
	return append(b, '}')
}

func appendText(b []byte, name, v string) []byte {
	if v == "" {
		return b
	}
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	return AppendJSONString(b, v)
}

func appendInt(b []byte, name string, v int64) []byte {
	if v == 0 {
		return b
	}
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	return strconv.AppendInt(b, v, 10)
}

func appendFlag(b []byte, name string, v bool) []byte {
	if !v {
		return b
	}
	b = append(b, ',', '"')
	b = append(b, name...)
	return append(b, `":true`...)
}

// DecodeEntries reads what AppendEntries wrote. Unknown fields of a newer
// program are passed over.
func DecodeEntries(b []byte) ([]Entry, error) {
	var entries []Entry
	if err := json.Unmarshal(b, &entries); err != nil {
		return nil, fmt.Errorf("decoding a journal row: %w; the row is damaged", err)
	}
	return entries, nil
}
