package config

import (
	"encoding/json"
	"log/slog"
	"strings"

	"github.com/unwindhq/unwind"
)

// Defaults that hold where a file says nothing.
const (
	DefaultListen         = "127.0.0.1:7070"
	DefaultStore          = "sqlite:unwind.db"
	DefaultRetention      = 720 * unwind.Hour
	DefaultMaxActive      = 131_072
	DefaultMaxStarts      = 4096
	DefaultMaxBodyBytes   = 32 << 20
	DefaultMaxActiveBytes = 256 << 20
)

// Config is everything one server is told. It prints and marshals without its
// secrets, and can be read back from what it marshals to.
type Config struct {
	// Listen is the address of the API. Beyond loopback it
	// needs Auth. Defaults to 127.0.0.1:7070.
	Listen string `json:"listen,omitempty" env:"UNWIND_LISTEN"`
	// Store is where sagas are kept: sqlite:PATH or memory:, see [ParseStore].
	// Defaults to sqlite:unwind.db.
	Store string `json:"store,omitempty" env:"UNWIND_STORE"`
	// Auth names who may do what. Nil: everyone is admin, on loopback only.
	Auth *Auth `json:"auth,omitempty"`
	// Retention is how long a saga is kept after it came to rest. Defaults to 720h.
	Retention unwind.Duration `json:"retention,omitempty" env:"UNWIND_RETENTION"`
	// KeyRetention is how long a start's key stays taken after its saga came to rest;
	// where that is deleted, only its key is kept. Defaults to Retention, which is the
	// least.
	KeyRetention unwind.Duration `json:"key_retention,omitempty" env:"UNWIND_KEY_RETENTION"`
	// Compensation bounds all compensations together.
	Compensation Global `json:"compensation,omitzero"`
	// Limits bound what the server holds at once.
	Limits Limits `json:"limits,omitzero"`
	// Services are the participants by name; sagas reach nothing else.
	Services map[string]Service `json:"services,omitempty"`
	// Sagas are the definitions by name, applied at start.
	Sagas map[string]unwind.Definition `json:"sagas,omitempty"`
	// Alerts say what a person must hear of, and where.
	Alerts Alerts `json:"alerts,omitzero"`

	// Warnings are the faults that did not refuse the file.
	Warnings []unwind.Fault `json:"-"`
}

// Global bounds the compensations of all services together.
type Global struct {
	// Rate of compensations. Defaults to no bound.
	Rate unwind.Rate `json:"rate,omitzero" env:"UNWIND_COMPENSATION_RATE"`
	// Concurrency of compensations. Defaults to no bound.
	Concurrency int `json:"concurrency,omitempty" env:"UNWIND_COMPENSATION_CONCURRENCY"`
}

// Limits bound what one server holds at once.
type Limits struct {
	// MaxActive is how many sagas with calls out are in memory; starts beyond it
	// are refused with Retry-After. Sagas that wait are in the store and do not
	// count. Defaults to 131072.
	MaxActive int `json:"max_active,omitempty" env:"UNWIND_MAX_ACTIVE"`
	// MaxStarts is how many starts may wait for their commit; the next one is
	// refused with Retry-After. Defaults to 4096.
	MaxStarts int `json:"max_starts,omitempty" env:"UNWIND_MAX_STARTS"`
	// MaxBodyBytes is how many bytes the bodies of the requests in work may have
	// together; the next is refused with Retry-After, unless it has 4096 or less.
	// Defaults to 33554432.
	MaxBodyBytes int `json:"max_body_bytes,omitempty" env:"UNWIND_MAX_BODY_BYTES"`
	// MaxActiveBytes is how many bytes the inputs of the sagas in memory may have
	// together; starts beyond it are refused with Retry-After. Defaults to 268435456.
	MaxActiveBytes int `json:"max_active_bytes,omitempty" env:"UNWIND_MAX_ACTIVE_BYTES"`
}

// A Service is a participant whose headers may be secrets.
type Service struct {
	unwind.Participant
	// Headers are sent with each call, in place of the participant's.
	Headers map[string]Secret `json:"headers,omitempty"`
}

// Auth names who may do what.
type Auth struct {
	Tokens []Token `json:"tokens,omitempty"`
}

// A Token lets its bearer in.
type Token struct {
	// Name stands in the audit log.
	Name string `json:"name"`
	Role Role   `json:"role"`
	// Token is the secret itself, of at least 16 bytes.
	Token Secret `json:"token,omitzero"`
}

// A Role says what a token may do; each may do what those before it may.
type Role string

// The roles.
const (
	Viewer   Role = "viewer"
	Operator Role = "operator"
	Admin    Role = "admin"
)

// WithDefaults returns a copy in which every value of the server's own that
// was not set has its default, and no service's URL ends in a slash. What
// services and sagas leave out is for the engine to fill in, so that a
// definition keeps its digest.
func (c Config) WithDefaults() Config {
	setDefault(&c.Listen, DefaultListen)
	setDefault(&c.Store, DefaultStore)
	setDefault(&c.Retention, DefaultRetention)
	setDefault(&c.KeyRetention, c.Retention)
	setDefault(&c.Limits.MaxActive, DefaultMaxActive)
	setDefault(&c.Limits.MaxStarts, DefaultMaxStarts)
	setDefault(&c.Limits.MaxBodyBytes, DefaultMaxBodyBytes)
	setDefault(&c.Limits.MaxActiveBytes, DefaultMaxActiveBytes)
	c.Alerts = c.Alerts.withDefaults()
	services := make(map[string]Service, len(c.Services))
	for name, s := range c.Services {
		s.URL = strings.TrimSuffix(s.URL, "/")
		services[name] = s
	}
	c.Services = services
	return c
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// Participants returns the services as the engine takes them, their headers'
// secrets in the clear: nothing that it returns may be printed.
func (c Config) Participants() map[string]unwind.Participant {
	all := make(map[string]unwind.Participant, len(c.Services))
	for name, s := range c.Services {
		p := s.Participant
		p.Headers = make(map[string]string, len(s.Headers))
		for h, v := range s.Headers {
			p.Headers[h] = v.Reveal()
		}
		all[name] = p
	}
	return all
}

// String returns the configuration as JSON, without its secrets.
func (c Config) String() string {
	b, err := json.Marshal(c)
	if err != nil {
		return "configuration that does not marshal: " + err.Error()
	}
	return string(b)
}

// GoString implements fmt.GoStringer as String does.
func (c Config) GoString() string { return c.String() }

// LogValue implements slog.LogValuer as String does.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }
