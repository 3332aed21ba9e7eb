package storetest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/unwindhq/unwind/internal/id"
)

// render writes a value so that equal answers are equal texts: fields that are
// zero are left out, nil and empty are one, and ids read as everywhere else.
func render(v any) string {
	var b strings.Builder
	renderValue(&b, reflect.ValueOf(v), "")
	return b.String()
}

func renderValue(b *strings.Builder, v reflect.Value, indent string) {
	if !v.IsValid() {
		b.WriteString("nothing")
		return
	}
	switch x := v.Interface().(type) {
	case id.ID:
		b.WriteString(x.String())
		return
	case []byte:
		fmt.Fprintf(b, "%q", x)
		return
	case error:
		fmt.Fprintf(b, "error %q", x)
		return
	}
	inner := indent + "  "
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		renderValue(b, v.Elem(), indent)
	case reflect.Struct:
		b.WriteByte('{')
		for i := range v.NumField() {
			if f := v.Field(i); !isNothing(f) {
				fmt.Fprintf(b, " %s:", v.Type().Field(i).Name)
				renderValue(b, f, inner)
			}
		}
		b.WriteString(" }")
	case reflect.Slice, reflect.Array:
		b.WriteByte('[')
		for i := range v.Len() {
			fmt.Fprintf(b, "\n%s%d: ", inner, i)
			renderValue(b, v.Index(i), inner)
		}
		b.WriteByte(']')
	case reflect.Map:
		var entries []string
		for _, k := range v.MapKeys() {
			if !isNothing(v.MapIndex(k)) {
				entries = append(entries, fmt.Sprintf(" %v:%s", k, render(v.MapIndex(k).Interface())))
			}
		}
		slices.Sort(entries)
		fmt.Fprintf(b, "{%s }", strings.Join(entries, ""))
	case reflect.String:
		fmt.Fprintf(b, "%q", v.String())
	default:
		fmt.Fprintf(b, "%v", v.Interface())
	}
}

func isNothing(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	default:
		return v.IsZero()
	}
}

// difference shows the lines in which two texts differ, the first few of them,
// and nothing for equal texts.
func difference(got, want string) string {
	if got == want {
		return ""
	}
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	var b strings.Builder
	for i, shown := 0, 0; i < max(len(g), len(w)) && shown < 10; i++ {
		left, right := lineAt(g, i), lineAt(w, i)
		if left != right {
			shown++
			fmt.Fprintf(&b, "- %s\n+ %s\n", left, right)
		}
	}
	return b.String()
}

func lineAt(lines []string, i int) string {
	if i >= len(lines) {
		return "(no line)"
	}
	if l := lines[i]; len(l) > 2000 {
		return fmt.Sprintf("%s… (%d bytes)", l[:2000], len(l))
	}
	return lines[i]
}
