package unwind

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// ValidName reports whether name can name a saga, a step, a participant or an
// API token: 1 to [MaxNameLength] letters, digits, dots, dashes and
// underscores, the first a letter or a digit.
func ValidName(name string) bool { return nameForm.MatchString(name) }

// maxMessage bounds a message that quotes what a user wrote, in bytes.
const maxMessage = 600

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
	*f.all = append(*f.all, Fault{Pointer: f.at, Message: message(format, args)})
}

func (f faults) warn(format string, args ...any) {
	*f.all = append(*f.all, Fault{Pointer: f.at, Message: message(format, args), Warning: true})
}

func message(format string, args []any) string {
	m := fmt.Sprintf(format, args...)
	if len(m) > maxMessage {
		m = strings.ToValidUTF8(m[:maxMessage], "") + "…"
	}
	return m
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
	if path, ok := strings.CutPrefix(d.Amount, "input."); d.Amount != "" && (!ok || slices.Contains(strings.Split(path, "."), "")) {
		f.below("amount").add("%q must be a path into the input, as in input.amount", d.Amount)
	}
	validateSpan(f.below("deadline"), d.Deadline)
	validateSpan(f.below("give_up_after"), d.GiveUpAfter)
	validateRetry(f.below("retry"), d.Retry, DefaultRetry)
	validateRetry(f.below("compensation_retry"), d.CompensationRetry, DefaultCompensationRetry)
	d.validateScopes(f)
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

func validateSpan(f faults, span Duration) {
	if span < 0 {
		f.add("%s is negative; write a positive duration, as in 10s", span)
	}
}

// validateRetry checks a policy that fills in what it leaves open from another.
func validateRetry(f faults, r *Retry, base Retry) {
	if r == nil {
		return
	}
	validateSpan(f.below("initial"), r.Initial)
	validateSpan(f.below("max"), r.Max)
	if r.Multiplier != 0 && !(r.Multiplier >= 1 && r.Multiplier <= 100) {
		f.below("multiplier").add("multiplier %v: a wait must not shrink, nor grow beyond measure; write 1 to 100, as in 2", r.Multiplier)
	}
	if r.Attempts < 0 || r.Attempts > 10_000 {
		f.below("attempts").add("%d attempts: write 1 to 10000", r.Attempts)
	}
	if r.Max > 0 && r.Initial > r.Max {
		f.below("max").add("max %s is below initial %s", r.Max, r.Initial)
	} else if r.Max > 0 && r.Initial == 0 && base.Initial > r.Max {
		f.below("max").add("max %s is below initial, which is %s unless this policy says otherwise", r.Max, base.Initial)
	}
}

// validateRetries checks a step's policies, which build on the saga's.
func (d *Definition) validateRetries(f faults, s *Step) {
	base, undo := DefaultRetry, DefaultCompensationRetry
	if d.Retry != nil && d.Retry.Initial > 0 {
		base.Initial = d.Retry.Initial
	}
	if d.CompensationRetry != nil && d.CompensationRetry.Initial > 0 {
		undo.Initial = d.CompensationRetry.Initial
	}
	validateRetry(f.below("retry"), s.Retry, base)
	validateRetry(f.below("compensation_retry"), s.CompensationRetry, undo)
}

// validateOrder checks names and the graph, and returns the ancestors of each step.
func (d *Definition) validateOrder(f faults) (Order, bool) {
	good := true
	seen := map[string]int{}
	for i, s := range d.Steps {
		at := f.below("steps", i, "name")
		if s.Name == "" {
			at.add("the step has no name; give it one, as in reserve-stock")
			continue
		}
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
			if slices.Index(s.After, name) < k {
				at.add("after names the step %q twice; once is enough", name)
			} else if _, ok := seen[name]; !ok {
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
	validateSpan(f.below("for"), s.For)
	validateSpan(f.below("timeout"), s.Timeout)
	switch s.Kind {
	case "", ActionStep:
		if s.Action == nil || s.Action.IsNone() {
			f.below("action").add("step %q has no action; name a service and a path, as in {service: payments, path: /charge}", s.Name)
		}
		if s.For != 0 {
			f.below("for").add("for belongs to a delay; write kind: delay, or take it away")
		}
		if s.Timeout != 0 {
			f.below("timeout").add("the timeout of a call is written in the call, as in action: {timeout: %s}", s.Timeout)
		}
	case DelayStep, SignalStep:
		d.validateWait(f, s)
		return
	default:
		f.below("kind").add("%q is not a kind of step; write action, delay or signal", s.Kind)
	}
	validateCall(f.below("action"), s.Action, participants, d, order, i, Action)
	pastPivot := s.Pivot || !ordered && slices.ContainsFunc(d.Steps, func(s Step) bool { return s.Pivot })
	if ordered {
		for k := range d.Steps {
			if d.Steps[k].Pivot && order.Descends(i, k) {
				pastPivot = true
				if s.Pivot {
					f.below("pivot").warn("the pivot %q comes before; the first pivot is the point of no return, so this mark changes nothing", d.Steps[k].Name)
				}
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
	case s.Compensation != nil && !s.Compensation.IsNone() && pastPivot && ordered:
		f.below("compensation").warn("the compensation of %q is never called: from the pivot on there is only forward", s.Name)
	}
	if s.Compensation != nil && !s.Compensation.IsNone() {
		validateCall(f.below("compensation"), s.Compensation, participants, d, order, i, Compensation)
	}
	d.validateRetries(f, s)
}

// validateWait checks a delay or a signal step.
func (d *Definition) validateWait(f faults, s *Step) {
	deadline := d.Deadline
	if deadline == 0 {
		deadline = DefaultDeadline
	}
	key, wait := "for", s.For
	if s.Kind == SignalStep {
		key, wait = "timeout", s.Timeout
		if s.For != 0 {
			f.below("for").add("for belongs to a delay; a signal is awaited for its timeout, as in timeout: %s", s.For)
		}
	} else {
		if s.For == 0 {
			f.below("for").add("delay step %q says no time; write for: 10m", s.Name)
		}
		if s.Timeout != 0 {
			f.below("timeout").add("timeout belongs to a signal; a delay waits for: %s", s.Timeout)
		}
	}
	if wait > 0 && deadline > 0 && wait >= deadline {
		f.below(key).warn("step %q may wait %s, but the saga's deadline of %s turns it back first; raise the deadline", s.Name, wait, deadline)
	}
	if s.Action != nil || s.Compensation != nil && !s.Compensation.IsNone() {
		f.add("%s step %q calls nobody; take its action and compensation away or make it an action step", s.Kind, s.Name)
	}
	if s.Retry != nil || s.CompensationRetry != nil {
		f.add("%s step %q calls nobody, so it has nothing to retry; take its retry policies away", s.Kind, s.Name)
	}
	if s.Pivot {
		f.below("pivot").add("%s step %q cannot be the pivot; mark the action after it", s.Kind, s.Name)
	}
}

// validateScopes checks the limits of the saga type and of its tenants.
func (d *Definition) validateScopes(f faults) {
	if c := d.Compensation; c != nil {
		at := f.below("compensation")
		validateBounds(at, c.limits())
		validateWeight(at.below("weight"), c.Weight)
		if c.Compensation != nil {
			at.below("compensation").add("compensation inside compensation means nothing; write compensation: {rate: 100/s, weight: 1}")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.Tenants)) {
		t, at := d.Tenants[name], f.below("tenants", name)
		if name == "" || len(name) > MaxKeyLength {
			at.add("a tenant's name has 1 to %d bytes", MaxKeyLength)
		}
		validateWeight(at.below("weight"), t.Weight)
		if !t.Rate.IsZero() {
			at.below("rate").add("the rate of a tenant is one of compensations; write compensation: {rate: %s}", t.Rate)
		}
		if !t.Window.IsZero() {
			at.below("window").add("the window of a tenant is one of compensations; write compensation: {window: %s}", t.Window)
		}
		if t.Concurrency != 0 {
			at.below("concurrency").add("the concurrency of a tenant is one of compensations; write compensation: {concurrency: %d}", t.Concurrency)
		}
		if c := t.Compensation; c != nil {
			at := at.below("compensation")
			validateBounds(at, c.limits())
			if d.Compensation != nil && c.Rate.CallsPerSecond() > d.Compensation.Rate.CallsPerSecond() && !d.Compensation.Rate.IsZero() {
				at.below("rate").warn("the rate %s is never reached: the saga's own limit is %s", c.Rate, d.Compensation.Rate)
			}
			if c.Weight != 0 {
				at.below("weight").add("the weight of a tenant is written beside compensation, as in {weight: %d, compensation: {rate: 5/s}}", c.Weight)
			}
			if c.Compensation != nil {
				at.below("compensation").add("compensation inside compensation means nothing; write compensation: {rate: 5/s}")
			}
		}
	}
}

func (l *TypeLimits) limits() Limits {
	return Limits{Rate: l.Rate, Window: l.Window, Concurrency: l.Concurrency}
}

func validateWeight(f faults, weight int) {
	if weight < 0 || weight > 1000 {
		f.add("weight %d: write 1 to 1000; a flow of weight 4 gets four times the share of one of weight 1", weight)
	}
}

// didYouMean ends a message about a name that is not known: with the nearest
// one that is, or else with what there is.
func didYouMean[V any](name string, known map[string]V) string {
	best, bestCost := "", 3
	names := slices.Sorted(maps.Keys(known))
	for _, k := range names {
		if len(name) > MaxNameLength+2 || len(k) > MaxNameLength {
			continue
		}
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
