package unwind

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// faults collects what is wrong below one JSON pointer.
type faults struct {
	at  string
	all *[]Fault
}

func (f faults) below(parts ...any) faults {
	for _, p := range parts {
		s := strings.NewReplacer("~", "~0", "/", "~1").Replace(fmt.Sprint(p))
		f.at += "/" + s
	}
	return f
}

func (f faults) add(format string, args ...any) {
	*f.all = append(*f.all, Fault{Pointer: f.at, Message: fmt.Sprintf(format, args...)})
}

func (f faults) warn(format string, args ...any) {
	*f.all = append(*f.all, Fault{Pointer: f.at, Message: fmt.Sprintf(format, args...), Warning: true})
}

// Validate returns every fault of the definition, judged against the declared
// participants; pointers are relative to the definition. Nil means that it can
// be started. Faults marked as warnings do not refuse it.
func (d *Definition) Validate(participants map[string]Participant) []Fault {
	var all []Fault
	f := faults{all: &all}
	if !nameForm.MatchString(d.Name) {
		f.below("name").add("saga name %q: use 1 to %d letters, digits, dots, dashes or underscores, as in place-order", d.Name, MaxNameLength)
	}
	switch d.OnDeadLetter {
	case "", Continue, Block:
	default:
		f.below("on_dead_letter").add("%q is not known; write continue (undo the rest) or block (hold what comes later)", d.OnDeadLetter)
	}
	if d.Amount != "" && !strings.HasPrefix(d.Amount, "input.") {
		f.below("amount").add("%q must be a path into the input, as in input.amount", d.Amount)
	}
	validateRetry(f.below("retry"), d.Retry)
	validateRetry(f.below("compensation_retry"), d.CompensationRetry)
	switch n := len(d.Steps); {
	case n == 0:
		f.below("steps").add("a saga needs at least one step")
		return all
	case n > MaxSteps:
		f.below("steps").add("%d steps are too many; the most is %d: split the saga", n, MaxSteps)
		return all
	}
	order, ok := d.validateOrder(f)
	for i := range d.Steps {
		d.validateStep(f.below("steps", i), i, participants, order, ok)
	}
	return all
}

func validateRetry(f faults, r *Retry) {
	if r == nil {
		return
	}
	if r.Multiplier != 0 && r.Multiplier < 1 {
		f.below("multiplier").add("multiplier %v would shrink the wait; write 1 or more, as in 2", r.Multiplier)
	}
	if r.Attempts < 0 || r.Attempts > 10_000 {
		f.below("attempts").add("%d attempts: write 1 to 10000", r.Attempts)
	}
	if r.Max != 0 && r.Initial > r.Max {
		f.below("max").add("max %s is below initial %s", r.Max, r.Initial)
	}
}

// validateOrder checks names and the graph, and returns the ancestors of each step.
func (d *Definition) validateOrder(f faults) (Order, bool) {
	good := true
	seen := map[string]int{}
	for i, s := range d.Steps {
		at := f.below("steps", i, "name")
		if !nameForm.MatchString(s.Name) {
			at.add("step name %q: use 1 to %d letters, digits, dots, dashes or underscores, as in reserve-stock", s.Name, MaxNameLength)
		}
		if first, dup := seen[s.Name]; dup {
			at.add("step name %q is used twice (first by step %d); give each step its own", s.Name, first+1)
			good = false
			continue
		}
		seen[s.Name] = i
	}
	for i, s := range d.Steps {
		for k, name := range s.After {
			at := f.below("steps", i, "after", k)
			if _, ok := seen[name]; !ok {
				at.add("after names the step %q, which does not exist%s", name, didYouMean(name, seen))
				good = false
			} else if name == s.Name {
				at.add("step %q cannot come after itself", name)
				good = false
			}
		}
	}
	if !good {
		return nil, false
	}
	order, cycle := d.Order()
	if cycle != nil {
		f.below("steps").add("the steps %s wait for each other in a cycle; take one of their after entries away", strings.Join(cycle, " -> "))
		return nil, false
	}
	return order, true
}

