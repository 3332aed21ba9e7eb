package unwind

import (
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds on a participant's limits: an integer number of nanoseconds between
// two calls has to mean something, and a window remembers each of its calls.
const (
	maxCallsPerSecond = 1e6
	maxWindow         = 1_000_000
	maxConcurrency    = 100_000
	maxJudged         = 64 // calls that a breaker remembers
)

// ownHeaders are set on each call by the engine or by HTTP itself.
var ownHeaders = []string{
	"connection", "content-length", "content-type", "host", "idempotency-key", "keep-alive",
	"te", "traceparent", "tracestate", "trailer", "transfer-encoding", "upgrade",
}

// Validate returns every fault of the participant; pointers are relative to
// it. Messages never repeat a header's value, nor a URL that holds a password.
// Faults marked as warnings do not refuse it.
func (p *Participant) Validate() []Fault {
	var all []Fault
	f := faults{all: &all}
	validateURL(f.below("url"), p.URL)
	validateSpan(f.below("timeout"), p.Timeout)
	validateHeaders(f.below("headers"), p.Headers)
	timeout := p.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	validateLane(f.below("forward"), p.Forward, timeout, 256)
	if p.Forward.Burst > 0 && p.Forward.Rate.IsZero() {
		f.below("forward", "burst").warn("burst %d means nothing in a lane without a rate; write the rate, or take it away", p.Forward.Burst)
	}
	validateLane(f.below("compensation"), p.Compensation, timeout, 10)
	b := f.below("breaker")
	if !(p.Breaker.Failures >= 0 && p.Breaker.Failures <= 1) {
		b.below("failures").add("failures %v is a share of calls; write more than 0 and at most 1, as in 0.5", p.Breaker.Failures)
	}
	if p.Breaker.Minimum < 0 || p.Breaker.Minimum > maxJudged {
		b.below("minimum").add("minimum %d: write how many calls are judged at least, 1 to %d, as in 10", p.Breaker.Minimum, maxJudged)
	}
	validateSpan(b.below("open"), p.Breaker.Open)
	validateSpan(f.below("key_lifetime"), p.KeyLifetime)
	validateSpan(f.below("backlog", "objective"), p.Backlog.Objective)
	switch at := f.below("backlog"); {
	case p.Backlog.Policy != "" && p.Backlog.Policy != ShedStarts && p.Backlog.Policy != HoldStarts:
		at.below("policy").add("%q is not known; write shed (refuse new sagas) or hold (begin them later)", p.Backlog.Policy)
	case p.Backlog.Policy != "" && p.Backlog.Objective == 0:
		at.add("a policy without an objective does nothing; write objective: 2m")
	}
	if p.Status != "" && !validPath(p.Status) {
		f.below("status").add("path %q must begin with a slash and hold no fragment or blanks, as in /status", p.Status)
	}
	validateSpan(f.below("settle"), p.Settle)
	return all
}

func validateURL(f faults, raw string) {
	if raw == "" {
		f.add("the service has no url; write one, as in http://payments:8080")
		return
	}
	shown := "the url"
	if !strings.Contains(raw, "@") {
		shown = strconv.Quote(raw)
	}
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" && (u.Scheme == "http" || u.Scheme == "https") {
		f.add("%s is not a URL; write one, as in http://payments:8080", shown)
		return
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		f.add("%s must begin with http:// or https://, as in http://payments:8080", shown)
		return
	}
	if u.User != nil {
		f.add("the url holds a user or a password; send them in a header, as in headers: {Authorization: \"env:PAYMENTS_TOKEN\"}")
	}
	if u.RawQuery != "" || u.ForceQuery || strings.Contains(raw, "#") {
		f.add("the url holds a query or a fragment; write those in a call's path, as in path: /charge?mode=test")
	}
	if n, err := strconv.Atoi(u.Port()); u.Port() != "" && (err != nil || n < 1 || n > 65535) {
		f.add("port %s does not exist; write 1 to 65535", u.Port())
	}
}

func validateHeaders(f faults, headers map[string]string) {
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		at, lower := f.below(name), strings.ToLower(name)
		if first, dup := seen[lower]; dup {
			at.add("header %q is written twice, once as %q; case makes no difference", name, first)
		}
		seen[lower] = name
		switch {
		case !validToken(name):
			at.add("%q is not a header name; use letters, digits and dashes, as in X-Api-Key", name)
		case slices.Contains(ownHeaders, lower) || strings.HasPrefix(lower, "unwind-"):
			at.add("header %q is set by the engine; take it away", name)
		}
		if strings.ContainsFunc(headers[name], func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			at.add("the value of header %q holds a control character or a line break; a value is one line of text", name)
		}
	}
}

