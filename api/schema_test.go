package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A document is an OpenAPI document as JSON has it. What it says is checked here
// by code of its own, not by what generated it.
type document map[string]any

func (d document) at(path ...string) any {
	var v any = map[string]any(d)
	for _, p := range path {
		m, _ := v.(map[string]any)
		v = m[p]
	}
	return v
}

// operations lists "METHOD /path" of every operation.
func (d document) operations() []string {
	var keys []string
	paths, _ := d.at("paths").(map[string]any)
	for path, item := range paths {
		for method := range item.(map[string]any) {
			keys = append(keys, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(keys)
	return keys
}

func (d document) operation(key string) map[string]any {
	method, path, _ := strings.Cut(key, " ")
	op, _ := d.at("paths", path, strings.ToLower(method)).(map[string]any)
	return op
}

// known are the keywords that check understands; a schema with another one
// would be taken for wider than it is.
var known = []string{
	"type", "description", "$ref", "format", "enum", "items", "properties", "required", "additionalProperties",
	"anyOf", "oneOf", "minimum", "maximum", "examples",
}

// check returns what is wrong with a value, held against a schema. An object's
// properties must all be declared.
func (d document) check(at string, schema any, v any) (wrong []string) {
	s, ok := schema.(map[string]any)
	if !ok {
		return []string{at + ": there is no schema"}
	}
	for k := range s {
		if !slices.Contains(known, k) {
			wrong = append(wrong, fmt.Sprintf("%s: the validator does not know the keyword %s", at, k))
		}
	}
	add := func(format string, args ...any) { wrong = append(wrong, at+": "+fmt.Sprintf(format, args...)) }
	if ref, ok := s["$ref"].(string); ok {
		return append(wrong, d.check(at, d.at("components", "schemas", strings.TrimPrefix(ref, "#/components/schemas/")), v)...)
	}
	for _, key := range []string{"anyOf", "oneOf"} {
		list, ok := s[key].([]any)
		if !ok {
			continue
		}
		matches := 0
		for _, sub := range list {
			if len(d.check(at, sub, v)) == 0 {
				matches++
			}
		}
		if matches == 0 || key == "oneOf" && matches != 1 {
			add("%v matches %d schemas of %s", v, matches, key)
		}
	}
	if t := s["type"]; t != nil && !hasType(t, v) {
		add("%T is not of type %v", v, t)
		return wrong
	}
	if words, ok := s["enum"].([]any); ok && !slices.Contains(words, v) {
		add("%v is none of %v", v, words)
	}
	switch v := v.(type) {
	case string:
		if s["format"] == "date-time" {
			if _, err := time.Parse("2006-01-02T15:04:05.000000Z", v); err != nil {
				add("%q is no time with microseconds in UTC", v)
			}
		}
	case []any:
		for i, item := range v {
			wrong = append(wrong, d.check(fmt.Sprintf("%s/%d", at, i), s["items"], item)...)
		}
	case map[string]any:
		wrong = append(wrong, d.checkObject(at, s, v)...)
	}
	return wrong
}

func (d document) checkObject(at string, s, v map[string]any) (wrong []string) {
	if s["type"] == nil {
		return nil // any JSON
	}
	required, _ := s["required"].([]any)
	for _, name := range required {
		if _, ok := v[name.(string)]; !ok {
			wrong = append(wrong, fmt.Sprintf("%s: %s is missing", at, name))
		}
	}
	properties, _ := s["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(v)) {
		sub, ok := properties[name]
		if more, open := s["additionalProperties"].(map[string]any); !ok && open {
			sub, ok = more, true
		}
		if !ok {
			wrong = append(wrong, fmt.Sprintf("%s: the document does not know %s", at, name))
			continue
		}
		wrong = append(wrong, d.check(at+"/"+name, sub, v[name])...)
	}
	return wrong
}

func hasType(t, v any) bool {
	if list, ok := t.([]any); ok {
		return slices.ContainsFunc(list, func(t any) bool { return hasType(t, v) })
	}
	switch v := v.(type) {
	case nil:
		return t == "null"
	case bool:
		return t == "boolean"
	case string:
		return t == "string"
	case json.Number:
		n, ok := new(big.Rat).SetString(string(v))
		return t == "number" || t == "integer" && ok && n.IsInt()
	case []any:
		return t == "array"
	case map[string]any:
		return t == "object"
	}
	return false
}

// pathMatches reports whether a concrete path is one of a template's.
func pathMatches(template, path string) bool {
	form := regexp.MustCompile(`\\\{[a-z]+\\\}`).ReplaceAllString(regexp.QuoteMeta(template), "[^/]+")
	return regexp.MustCompile("^" + form + "$").MatchString(path)
}
