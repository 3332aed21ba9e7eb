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

// newTransport makes connections to one participant. No proxy, no compression
// (an answer stays as large as it looks), no private address behind a name.
func newTransport(p unwind.Participant) *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	if !p.AllowPrivate && !isLiteral(p.URL) {
		dialer.ControlContext = refusePrivate
	}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		MaxIdleConnsPerHost:    512,
		IdleConnTimeout:        30 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
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
		return fmt.Errorf("the name resolves to %s, %w; set allow_private: true on the service if that is meant", ip, errForbidden)
	}
	return nil
}

var specials = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),     // RFC 6890: this network
	netip.MustParsePrefix("100.64.0.0/10"), // RFC 6598: shared address space
	netip.MustParsePrefix("192.0.0.0/24"),  // RFC 6890
	netip.MustParsePrefix("240.0.0.0/4"),   // RFC 1112: reserved
	netip.MustParsePrefix("64:ff9b::/96"),  // RFC 6052: IPv4 behind NAT64
	netip.MustParsePrefix("2002::/16"),     // RFC 3056: IPv4 behind 6to4
}

func special(ip netip.Addr) bool {
	for _, p := range specials {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// faultOf classes a call that got no answer.
func faultOf(err error) machine.Fault {
	var (
		op        *net.OpError
		dns       *net.DNSError
		verify    *tls.CertificateVerificationError
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
		alert     tls.AlertError
		record    tls.RecordHeaderError
	)
	switch {
	case errors.Is(err, errForbidden):
		return machine.FaultForbidden
	case errors.As(err, &verify), errors.As(err, &authority), errors.As(err, &hostname), errors.As(err, &invalid):
		return machine.FaultCertificate
	case errors.As(err, &dns), errors.As(err, &alert), errors.As(err, &record):
		return machine.FaultNotSent
	case errors.As(err, &op) && op.Op == "dial":
		return machine.FaultNotSent
	case errors.Is(err, context.DeadlineExceeded):
		return machine.FaultTimeout
	}
	return machine.FaultBroken
}

// plain is an error's text without the method and URL that net/http puts before it.
func plain(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err.Error()
	}
	return err.Error()
}
