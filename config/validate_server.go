package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/unwindhq/unwind"
)

const (
	minToken      = 16       // bytes of an API token
	signingPrefix = "whsec_" // of a secret that signs webhooks (Standard Webhooks)
)

func (v *faults) listen(c Config) {
	host, port, err := net.SplitHostPort(c.Listen)
	n, portErr := strconv.Atoi(port)
	switch {
	case err != nil:
		v.add("/listen", "%q is not an address; write host:port, as in %s", clip(c.Listen), DefaultListen)
	case portErr != nil || n < 0 || n > 65535:
		v.add("/listen", "port %q does not exist; write 0 to 65535, as in %s", clip(port), DefaultListen)
	case c.Auth == nil && !Loopback(c.Listen):
		if host == "" {
			host = "every address of this machine"
		}
		v.add("/listen", "%s can be reached from outside, where everyone would be admin; declare auth.tokens, or listen on 127.0.0.1:%s", clip(host), port)
	}
}

// Loopback reports whether a listen address can be reached from this machine
// only. A name other than localhost is taken to be reachable from outside.
func Loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// A Store says where sagas are kept.
type Store struct {
	// Kind is sqlite or memory.
	Kind string
	// Path is the file of an sqlite store.
	Path string
}

// ParseStore reads sqlite:PATH or memory:. It takes memory as well, because in
// YAML the colon at the end needs quotes.
func ParseStore(s string) (Store, error) {
	kind, rest, ok := strings.Cut(s, ":")
	const right = "write sqlite:PATH, as in sqlite:unwind.db, or \"memory:\" to try things out"
	switch {
	case !ok && (strings.HasSuffix(s, ".db") || strings.HasSuffix(s, ".sqlite")):
		return Store{}, fmt.Errorf("the store %q says no kind; write sqlite:%s", clip(s), clip(s))
	case kind == "postgres" || kind == "postgresql":
		return Store{}, errors.New("PostgreSQL is not available as a store yet; " + right)
	case kind == "memory" && rest == "":
		return Store{Kind: "memory"}, nil
	case kind == "memory":
		return Store{}, errors.New("the store in memory has no path; write \"memory:\"")
	case kind != "sqlite" || !ok:
		return Store{}, fmt.Errorf("%q is no kind of store; %s", clip(kind), right)
	case rest == ":memory:":
		return Store{}, errors.New("write \"memory:\" for a store that is gone when the server ends")
	case rest == "" || strings.HasPrefix(rest, "//") || strings.HasPrefix(rest, "file:") || strings.ContainsAny(rest, "?\n"):
		return Store{}, errors.New("sqlite: is followed by the path of a file and nothing else; " + right)
	}
	return Store{Kind: "sqlite", Path: rest}, nil
}

func (v *faults) auth(a *Auth) {
	if a == nil {
		return
	}
	if len(a.Tokens) == 0 {
		v.add("/auth/tokens", "auth lets nobody in; add a token, as in {name: ops, role: operator, token: \"env:UNWIND_TOKEN\"}, or take auth away")
	}
	names, values := map[string]int{}, map[string]string{}
	for i, t := range a.Tokens {
		at := belowItem("/auth/tokens", i)
		if first, twice := names[t.Name]; twice && t.Name != "" {
			v.add(at+"/name", "the name %q is used twice (first by token %d); the audit log tells people apart by it", clip(t.Name), first+1)
		}
		names[t.Name] = i
		if !unwind.ValidName(t.Name) {
			v.add(at+"/name", "token name %q: use 1 to %d letters, digits, dots, dashes or underscores, as in ops", clip(t.Name), unwind.MaxNameLength)
		}
		switch t.Role {
		case Viewer, Operator, Admin:
		case "":
			v.add(at+"/role", "the token has no role; write viewer, operator or admin")
		default:
			v.add(at+"/role", "%q is not a role; write viewer, operator or admin", clip(string(t.Role)))
		}
		v.token(at+"/token", t, values)
	}
}

func (v *faults) token(at string, t Token, values map[string]string) {
	value := t.Token.Reveal()
	switch {
	case t.Token.IsZero():
		v.add(at, "the token is missing; write env:NAME or file:PATH")
	case !t.Token.resolved():
	case len(value) < minToken:
		v.add(at, "the token in %s has %d bytes and can be guessed; make one of at least %d with: openssl rand -hex 32", t.Token, len(value), minToken)
	case strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		v.add(at, "the token in %s holds blanks or characters that a header cannot carry; make one with: openssl rand -hex 32", t.Token)
	case values[value] != "":
		v.add(at, "the token in %s is also that of %q; give each its own", t.Token, values[value])
	}
	if value != "" {
		values[value] = t.Name
	}
}
