package api

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/unwindhq/unwind"
)

// Config of a [Handler].
type Config struct {
	// Service answers the requests. Required.
	Service unwind.Service
	// Tokens say who may do what. Without any, everyone is admin and only
	// requests to a loopback address are answered; see [CheckListen].
	Tokens []Token
	// Events feeds GET /v1/events. Without it that route does not exist.
	Events Events
	// Gatherer feeds GET /metrics. Without it that route does not exist.
	Gatherer prometheus.Gatherer
	// Checks say what must be well before the server is ready. They are asked
	// on each GET /readyz.
	Checks []Check
	// Logger takes what went wrong inside, once each. Defaults to slog.Default.
	Logger *slog.Logger
	// Version of the server, as /livez and the document say it. Defaults to "dev".
	Version string
	// MaxStarts bounds the starts that wait at once for their commit or their
	// end. Defaults to 4096.
	MaxStarts int
	// MaxBatches bounds the batches at once, each of which holds up to 5 MiB.
	// Defaults to 32.
	MaxBatches int
	// MaxBodyBytes bounds the bodies of all requests in work; the next is refused
	// with Retry-After, unless it is of 4 KiB or less. Defaults to 33554432 (32 MiB).
	MaxBodyBytes int64
	// MaxStreams bounds the streams of events at once. Defaults to 64.
	MaxStreams int
	// Heartbeat is the longest silence of a stream of events. Defaults to 15s.
	Heartbeat unwind.Duration
	// SlowClient is how long a client may take to take what it is sent, before
	// it is cut off. Defaults to 10s.
	SlowClient unwind.Duration
}

// Events is where the stream of events comes from. *engine.Engine implements it.
type Events interface {
	// Events returns up to limit events past the cursor, oldest first, and the
	// cursor that resumes after them. It waits until there is one or ctx ends,
	// whose error it returns. The empty cursor is the end: what happens from now
	// on, and first how every service stands. A cursor that is not known gives one
	// [unwind.EventReset].
	Events(ctx context.Context, cursor string, limit int) (events []unwind.Event, next string, err error)
}

// A Check is one thing that must be well before the server is ready.
type Check struct {
	// Name is shown to everyone.
	Name string
	// Ready returns nil, or what is wrong, which only those who may read see.
	Ready func(ctx context.Context) error
}

// A Token lets its bearer in. It never prints its secret.
type Token struct {
	// Name stands in the audit as the actor.
	Name string
	Role Role
	// Secret is what the bearer sends; at least 16 bytes.
	Secret string
}

// String implements fmt.Stringer without the secret.
func (t Token) String() string { return t.Name + " (" + string(t.Role) + ")" }

// GoString implements fmt.GoStringer as String does.
func (t Token) GoString() string { return t.String() }

// LogValue implements slog.LogValuer as String does.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText implements encoding.TextMarshaler as String does.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

const minSecret = 16 // bytes

// DefaultMaxStreams is how many streams of events there may be at once.
const DefaultMaxStreams = 64

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Version == "" {
		c.Version = "dev"
	}
	if c.MaxStarts <= 0 {
		c.MaxStarts = 4096
	}
	if c.MaxBatches <= 0 {
		c.MaxBatches = 32
	}
	if c.MaxBodyBytes <= 0 {
		c.MaxBodyBytes = 32 << 20
	}
	if c.MaxStreams <= 0 {
		c.MaxStreams = DefaultMaxStreams
	}
	if c.Heartbeat <= 0 {
		c.Heartbeat = 15 * unwind.Second
	}
	if c.SlowClient <= 0 {
		c.SlowClient = 10 * unwind.Second
	}
	return c
}

func (c *Config) validate() error {
	if c.Service == nil {
		return fmt.Errorf("building the API: Config.Service is not set; use engine.Open")
	}
	names, secrets := map[string]bool{}, map[[sha256.Size]byte]bool{}
	for i, t := range c.Tokens {
		switch sum := sha256.Sum256([]byte(t.Secret)); {
		case !unwind.ValidName(t.Name):
			return fmt.Errorf("building the API: token %d: the name %q must be 1 to %d letters, digits, dots, dashes or underscores", i+1, t.Name, unwind.MaxNameLength)
		case names[t.Name]:
			return fmt.Errorf("building the API: two tokens are named %q; the audit could not tell them apart", t.Name)
		case t.Role.rank() == 0:
			return fmt.Errorf("building the API: token %q: the role %q is not known; use viewer, operator or admin", t.Name, t.Role)
		case len(t.Secret) < minSecret:
			return fmt.Errorf("building the API: token %q: its secret has %d bytes and needs %d, as from: openssl rand -hex 32", t.Name, len(t.Secret), minSecret)
		case strings.ContainsFunc(t.Secret, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
			return fmt.Errorf("building the API: token %q: its secret holds white space or characters that a header can't carry", t.Name)
		case secrets[sum]:
			return fmt.Errorf("building the API: token %q has the secret of another one", t.Name)
		default:
			names[t.Name], secrets[sum] = true, true
		}
	}
	return nil
}

// CheckListen says why an address must not be listened on: without tokens
// everyone is admin, so that only loopback will do.
func CheckListen(addr string, tokens []Token) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("listening on %q: it is not an address; write host:port, as in 127.0.0.1:7070", addr)
	}
	if len(tokens) > 0 || isLoopback(host) {
		return nil
	}
	return fmt.Errorf("listening on %q without tokens would make everyone who can reach it admin; declare tokens under auth:, or listen on 127.0.0.1", addr)
}

// isLoopback reports whether a host, as an address or a Host header names it, is
// this machine and nothing else. Only localhost is taken by name: any other could
// be made to resolve here by somebody else.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	return err == nil && ip.Zone() == "" && ip.Unmap().IsLoopback()
}
