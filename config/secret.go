package config

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
)

const redacted = "[redacted]"

// A Secret is a value that is used and never shown: every way of printing,
// logging or marshalling it shows where it came from, as in env:PAYMENTS_TOKEN,
// or [redacted] where it was written out. The zero Secret is none.
type Secret struct {
	source string
	// A pointer, because fmt prints what lies behind unexported fields of other
	// types without asking any method, but stops at a pointer.
	value *string
}

// NewSecret returns a secret that Go code holds.
func NewSecret(value string) Secret { return Secret{value: &value} }

// Reveal returns the secret itself; empty where it is none, or was not read.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Source returns env:NAME or file:PATH; empty where the secret was written out.
func (s Secret) Source() string { return s.source }

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.source == "" && s.value == nil }

// String returns the source, or [redacted].
func (s Secret) String() string {
	switch {
	case s.source != "":
		return s.source
	case s.value == nil:
		return ""
	}
	return redacted
}

// Format implements fmt.Formatter, so that no verb shows the secret.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// GoString implements fmt.GoStringer.
func (s Secret) GoString() string { return s.String() }

// MarshalText implements encoding.TextMarshaler.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// resolved reports whether the value is known.
func (s Secret) resolved() bool { return s.value != nil }

// credentialWords are parts of the names of headers that carry a credential.
var credentialWords = []string{"auth", "cookie", "token", "key", "secret", "password", "credential", "signature"}

func carriesCredential(header string) bool {
	header = strings.ToLower(header)
	return slices.ContainsFunc(credentialWords, func(w string) bool { return strings.Contains(header, w) })
}

// Secrets returns every text that must appear in no log, page, event, metric
// or export, the longest first so that a scrubber leaves no rest: the secrets
// that were read from somewhere, headers that carry a credential wherever they
// were written, and of each also the part behind a scheme (Bearer, Basic,
// whsec_) and what Basic hides.
func (c Config) Secrets() []string {
	var all []string
	add := func(s Secret) {
		v := s.Reveal()
		all = append(all, v)
		if scheme, rest, ok := strings.Cut(v, " "); ok && !strings.Contains(scheme, "=") {
			all = append(all, strings.TrimSpace(rest))
			if plain, err := base64.StdEncoding.DecodeString(rest); err == nil && strings.EqualFold(scheme, "Basic") {
				_, password, _ := strings.Cut(string(plain), ":")
				all = append(all, password)
			}
		}
		if rest, ok := strings.CutPrefix(v, signingPrefix); ok {
			all = append(all, rest)
		}
	}
	if c.Auth != nil {
		for _, t := range c.Auth.Tokens {
			add(t.Token)
		}
	}
	for _, s := range c.Services {
		for name, h := range s.Headers {
			if h.Source() != "" || carriesCredential(name) {
				add(h)
			}
		}
	}
	for _, s := range c.Alerts.Sinks {
		add(s.Secret)
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	all = slices.Compact(all)
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}