func (d *Definition) validateStep(f faults, i int, participants map[string]Participant, order Order, ordered bool) {
	s := &d.Steps[i]
	switch s.Kind {
	case "", ActionStep:
		if s.Action == nil || s.Action.IsNone() {
			f.below("action").add("step %q has no action; name a service and a path, as in {service: payments, path: /charge}", s.Name)
		}
	case DelayStep:
		if s.For <= 0 {
			f.below("for").add("delay step %q says no time; write for: 10m", s.Name)
		}
	case SignalStep:
	default:
		f.below("kind").add("%q is not a kind of step; write action, delay or signal", s.Kind)
	}
	if s.Kind == DelayStep || s.Kind == SignalStep {
		if s.Action != nil || s.Compensation != nil && !s.Compensation.IsNone() {
			f.add("%s step %q calls nobody; take its action and compensation away or make it an action step", s.Kind, s.Name)
		}
		if s.Pivot {
			f.below("pivot").add("%s step %q cannot be the pivot; mark the action after it", s.Kind, s.Name)
		}
		return
	}
	validateCall(f.below("action"), s.Action, participants, d, order, i)
	pastPivot := s.Pivot
	if ordered {
		for k := range d.Steps {
			if d.Steps[k].Pivot && order.Descends(i, k) {
				pastPivot = true
			}
			if s.Pivot && k != i && !order.Descends(i, k) && !order.Descends(k, i) {
				f.below("pivot").add("step %q may run beside the pivot %q; a pivot stands alone: add after, so that %q comes before or after it",
					d.Steps[k].Name, s.Name, d.Steps[k].Name)
			}
		}
	}
	switch {
	case s.Compensation == nil && !pastPivot:
		f.below("compensation").add("step %q has no compensation; name the call that undoes it, or write compensation: none where nothing is to be undone", s.Name)
	case s.Compensation != nil && !s.Compensation.IsNone() && pastPivot:
		f.below("compensation").warn("the compensation of %q is never called: from the pivot on there is only forward", s.Name)
	}
	if s.Compensation != nil && !s.Compensation.IsNone() {
		validateCall(f.below("compensation"), s.Compensation, participants, d, order, i)
	}
	validateRetry(f.below("retry"), s.Retry)
	validateRetry(f.below("compensation_retry"), s.CompensationRetry)
}

func validateCall(f faults, c *Call, participants map[string]Participant, d *Definition, order Order, step int) {
	if c == nil || c.IsNone() {
		return
	}
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
		if !strings.HasPrefix(c.Path, "/") || strings.Contains(c.Path, "://") || strings.ContainsAny(c.Path, "#\r\n ") {
			f.below("path").add("path %q must begin with a slash and hold no fragment or blanks, as in /charge", c.Path)
		}
	}
	switch c.Priority {
	case "", Money, Normal, Low:
	default:
		f.below("priority").add("%q is not a priority; write money, normal or low", c.Priority)
	}
	for _, ref := range bodyReferences(c.Body) {
		if err := d.checkReference(ref, order, step); err != "" {
			f.below("body").add("%s", err)
		}
	}
}

var reference = regexp.MustCompile(`\$\{([^}]*)\}`)

func bodyReferences(body json.RawMessage) []string {
	var refs []string
	for _, m := range reference.FindAllSubmatch(body, -1) {
		refs = append(refs, string(m[1]))
	}
	return refs
}

func (d *Definition) checkReference(ref string, order Order, step int) string {
	parts := strings.Split(ref, ".")
	switch parts[0] {
	case "input":
		return ""
	case "outputs":
		if len(parts) < 2 {
			break
		}
		k := slices.IndexFunc(d.Steps, func(s Step) bool { return s.Name == parts[1] })
		if k < 0 {
			return fmt.Sprintf("${%s} names the step %q, which does not exist", ref, parts[1])
		}
		if order != nil && !order.Descends(step, k) {
			return fmt.Sprintf("${%s}: %q does not come before %q, so its output may be missing; add it to after", ref, parts[1], d.Steps[step].Name)
		}
		return ""
	case "saga":
		return ""
	}
	return fmt.Sprintf("${%s} is not a path; write ${input.field}, ${outputs.step.field} or ${saga.id}", ref)
}

func didYouMean[V any](name string, known map[string]V) string {
	best, bestCost := "", 3
	names := make([]string, 0, len(known))
	for k := range known {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		if c := editDistance(name, k); c < bestCost {
			best, bestCost = k, c
		}
	}
	if best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	if len(names) == 0 {
		return "; none is declared"
	}
	return "; there is " + strings.Join(names[:min(len(names), 8)], ", ")
}

// editDistance is Levenshtein's.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diag := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diag
			if a[i-1] != b[j-1] {
				cost++
			}
			diag, row[j] = row[j], min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
