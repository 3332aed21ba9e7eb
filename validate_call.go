package unwind

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

func validateCall(f faults, c *Call, participants map[string]Participant, d *Definition, order Order, step int, dir Direction) {
	if c == nil || c.IsNone() {
		return
	}
	validateSpan(f.below("timeout"), c.Timeout)
	if c.Func != nil || c.Local {
		if c.Service != "" {
			f.below("service").add("a call goes to a Go function or to the service %q, not to both", c.Service)
		}
	} else {
		if c.Service == "" {
			f.below("service").add("the call names no service")
		} else if _, ok := participants[c.Service]; !ok {
			f.below("service").add("the service %q is not declared%s", c.Service, didYouMean(c.Service, participants))
		}
		if !validPath(c.Path) {
			f.below("path").add("path %q must begin with a slash and hold no fragment or blanks, as in /charge", c.Path)
		}
	}
	switch c.Priority {
	case "", Money, Normal, Low:
	default:
		f.below("priority").add("%q is not a priority; write money, normal or low", c.Priority)
	}
	if c.Priority != "" && dir == Action {
		f.below("priority").add("priority is of compensations; an action goes when its turn comes: move it to the step's compensation")
	}
	if c.Body != nil && !json.Valid(c.Body) {
		f.below("body").add("the body is not JSON; write a JSON value, as in {\"order\": \"${input.order_id}\"}")
		return
	}
	if bytes.Contains(c.Body, []byte("$")) {
		dec := json.NewDecoder(bytes.NewReader(c.Body))
		dec.UseNumber()
		var body any
		if dec.Decode(&body) == nil {
			d.validateTemplate(f.below("body"), body, order, step, dir)
		}
	}
}

// validPath reports whether p can be appended to a participant's URL.
func validPath(p string) bool {
	return strings.HasPrefix(p, "/") && !strings.Contains(p, "://") && !strings.ContainsFunc(p, func(r rune) bool {
		return r <= ' ' || r == '#' || r == '\\' || r == 0x7f
	})
}

var reference = regexp.MustCompile(`\$\{([^}]*)\}`)

// validateTemplate checks the references in the strings of a body.
func (d *Definition) validateTemplate(f faults, v any, order Order, step int, dir Direction) {
	switch v := v.(type) {
	case string:
		found := reference.FindAllStringSubmatch(v, -1)
		for _, m := range found {
			if err := d.checkReference(m[1], order, step, dir); err != "" {
				f.add("%s", err)
			}
		}
		if strings.Count(v, "${") > len(found) {
			f.warn("the ${ in %q is never closed and is sent as it stands; write ${input.field}", v)
		}
	case []any:
		for i, item := range v {
			d.validateTemplate(f.below(i), item, order, step, dir)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if strings.Contains(key, "${") {
				f.below(key).add("the key %q holds a ${…}; only values are filled in", key)
			}
			d.validateTemplate(f.below(key), v[key], order, step, dir)
		}
	}
}

// checkReference says what is wrong with one reference in the body of a step's
// call; empty: nothing. A compensation also sees its own step's output.
func (d *Definition) checkReference(ref string, order Order, step int, dir Direction) string {
	root, rest, _ := strings.Cut(ref, ".")
	if slices.Contains(strings.Split(ref, "."), "") {
		root = ""
	}
	switch root {
	case "input":
		return ""
	case "saga":
		if rest == "id" || rest == "name" || rest == "key" {
			return ""
		}
	case "outputs":
		k := d.stepOf(rest)
		switch {
		case rest == "":
		case k < 0:
			name, _, _ := strings.Cut(rest, ".")
			return fmt.Sprintf("${%s} names the step %q, which does not exist", ref, name)
		case k == step && dir == Action:
			return fmt.Sprintf("${%s} is the step's own output, which its action has yet to give", ref)
		case k != step && order != nil && !order.Descends(step, k):
			return fmt.Sprintf("${%s}: %q does not come before %q, so its output may be missing; add it to after", ref, d.Steps[k].Name, d.Steps[step].Name)
		default:
			return ""
		}
	}
	return fmt.Sprintf("${%s} is not a path; write ${input.field}, ${outputs.step.field} or ${saga.id}", ref)
}

// stepOf returns the step that a path begins with, or -1. A name may itself
// hold dots: the longest that fits wins.
func (d *Definition) stepOf(path string) int {
	best := -1
	for k := range d.Steps {
		name := d.Steps[k].Name
		if (path == name || strings.HasPrefix(path, name+".")) && (best < 0 || len(name) > len(d.Steps[best].Name)) {
			best = k
		}
	}
	return best
}
