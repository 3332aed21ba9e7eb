package config

import (
	"reflect"
	"slices"
)

// A Flag is a value of the command line, which goes before all others.
type Flag struct {
	Name    string // as it was written, --listen; faults are told with it
	Pointer string // JSON pointer to what it sets
	Value   string
}

// Variables returns the environment variables that go before the file, in the
// order of the package's documentation, with the JSON pointers of what they set.
func Variables() (names, pointers []string) {
	walkVariables(reflect.TypeFor[Config](), nil, func(name string, path []string) {
		pointer := ""
		for _, part := range path {
			pointer = below(pointer, part)
		}
		names, pointers = append(names, name), append(pointers, pointer)
	})
	return names, pointers
}

func walkVariables(t reflect.Type, path []string, visit func(name string, path []string)) {
	for _, f := range fieldsOf(t).all {
		at := append(slices.Clone(path), f.name)
		if f.env != "" {
			visit(f.env, at)
		} else if f.typ.Kind() == reflect.Struct {
			walkVariables(f.typ, at, visit)
		}
	}
}

// override puts the environment's values in place of the file's, each with the
// variable as its place.
func override(root *node, env func(string) (string, bool)) *node {
	walkVariables(reflect.TypeFor[Config](), nil, func(name string, path []string) {
		value, set := env(name)
		if !set || value == "" {
			return
		}
		root = root.with(path, textNode(value, place{file: "environment variable " + name}))
	})
	return root
}

// textNode is a value that stands by itself.
func textNode(value string, at place) *node {
	n := &node{kind: text, text: value, at: at}
	if numberKind(value) == number {
		n.kind = number
	}
	return n
}

// with returns a copy of n that holds value at path. Where something on the
// way is no mapping, n itself is returned: that fault is to be seen.
func (n *node) with(path []string, value *node) *node {
	if len(path) == 0 {
		return value
	}
	if n.kind != mapping && n.kind != null {
		return n
	}
	out := *n
	out.kind, out.fields = mapping, slices.Clone(n.fields)
	if f := out.find(path[0]); f != nil {
		f.value = f.value.with(path[1:], value)
		if len(path) == 1 {
			f.at = value.at
		}
		return &out
	}
	empty := &node{at: value.at}
	out.fields = append(out.fields, field{path[0], value.at, empty.with(path[1:], value)})
	return &out
}
