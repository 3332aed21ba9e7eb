package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/unwindhq/unwind"
)

// A decoder reads JSON objects into a T, strictly: names as they are, once each,
// none that is not known, and each value of its type. It collects every fault.
// The fields of T are text, durations, bools and raw JSON.
type decoder[T any] struct {
	fields []field
	known  string
}

type field struct {
	name     string
	index    int
	kind     fieldKind
	required bool
}

type fieldKind uint8

const (
	textField fieldKind = iota
	durationField
	boolField
	rawField
)

// newDecoder reads T's json tags; a field without omitempty is required.
func newDecoder[T any]() *decoder[T] {
	d := &decoder[T]{}
	var names []string
	for _, sf := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		name, options, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		f := field{name: name, index: sf.Index[0], required: !strings.Contains(options, "omitempty")}
		switch {
		case sf.Type == reflect.TypeFor[unwind.Duration]():
			f.kind = durationField
		case sf.Type == reflect.TypeFor[json.RawMessage]():
			f.kind = rawField
		case sf.Type.Kind() == reflect.Bool:
			f.kind = boolField
		case sf.Type.Kind() == reflect.String:
			f.kind = textField
		default:
			panic("api: the decoder does not read fields of type " + sf.Type.String())
		}
		d.fields, names = append(d.fields, f), append(names, name)
	}
	d.known = strings.Join(names, ", ")
	return d
}

// decode reads one object. The body must have passed checkJSON.
func (d *decoder[T]) decode(body []byte, into *T) error {
	if !json.Valid(body) {
		return notJSON(body)
	}
	root := gjson.ParseBytes(body)
	if !root.IsObject() {
		return unwind.Errorf(unwind.InvalidRequest, "the body is no JSON object; send one with %s", d.known)
	}
	var faults []unwind.Fault
	v := reflect.ValueOf(into).Elem()
	var seen uint64
	root.ForEach(func(key, value gjson.Result) bool {
		i := d.find(key.Str)
		switch {
		case i < 0:
			faults = append(faults, unwind.Fault{Pointer: pointer(key.Str), Message: "it is not known here; there is " + d.known})
		case seen&(1<<i) != 0:
			faults = append(faults, unwind.Fault{Pointer: pointer(key.Str), Message: "it is there twice"})
		default:
			seen |= 1 << i
			if wrong := set(v.Field(d.fields[i].index), d.fields[i].kind, value); wrong != "" {
				faults = append(faults, unwind.Fault{Pointer: pointer(key.Str), Message: wrong})
			}
		}
		return len(faults) < 20
	})
	for i := range d.fields {
		if d.fields[i].required && seen&(1<<i) == 0 {
			faults = append(faults, unwind.Fault{Pointer: "/" + d.fields[i].name, Message: "it is missing"})
		}
	}
	if len(faults) > 0 {
		return faulty(faults)
	}
	return nil
}

func (d *decoder[T]) find(name string) int {
	for i := range d.fields {
		if d.fields[i].name == name {
			return i
		}
	}
	return -1
}

// set puts a value into a field, or says what is wrong with it.
func set(v reflect.Value, kind fieldKind, value gjson.Result) string {
	switch kind {
	case rawField:
		v.SetBytes([]byte(value.Raw))
	case boolField:
		if !value.IsBool() {
			return "this is " + describeJSON(value) + "; write true or false"
		}
		v.SetBool(value.Bool())
	case durationField:
		if value.Type != gjson.String {
			return "this is " + describeJSON(value) + "; write a duration in quotes, as in \"10s\""
		}
		var d unwind.Duration
		if err := d.UnmarshalText([]byte(clip(value.Str))); err != nil {
			return err.Error()
		}
		v.SetInt(int64(d))
	case textField:
		if value.Type != gjson.String {
			return "this is " + describeJSON(value) + " and wants text in quotes"
		}
		if strings.ContainsRune(value.Str, utf8.RuneError) && halved(value.Raw) {
			return "it holds half of a surrogate pair, which is no character; write both halves, or the character itself"
		}
		v.SetString(value.Str)
	}
	return ""
}

// halved reports whether a JSON string has an escape \ud800 to \udfff whose other
// half is not there. Decoders put U+FFFD in its place, so that two texts become one.
func halved(raw string) bool {
	for i := 0; i < len(raw)-1; i++ {
		if raw[i] != '\\' {
			continue
		}
		if i++; raw[i] != 'u' {
			continue
		}
		r := hexRune(raw[i+1:])
		i += 4
		if !utf16.IsSurrogate(r) {
			continue
		}
		if !strings.HasPrefix(raw[i+1:], `\u`) || utf16.DecodeRune(r, hexRune(raw[i+3:])) == utf8.RuneError {
			return true
		}
		i += 6
	}
	return false
}

// hexRune reads the four digits of an escape, of JSON that is valid.
func hexRune(digits string) rune {
	n, _ := strconv.ParseUint(digits[:4], 16, 16)
	return rune(n)
}

func describeJSON(v gjson.Result) string {
	switch {
	case v.IsObject():
		return "an object"
	case v.IsArray():
		return "a list"
	case v.Type == gjson.String:
		return "text"
	}
	return v.Raw
}

var escapePointer = strings.NewReplacer("~", "~0", "/", "~1")

func pointer(name string) string { return "/" + escapePointer.Replace(clip(name)) }

// notJSON says where a body stops being JSON.
func notJSON(body []byte) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return unwind.Errorf(unwind.InvalidRequest, "the body is empty; send a JSON object")
	}
	var v any
	err := json.Unmarshal(body, &v)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		before := body[:min(int(syntax.Offset), len(body))]
		line := bytes.Count(before, []byte("\n")) + 1
		column := len(before) - (bytes.LastIndexByte(before, '\n') + 1)
		return unwind.Errorf(unwind.InvalidRequest, "the body is not JSON: line %d, column %d: %w", line, max(column, 1), err)
	}
	return unwind.Errorf(unwind.InvalidRequest, "%w", fmt.Errorf("the body is not JSON: %w", err))
}
