package engine

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
)

// errForbidden is a name that led to an address that must not be called.
var errForbidden = errors.New("a private address")

// NewTransport makes connections to one participant, or to a sink of alerts. No proxy, no compression
// (an answer stays as large as it looks), no private address behind a name.
func NewTransport(p unwind.Participant) *http.Transport {
	// Connecting ends before the call does, so that a call to a dead address is
	// known not to have been sent.
	connect := 10 * time.Second
	if p.Timeout > 0 {
		connect = min(connect, p.Timeout.Std())
	}
	dialer := &net.Dialer{Timeout: connect * 2 / 5, KeepAlive: 30 * time.Second}
	if !p.AllowPrivate && !isLiteral(p.URL) {
		dialer.ControlContext = refusePrivate
	}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		MaxIdleConnsPerHost:    512,
		IdleConnTimeout:        30 * time.Second,
		TLSHandshakeTimeout:    connect * 2 / 5,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// isLiteral reports whether the URL names an address: that is taken as meant.
func isLiteral(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	_, err = netip.ParseAddr(u.Hostname())
	return err == nil
}

// refusePrivate looks at the address after the name was resolved, so that no
// later answer of the resolver can slip another one in.
func refusePrivate(_ context.Context, _, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("reading the address %q: %w", address, err)
	}
	ip := ap.Addr().Unmap()
	if ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsLinkLocalMulticast() || ip.IsMulticast() || ip.IsUnspecified() || special(ip) {
		return fmt.Errorf("the name resolves to %s, %w; set allow_private: true where the URL is set if that is meant", ip, errForbidden)
	}
	return nil
}

var specials = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),      // RFC 6890: this network
	netip.MustParsePrefix("100.64.0.0/10"),  // RFC 6598: shared address space
	netip.MustParsePrefix("192.0.0.0/24"),   // RFC 6890
	netip.MustParsePrefix("198.18.0.0/15"),  // RFC 2544: benchmarks
	netip.MustParsePrefix("240.0.0.0/4"),    // RFC 1112: reserved
	netip.MustParsePrefix("::/96"),          // RFC 4291: IPv4-compatible
	netip.MustParsePrefix("64:ff9b::/96"),   // RFC 6052: IPv4 behind NAT64
	netip.MustParsePrefix("64:ff9b:1::/48"), // RFC 8215: the same, local
	netip.MustParsePrefix("2001::/32"),      // RFC 4380: IPv4 behind Teredo
	netip.MustParsePrefix("2002::/16"),      // RFC 3056: IPv4 behind 6to4
	netip.MustParsePrefix("fec0::/10"),      // RFC 3879: site-local
}

func special(ip netip.Addr) bool {
	for _, p := range specials {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// faultOf classes a call that got no answer; unsent: there never was a connection
// that it could have left on.
func faultOf(err error, unsent bool) machine.Fault {
	var (
		op        *net.OpError
		dns       *net.DNSError
		verify    *tls.CertificateVerificationError
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	switch {
	case errors.Is(err, errForbidden):
		return machine.FaultForbidden
	case errors.As(err, &verify), errors.As(err, &authority), errors.As(err, &hostname), errors.As(err, &invalid):
		return machine.FaultCertificate
	case errors.As(err, &op) && op.Op == "remote error" && wantsCertificate(op.Err):
		return machine.FaultCertificate
	case (unsent || errors.As(err, &op) && op.Op == "dial") && isLocal(err):
		return machine.FaultLocal
	case unsent, errors.As(err, &dns), errors.As(err, &op) && op.Op == "dial":
		return machine.FaultNotSent
	case errors.Is(err, context.DeadlineExceeded):
		return machine.FaultTimeout
	}
	return machine.FaultBroken
}

// isLocal reports whether this machine ran out of what a connection takes.
func isLocal(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.ENOBUFS)
}

// wantsCertificate reports whether a TLS alert refuses the caller's certificate, or
// that it has none. TLS 1.3 says so only after the client's side of the handshake,
// and serves no request before.
func wantsCertificate(alert error) bool {
	for _, a := range [...]tls.AlertError{42, 43, 44, 45, 46, 48, 116} { // RFC 8446, section 6.2
		if alert.Error() == a.Error() {
			return true
		}
	}
	return false
}

// plain is an error's text without the method and URL that net/http puts before it.
func plain(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err.Error()
	}
	return err.Error()
}
