package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/unwindhq/unwind"
)

// A knownField is a key that a mapping may have.
type knownField struct {
	name  string
	index []int
	typ   reflect.Type
	// omitted says that zero stands for "not set", so that nobody may mean it.
	omitted bool
	env     string
}

// A fieldList is the keys of a mapping, in the order of the Go type.
type fieldList struct {
	of  reflect.Type
	all []knownField
}

// fieldsOf returns the keys of a struct by their json tags. An outer field
// hides an embedded one of the same name, as in encoding/json.
func fieldsOf(t reflect.Type) fieldList {
	out := fieldList{of: t}
	for _, sf := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if !sf.IsExported() || sf.Anonymous || name == "" || name == "-" || name == "local" {
			continue
		}
		out.all = append(out.all, knownField{name, sf.Index, sf.Type, strings.Contains(options, "omit"), sf.Tag.Get("env")})
	}
	return out
}

// without leaves a key out.
func (l fieldList) without(name string) fieldList {
	l.all = slices.DeleteFunc(slices.Clone(l.all), func(f knownField) bool { return f.name == name })
	return l
}

func (l fieldList) find(name string) (knownField, bool) {
	for _, f := range l.all {
		if f.name == name {
			return f, true
		}
	}
	return knownField{}, false
}

func (l fieldList) names() []string {
	names := make([]string, len(l.all))
	for i, f := range l.all {
		names[i] = f.name
	}
	return names
}

// shape shows how a mapping is written, by its first keys.
func shape(l fieldList) string {
	names := l.names()
	return "{" + strings.Join(names[:min(len(names), 2)], ": …, ") + ": …}"
}

// scalar reports whether an absent value of the type is a slip rather than an
// empty list or mapping.
func scalar(t reflect.Type) bool {
	switch t {
	case secretType, durationType, rateType:
		return true
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Map, reflect.Slice, reflect.Pointer:
		return false
	}
	return true
}

// wanted says what a type with a text form looks like.
func wanted(t reflect.Type) string {
	if t == rateType {
		return "calls per time, as in 40/s, 2400/min or 100/h"
	}
	return "a duration with its unit, as in 250ms, 10s, 5m or 72h"
}

// example shows a value of a type; empty where none would help.
func example(t reflect.Type) string {
	switch {
	case t == rateType:
		return ", as in 40/s"
	case t == durationType:
		return ", as in 10s"
	case t.Kind() == reflect.Int:
		return ", as in 10"
	case t.Kind() == reflect.Bool:
		return ", true or false"
	}
	return ""
}

// zeroNumber reports whether zero was written where zero means "not set".
func zeroNumber(n *node, v reflect.Value) bool {
	if n.kind != number && v.Type() != durationType {
		return false
	}
	switch v.Kind() {
	case reflect.Int, reflect.Int64, reflect.Float64:
		return v.IsZero() && strings.Trim(n.text, "0.eE+-hmsnuµ") == "" && n.text != ""
	}
	return false
}

// firstOf returns a setting to write where one is needed to turn something on.
func firstOf(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[unwind.Breaker]():
		return "open: 30s"
	case reflect.TypeFor[unwind.Backlog]():
		return "objective: 2m"
	}
	return ""
}

// zeroMeans says what to write in place of a zero.
func zeroMeans(f knownField) string {
	switch f.name {
	case "concurrency", "burst":
		return fmt.Sprintf("%s 0 would let nothing through; write at least 1, or pause the lane instead", f.name)
	case "rate", "window":
		return fmt.Sprintf("%s 0 would let nothing through; write at least 1/h, or pause the lane instead", f.name)
	case "max_active", "max_starts", "max_body_bytes", "max_active_bytes":
		return fmt.Sprintf("%s 0 would let no saga run; write at least 1", f.name)
	case "attempts":
		return "attempts 0 would never call; write at least 1"
	case "weight":
		return "weight 0 would never get a turn; write at least 1"
	case "key_lifetime":
		return "key_lifetime 0 would forget each key at once; leave it out where keys are remembered for ever"
	}
	return fmt.Sprintf("%s is zero, which does not count as set; leave it out for the default, or write a positive value", f.name)
}
