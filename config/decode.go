package config

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"

	"github.com/unwindhq/unwind"
)

// A decoder lays a tree over Go values. It never stops at a fault: what it
// cannot take keeps its zero value, and the report says why.
type decoder struct {
	*report
	secrets secretReader
}

var (
	secretType   = reflect.TypeFor[Secret]()
	callType     = reflect.TypeFor[*unwind.Call]()
	rawType      = reflect.TypeFor[json.RawMessage]()
	durationType = reflect.TypeFor[unwind.Duration]()
	rateType     = reflect.TypeFor[unwind.Rate]()
)

// decode sets v, which must be settable, to what n says.
func (d *decoder) decode(n *node, v reflect.Value, pointer string) {
	switch v.Type() {
	case rawType:
		v.SetBytes(toJSON(n, pointer, d.report))
		return
	case secretType:
		v.Set(reflect.ValueOf(d.secret(n, pointer)))
		return
	case durationType, rateType:
		d.decodeText(n, v, pointer)
		return
	case callType:
		if n.kind == text {
			d.decodeNone(n, v, pointer)
			return
		}
	}
	switch v.Kind() {
	case reflect.Pointer:
		if n.kind == null {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(n, v.Elem(), pointer)
	case reflect.Struct:
		d.decodeStruct(n, v, pointer)
	case reflect.Map:
		d.decodeMap(n, v, pointer)
	case reflect.Slice:
		d.decodeSlice(n, v, pointer)
	default:
		d.decodeScalar(n, v, pointer)
	}
}

// decodeNone reads compensation: none, the only text that stands for a call.
func (d *decoder) decodeNone(n *node, v reflect.Value, pointer string) {
	if n.text == "none" && strings.HasSuffix(pointer, "/compensation") {
		v.Set(reflect.ValueOf(unwind.None))
		return
	}
	if strings.HasSuffix(pointer, "/compensation") {
		d.add(pointer, n.at, "%q is no compensation; write none where there is nothing to undo, or a call, as in {service: payments, path: /refund}", clip(n.text))
		return
	}
	d.add(pointer, n.at, "%q is no call; write a mapping, as in {service: payments, path: /charge}", clip(n.text))
}

func (d *decoder) decodeStruct(n *node, v reflect.Value, pointer string) {
	fields := fieldsOf(v.Type())
	if strings.HasSuffix(pointer, "/compensation") { // in Go the limits of a tenant hold those of its compensations
		fields = fields.without("compensation")
	}
	if !d.is(n, mapping, pointer, "write "+shape(fields)) {
		return
	}
	for _, f := range n.fields {
		at := below(pointer, f.key)
		known, ok := fields.find(f.key)
		if !ok {
			d.unknown(f, n, fields, pointer)
			continue
		}
		target := v.FieldByIndex(known.index)
		if f.value.kind == null && scalar(target.Type()) {
			d.add(at, f.at, "%s has no value; write one%s, or take the line away", f.key, example(target.Type()))
			continue
		}
		d.decode(f.value, target, at)
		if one := firstOf(target.Type()); one != "" && len(f.value.fields) == 0 && !d.judged[at] {
			d.add(at, f.at, "%s holds nothing, and so does nothing; write one of its settings, as in %s: {%s}", f.key, f.key, one)
		}
		if known.omitted && !d.judged[at] && zeroNumber(f.value, target) {
			d.add(at, f.value.at, "%s", zeroMeans(known))
		}
	}
}

// unknown reports a key of a mapping that means nothing there.
func (d *decoder) unknown(f field, in *node, fields fieldList, pointer string) {
	at := below(pointer, f.key)
	if f.key == "local" && fields.of == callType.Elem() {
		d.add(at, f.at, "local marks a Go function, which a file cannot name; name a service and a path")
		return
	}
	near, ok := closest(f.key, fields.names())
	if !ok {
		d.add(at, f.at, "the key %q is not known here; there is %s", clip(f.key), strings.Join(fields.names(), ", "))
		return
	}
	// What is missing because of the slip is not reported a second time.
	if in.find(near) == nil {
		d.excuse(below(pointer, near))
	}
	d.add(at, f.at, "the key %q is not known here; did you mean %q?", clip(f.key), near)
}

func (d *decoder) decodeMap(n *node, v reflect.Value, pointer string) {
	if !d.is(n, mapping, pointer, "write one entry per name, as in name: {…}") {
		return
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(n.fields)))
	for _, f := range n.fields {
		at := below(pointer, f.key)
		elem := reflect.New(v.Type().Elem()).Elem()
		if f.value.kind == null && scalar(elem.Type()) {
			d.add(at, f.at, "%s has no value; write one, or take the line away", clip(f.key))
		} else {
			d.decode(f.value, elem, at)
		}
		v.SetMapIndex(reflect.ValueOf(f.key), elem)
	}
}

