package config

import (
	"fmt"
	"maps"
	"slices"

	"github.com/unwindhq/unwind"
)

// maxCount bounds what a server is told to hold at once.
const maxCount = 10_000_000

// Validate returns every fault of the values, in Go code or after flags were
// put over a file; pointers are as in the file. Faults marked as warnings do
// not refuse the configuration. No message shows a secret.
func (c Config) Validate() []unwind.Fault {
	c = c.WithDefaults()
	var v faults
	v.listen(c)
	if _, err := ParseStore(c.Store); err != nil {
		v.add("/store", "%s", err)
	}
	v.auth(c.Auth)
	v.span("/retention", c.Retention)
	v.span("/key_retention", c.KeyRetention)
	if c.KeyRetention > 0 && c.KeyRetention < c.Retention {
		v.warn("/key_retention", "it is shorter than retention (%s): a key stays taken as long as its saga is kept", c.Retention)
	}
	v.global(c.Compensation)
	v.count("/limits/max_active", c.Limits.MaxActive)
	v.count("/limits/max_starts", c.Limits.MaxStarts)
	v.bytes("/limits/max_body_bytes", c.Limits.MaxBodyBytes)
	v.bytes("/limits/max_active_bytes", c.Limits.MaxActiveBytes)
	v.services(c)
	v.sagas(c)
	v.alerts(c.Alerts)
	return v
}

// faults collects faults of values, by JSON pointer.
type faults []unwind.Fault

func (v *faults) add(pointer, format string, args ...any) {
	*v = append(*v, unwind.Fault{Pointer: pointer, Message: fmt.Sprintf(format, args...)})
}

func (v *faults) warn(pointer, format string, args ...any) {
	*v = append(*v, unwind.Fault{Pointer: pointer, Message: fmt.Sprintf(format, args...), Warning: true})
}

// include adds faults whose pointers are relative to at.
func (v *faults) include(at string, found []unwind.Fault) {
	for _, f := range found {
		f.Pointer = at + f.Pointer
		*v = append(*v, f)
	}
}

func (v *faults) span(pointer string, d unwind.Duration) {
	if d < 0 {
		v.add(pointer, "%s is negative; write a positive duration, as in 720h", d)
	}
}

func (v *faults) count(pointer string, n int) {
	if n < 1 || n > maxCount {
		v.add(pointer, "%d: write 1 to %d", n, maxCount)
	}
}

// bytes takes what holds at least one request of the largest kind.
func (v *faults) bytes(pointer string, n int) {
	if n < 2*unwind.MaxInput {
		v.add(pointer, "%d bytes: write at least %d, or an input of the largest size never has room", n, 2*unwind.MaxInput)
	}
}

func (v *faults) global(g Global) {
	if g.Rate.Calls < 0 || g.Rate.Per < 0 {
		v.add("/compensation/rate", "the rate is negative; write calls per time, as in 500/s")
	} else if g.Rate.CallsPerSecond() > 1e6 {
		v.add("/compensation/rate", "the rate %s is beyond what can be paced; the most is 1000000/s", g.Rate)
	}
	if g.Concurrency < 0 {
		v.add("/compensation/concurrency", "%d is negative; write a positive number, as in 200", g.Concurrency)
	}
}

func (v *faults) services(c Config) {
	participants := c.Participants()
	for _, name := range slices.Sorted(maps.Keys(participants)) {
		at, p := below("/services", name), participants[name]
		if !unwind.ValidName(name) {
			v.add(at, "service name %q: use 1 to %d letters, digits, dots, dashes or underscores, as in payments", clip(name), unwind.MaxNameLength)
		}
		v.include(at, p.Validate())
		v.headers(at+"/headers", c.Services[name].Headers)
		v.neverReached(at+"/compensation", p.Compensation.Rate, c.Compensation.Rate)
		if n, all := p.Compensation.Concurrency, c.Compensation.Concurrency; all > 0 && n > all {
			v.warn(at+"/compensation/concurrency", "concurrency %d is never reached: all compensations together have %d (compensation.concurrency)", n, all)
		}
	}
}

func (v *faults) headers(at string, headers map[string]Secret) {
	for _, h := range slices.Sorted(maps.Keys(headers)) {
		pointer := below(at, h)
		refused := slices.ContainsFunc(*v, func(f unwind.Fault) bool { return f.Pointer == pointer })
		if s := headers[h]; s.Source() == "" && s.resolved() && carriesCredential(h) && !refused {
			v.warn(pointer, "a credential is written out here; write env:NAME or file:PATH instead")
		}
	}
}

func (v *faults) neverReached(at string, rate, global unwind.Rate) {
	if !global.IsZero() && rate.CallsPerSecond() > global.CallsPerSecond() {
		v.warn(at+"/rate", "the rate %s is never reached: all compensations together have %s (compensation.rate)", rate, global)
	}
}

func (v *faults) sagas(c Config) {
	participants := c.Participants()
	forgetful := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(c.Sagas)) {
		at, def := below("/sagas", name), c.Sagas[name]
		if def.Name == "" {
			def.Name = name
		}
		v.include(at, def.Validate(participants))
		if def.Compensation != nil {
			v.neverReached(at+"/compensation", def.Compensation.Rate, c.Compensation.Rate)
		}
		v.keyLifetimes(def, participants, forgetful)
	}
}

// keyLifetimes warns where a compensation may still be tried when its
// participant has forgotten the key, and cannot be asked what became of it.
func (v *faults) keyLifetimes(def unwind.Definition, participants map[string]unwind.Participant, warned map[string]bool) {
	patience := def.GiveUpAfter
	if patience == 0 {
		patience = unwind.DefaultGiveUpAfter
	}
	for _, s := range def.Steps {
		if s.Compensation == nil || s.Compensation.IsNone() {
			continue
		}
		name := s.Compensation.Service
		p, ok := participants[name]
		if !ok || warned[name] || p.Status != "" || p.KeyLifetime <= 0 || p.KeyLifetime >= patience {
			continue
		}
		warned[name] = true
		v.warn(below("/services", name)+"/key_lifetime",
			"keys are forgotten after %s, but saga %q tries its compensations for %s and then has dead letters (key_expired); declare a status path, or lower give_up_after",
			p.KeyLifetime, def.Name, patience)
	}
}