// validToken reports whether s is a token of RFC 9110, section 5.6.2.
func validToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// validateBounds checks each limit by itself.
func validateBounds(f faults, l Limits) {
	validateRate(f.below("rate"), l.Rate)
	validateRate(f.below("window"), l.Window)
	if l.Window.Calls > maxWindow {
		f.below("window").add("a window of %d calls is too large to be exact; the most is %d: shorten the span, as in %d/1s",
			l.Window.Calls, maxWindow, max(1, int64(math.Ceil(l.Window.CallsPerSecond()))))
	}
	if l.Concurrency < 0 || l.Concurrency > maxConcurrency {
		f.below("concurrency").add("concurrency %d: write 1 to %d", l.Concurrency, maxConcurrency)
	}
	if l.Burst < 0 || l.Burst > maxConcurrency {
		f.below("burst").add("burst %d: write 1 to %d, as in %d", l.Burst, maxConcurrency, DefaultBurst)
	}
	if l.HintCap != 0 {
		validateHintCap(f.below("hint_cap"), l.HintCap)
	}
}

// validateHintCap refuses what is shorter than the shortest Retry-After there is.
func validateHintCap(f faults, d Duration) {
	if d < Second {
		f.add("hint_cap %s: write the longest wait that the service may ask for, 1s at least, as in 5m", d)
	}
}

// validateLane checks one lane, and warns of what keeps its rate from being reached.
func validateLane(f faults, l Limits, timeout Duration, concurrency int) {
	validateBounds(f, l)
	if l.Concurrency > 0 {
		concurrency = l.Concurrency
	}
	rate := l.Rate.CallsPerSecond()
	if rate <= 0 || l.Concurrency < 0 {
		return
	}
	if w := l.Window.CallsPerSecond(); w > 0 && w < rate {
		carried := RateText(w)
		if carried == l.Window.String() {
			carried = "less"
		}
		f.below("window").warn("the window %s carries %s, so the rate %s is never reached; widen the window or lower the rate", l.Window, carried, l.Rate)
	}
	// Concurrency divided by the duration of a call is the most a lane carries.
	// A call that takes its whole timeout is rare; one that takes a tenth is not.
	if slowest := time.Duration(float64(concurrency) / rate * float64(Second)); slowest < timeout.Std()/10 {
		f.below("concurrency").warn("concurrency %d carries the rate %s only while a call takes at most %s, of the %s that its timeout allows; raise the concurrency or lower the rate",
			concurrency, l.Rate, roundTrip(slowest), timeout)
	}
	validateBurst(f.below("burst"), l)
}

const (
	// spacedWell is a rate whose calls, in calls per second, a timer spaces well
	// enough that the default burst makes up for what it is late.
	spacedWell = 500
	// lateOften is how late a timer is again and again on a busy machine, and lateMost
	// what leaves a margin.
	lateOften = 5 * time.Millisecond
	lateMost  = 10 * time.Millisecond
)

// validateBurst warns of a burst that can't make up for timers that are late: what is
// not sent then is never sent. A lane that adapts has a burst of its own.
func validateBurst(f faults, l Limits) {
	rate, burst := l.Rate.CallsPerSecond(), l.Burst
	if burst == 0 {
		burst = DefaultBurst
	}
	if l.Adaptive || burst < 0 || rate <= spacedWell || float64(burst) >= rate*lateOften.Seconds() {
		return
	}
	made := time.Duration(float64(burst-1) / rate * float64(Second))
	f.warn("burst %d carries the rate %s only while the machine is late by at most %s; write burst: %d, which is what goes in %s, or lower the rate",
		burst, l.Rate, roundTrip(made), int(math.Ceil(rate*lateMost.Seconds())), lateMost)
}

func validateRate(f faults, r Rate) {
	if r.Calls < 0 || r.Per < 0 {
		f.add("%d/%s is negative; write calls per time, as in 40/s", r.Calls, r.Per)
	} else if r.CallsPerSecond() > maxCallsPerSecond {
		f.add("%s is beyond what can be paced; the most is 1000000/s", r)
	}
}

// roundTrip keeps three digits of d.
func roundTrip(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}

// Validate returns every fault of the change; pointers are relative to it.
func (c *LimitsChange) Validate() []Fault {
	var all []Fault
	f := faults{all: &all}
	l := Limits{}
	for _, r := range []struct {
		name string
		from *Rate
		into *Rate
	}{{"rate", c.Rate, &l.Rate}, {"window", c.Window, &l.Window}} {
		if r.from == nil {
			continue
		}
		if r.from.IsZero() {
			f.below(r.name).add("a %s of nothing lets nothing through; pause the scope instead, or reset its limits", r.name)
		}
		*r.into = *r.from
	}
	for _, n := range []struct {
		name string
		from *int
	}{{"concurrency", c.Concurrency}, {"burst", c.Burst}} {
		if n.from != nil && *n.from < 1 {
			f.below(n.name).add("%s %d: write 1 to %d", n.name, *n.from, maxConcurrency)
		}
	}
	if c.Concurrency != nil {
		l.Concurrency = max(*c.Concurrency, 0)
	}
	if c.Burst != nil {
		l.Burst = max(*c.Burst, 0)
	}
	validateBounds(f, l)
	if c.HintCap != nil {
		validateHintCap(f.below("hint_cap"), *c.HintCap)
	}
	if c.Weight != nil {
		if *c.Weight < 1 {
			f.below("weight").add("weight %d: write 1 to 1000", *c.Weight)
		}
		validateWeight(f.below("weight"), max(*c.Weight, 0))
	}
	return all
}