func (d *decoder) decodeSlice(n *node, v reflect.Value, pointer string) {
	if !d.is(n, list, pointer, "write [a, b], or each entry on a line of its own that begins with a dash") {
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.items), len(n.items)))
	for i, item := range n.items {
		at := belowItem(pointer, i)
		if item.kind == null {
			d.add(at, item.at, "this entry is empty; write one or take the dash away")
			continue
		}
		d.decode(item, v.Index(i), at)
	}
}

// is reports whether n is of the kind that is wanted; null is of none, and
// stands for a value that is not there.
func (d *decoder) is(n *node, want kind, pointer, right string) bool {
	if n.kind != want && n.kind != null {
		d.add(pointer, n.at, "this is %s and wants %s; %s", n.describe(), want, right)
	}
	return n.kind == want
}

// describe says what a node is, without repeating text that may be a secret.
func (n *node) describe() string {
	if n.kind == number || n.kind == oddNumber || n.kind == boolean {
		return clip(n.text)
	}
	return n.kind.String()
}

// decodeText reads a type that has a text form, which is never a bare number.
func (d *decoder) decodeText(n *node, v reflect.Value, pointer string) {
	if n.kind != text && n.kind != number {
		d.add(pointer, n.at, "this is %s and wants %s", n.describe(), wanted(v.Type()))
		return
	}
	u, ok := v.Addr().Interface().(encoding.TextUnmarshaler)
	if !ok {
		return
	}
	if n.kind == number && n.text != "0" {
		d.add(pointer, n.at, "%s has no unit; write %s", clip(n.text), wanted(v.Type()))
	} else if n.text == "" {
		d.add(pointer, n.at, "this is empty; write %s", wanted(v.Type()))
	} else if len(n.text) > 80 {
		d.add(pointer, n.at, "this is too long; write %s", wanted(v.Type()))
	} else if err := u.UnmarshalText([]byte(n.text)); err != nil {
		d.add(pointer, n.at, "%s", err)
	}
}

func (d *decoder) decodeScalar(n *node, v reflect.Value, pointer string) {
	switch v.Kind() {
	case reflect.String:
		switch n.kind {
		case text:
			v.SetString(n.text)
		case number, oddNumber, boolean:
			d.add(pointer, n.at, "this is %s and wants text; put it in quotes, as in \"%s\"", n.describe(), clip(n.text))
		default:
			d.add(pointer, n.at, "this is %s and wants text", n.describe())
		}
	case reflect.Bool:
		if n.kind == boolean {
			v.SetBool(n.text == "true")
		} else {
			d.add(pointer, n.at, "this is %s; write true or false", quoteShort(n))
		}
	case reflect.Int:
		i, err := strconv.ParseInt(n.text, 10, 64)
		switch {
		case n.kind != number || err != nil:
			d.add(pointer, n.at, "this is %s and wants a whole number in plain digits, as in 10", quoteShort(n))
		case i < 0:
			d.add(pointer, n.at, "%d is negative; write a positive number, as in 10", i)
		default:
			v.SetInt(i)
		}
	case reflect.Float64:
		x, err := strconv.ParseFloat(n.text, 64)
		switch {
		case n.kind != number || err != nil:
			d.add(pointer, n.at, "this is %s and wants a number in plain digits, as in 0.5", quoteShort(n))
		case x < 0:
			d.add(pointer, n.at, "%s is negative; write a positive number", clip(n.text))
		default:
			v.SetFloat(x)
		}
	}
}

// quoteShort shows a scalar where it cannot be a secret.
func quoteShort(n *node) string {
	if n.kind == text {
		return strconv.Quote(clip(n.text))
	}
	return n.describe()
}
