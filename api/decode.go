package api

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/unwindhq/unwind"
)

// A decoder reads JSON objects into a T, strictly: names as they are, once each,
// none that is not known, and each value of its type. It collects every fault.
// The fields of T are text, numbers, durations, rates, times, bools, lists of text,
// raw JSON, and objects of these; a pointer to one of them stays nil where the value is missing.
type decoder[T any] struct{ object }

// An object is what is known of a Go struct that JSON is read into.
type object struct {
	fields []field
	known  string
}

type field struct {
	name     string
	index    int
	kind     fieldKind
	sub      *object // of an objectField
	required bool
}

type fieldKind uint8

const (
	textField fieldKind = iota
	durationField
	rateField
	timeField
	boolField
	intField
	rawField
	listField
	objectField
)

// newDecoder reads T's json tags; a field that may not be left out is required.
func newDecoder[T any]() *decoder[T] {
	return &decoder[T]{newObject(reflect.TypeFor[T]())}
}

func newObject(t reflect.Type) (o object) {
	var names []string
	for _, sf := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		f := field{name: name, index: sf.Index[0], required: !strings.Contains(options, "omit")}
		of := sf.Type
		if of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		switch {
		case of == reflect.TypeFor[unwind.Duration]():
			f.kind = durationField
		case of == reflect.TypeFor[unwind.Rate]():
			f.kind = rateField
		case of == reflect.TypeFor[json.RawMessage]():
			f.kind = rawField
		case of == reflect.TypeFor[unwind.Time]():
			f.kind = timeField
		case of == reflect.TypeFor[[]string]():
			f.kind = listField
		case of.Kind() == reflect.Bool:
			f.kind = boolField
		case of.Kind() == reflect.Int:
			f.kind = intField
		case of.Kind() == reflect.String:
			f.kind = textField
		case of.Kind() == reflect.Struct:
			sub := newObject(of)
			f.kind, f.sub = objectField, &sub
		default:
			panic("api: the decoder does not read fields of type " + sf.Type.String())
		}
		o.fields, names = append(o.fields, f), append(names, name)
	}
	o.known = strings.Join(names, ", ")
	return o
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
	if faults := d.read("", root, reflect.ValueOf(into).Elem()); len(faults) > 0 {
		return faulty(faults)
	}
	return nil
}

// read puts an object that stands at a pointer into a struct.
func (o *object) read(at string, root gjson.Result, v reflect.Value) (faults []unwind.Fault) {
	fault := func(name, message string) {
		faults = append(faults, unwind.Fault{Pointer: at + pointer(name), Message: message})
	}
	var seen uint64
	root.ForEach(func(key, value gjson.Result) bool {
		i := o.find(key.Str)
		switch {
		case i < 0:
			fault(key.Str, "it is not known here; there is "+o.known)
		case seen&(1<<i) != 0:
			fault(key.Str, "it is there twice")
		default:
			seen |= 1 << i
			f := &o.fields[i]
			into := v.Field(f.index)
			if into.Kind() == reflect.Pointer {
				into.Set(reflect.New(into.Type().Elem()))
				into = into.Elem()
			}
			if f.kind == objectField && value.IsObject() {
				faults = append(faults, f.sub.read(at+pointer(key.Str), value, into)...)
			} else if wrong := set(into, f, value); wrong != "" {
				fault(key.Str, wrong)
			}
		}
		return len(faults) < 20
	})
	for i := range o.fields {
		if o.fields[i].required && seen&(1<<i) == 0 {
			fault(o.fields[i].name, "it is missing")
		}
	}
	return faults
}

func (o *object) find(name string) int {
	for i := range o.fields {
		if o.fields[i].name == name {
			return i
		}
	}
	return -1
}

// set puts a value into a field, or says what is wrong with it.
func set(v reflect.Value, f *field, value gjson.Result) string {
	this := func(wants string) string { return "this is " + describeJSON(value) + wants }
	switch f.kind {
	case rawField:
		v.SetBytes([]byte(value.Raw))
	case boolField:
		if !value.IsBool() {
			return this("; write true or false")
		}
		v.SetBool(value.Bool())
	case intField:
		n, err := strconv.ParseInt(value.Raw, 10, 0)
		if err != nil {
			return this("; write a whole number, as in 10")
		}
		v.SetInt(n)
	case durationField, rateField:
		if value.Type != gjson.String {
			if f.kind == rateField {
				return this("; write a rate in quotes, as in \"40/s\"")
			}
			return this("; write a duration in quotes, as in \"10s\"")
		}
		into := v.Addr().Interface().(encoding.TextUnmarshaler) //nolint:errcheck // both are
		if err := into.UnmarshalText([]byte(clip(value.Str))); err != nil {
			return err.Error()
		}
	case timeField:
		if value.Type != gjson.String {
			return this("; write a time in quotes, as in \"2026-01-02T15:04:05Z\"")
		}
		t, err := time.Parse(time.RFC3339Nano, value.Str)
		if err != nil {
			return "write a time as in 2026-01-02T15:04:05Z"
		}
		v.Set(reflect.ValueOf(unwind.Time{Time: t.UTC()}))
	case listField:
		if !value.IsArray() {
			return this("; write a list of texts in brackets")
		}
		list := []string{}
		for _, item := range value.Array() {
			if item.Type != gjson.String {
				return "it holds " + describeJSON(item) + "; write texts in quotes"
			}
			list = append(list, item.Str)
		}
		v.Set(reflect.ValueOf(list))
	case textField:
		if value.Type != gjson.String {
			return this(" and wants text in quotes")
		}
		if strings.ContainsRune(value.Str, utf8.RuneError) && halved(value.Raw) {
			return "it holds half of a surrogate pair, which is no character; write both halves, or the character itself"
		}
		v.SetString(value.Str)
	case objectField:
		return this("; write an object with " + f.sub.known)
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
