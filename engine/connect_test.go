package engine

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
)

// certificate makes a key pair that the given pool trusts.
func certificate(t *testing.T, pool *x509.CertPool, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "shop"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	if change != nil {
		change(c)
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if pool != nil {
		parsed, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		pool.AddCert(parsed)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestAFailedHandshakeSendsNothing(t *testing.T) {
	trusted := x509.NewCertPool()
	good := certificate(t, trusted, nil)
	server := func(c *tls.Config) func(net.Conn) {
		return func(conn net.Conn) {
			s := tls.Server(conn, c)
			if _, err := http.ReadRequest(bufio.NewReader(s)); err == nil {
				say(okHead+"Content-Length: 0\r\n\r\n")(s, 1)
			}
		}
	}
	with := func(c tls.Certificate) func(net.Conn) {
		return server(&tls.Config{Certificates: []tls.Certificate{c}})
	}
	for _, c := range []struct {
		name   string
		answer func(net.Conn)
		want   string
	}{
		{"a certificate that is trusted", with(good), "done "},
		{"an authority that nobody knows", with(certificate(t, nil, nil)), "certificate"},
		{"a certificate that has expired", with(certificate(t, trusted, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })), "certificate"},
		{"a certificate of another host", with(certificate(t, trusted, func(c *x509.Certificate) {
			c.IPAddresses, c.DNSNames = nil, []string{"elsewhere.example"}
		})), "certificate"},
		{"a certificate of ours is wanted", server(&tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAnyClientCert}), "certificate or broken"}, // the alert may come after the hang-up
		{"a certificate of ours is wanted, TLS 1.2", server(&tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}), "not sent"},
		{"no version in common", server(&tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS10}), "not sent"},
		{"plain HTTP", func(conn net.Conn) { say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")(conn, 1) }, "not sent"},
		{"hung up before the handshake", func(net.Conn) {}, "not sent"},
		{"reset in the handshake", func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 16))
			_ = conn.(*net.TCPConn).SetLinger(0)
		}, "not sent"},
		{"silent in the handshake", func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }, "not sent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newListener(t)
			h.answer = c.answer
			h.serve()
			timeout := unwind.Minute
			if c.name == "silent in the handshake" { // as long as a busy machine may take to connect
				timeout = 5 * unwind.Second
			}
			d := newDialogue(t, unwind.Participant{URL: "https://" + h.Addr().String(), Timeout: timeout})
			d.caller.endpoints["shop"].own.TLSClientConfig = &tls.Config{RootCAs: trusted}
			a := d.attempt(unwind.Action, timeout.Std())
			if got := meaning(a); !slices.Contains(strings.Split(c.want, " or "), got) {
				t.Errorf("it came to %q, not %q: %s", got, c.want, a.Message)
			}
		})
	}
}

func TestWhatCouldNotConnectWasNotSent(t *testing.T) {
	for name, url := range map[string]string{
		"a name without an address":      "http://unwind.invalid",
		"a port without anyone":          "http://127.0.0.1:1", // any other may be somebody's by then
		"a port without anyone, for TLS": "https://127.0.0.1:1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDialogue(t, unwind.Participant{URL: url})
			if a := d.attempt(unwind.Action, 10*time.Second); meaning(a) != "not sent" {
				t.Errorf("it came to %q: %s", meaning(a), a.Message)
			}
		})
	}
}

// A connection that breaks once it stands leaves open what was done; it is never
// tried again under the same attempt.
func TestABrokenConnectionIsOneSend(t *testing.T) {
	reset := func(conn net.Conn) { _ = conn.(*net.TCPConn).SetLinger(0) }
	for _, c := range []struct {
		name   string
		answer func(net.Conn, int64) bool
	}{
		{"closed before the headers", func(net.Conn, int64) bool { return false }},
		{"reset before the headers", func(conn net.Conn, _ int64) bool { reset(conn); return false }},
		{"half closed", func(conn net.Conn, _ int64) bool {
			_ = conn.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, conn)
			return false
		}},
		{"reset after the headers", func(conn net.Conn, _ int64) bool {
			_, _ = io.WriteString(conn, okHead+"Content-Length: 9\r\n\r\n")
			reset(conn)
			return false
		}},
		{"closed in the body", say(okHead + "Content-Length: 9\r\n\r\n{")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHostile(t, c.answer)
			d := newDialogue(t, unwind.Participant{URL: h.url()})
			if a := d.attempt(unwind.Action, 10*time.Second); meaning(a) != "broken" {
				t.Errorf("it came to %q: %s", meaning(a), a.Message)
			}
			if n := h.got.Load(); n != 1 {
				t.Errorf("one attempt was %d sends", n)
			}
		})
	}
}

// net/http tries a call again that has an Idempotency-Key when a connection that
// it reuses turns out to be dead. That would be a second send under one attempt.
func TestAReusedConnectionThatDiesIsOneSend(t *testing.T) {
	h := newHostile(t, func(conn net.Conn, n int64) bool {
		if n%2 == 0 {
			return false // the call was read, and the connection closed
		}
		_, _ = io.WriteString(conn, okHead+"Content-Length: 2\r\n\r\n{}")
		return true
	})
	d := newDialogue(t, unwind.Participant{URL: h.url()})
	for n := int64(1); n <= 20; n++ {
		a := d.attempt(unwind.Action, 10*time.Second)
		if want := map[bool]string{true: "done {}", false: "broken"}[n%2 == 1]; meaning(a) != want {
			t.Fatalf("call %d came to %q: %s", n, meaning(a), a.Message)
		}
		if got := h.got.Load(); got != n {
			t.Fatalf("%d attempts were %d sends", n, got)
		}
	}
}

// Where the connection is closed while it idles, a call either finds that out
// before it is sent and goes over another one, or is uncertain. It never arrives twice.
func TestAnIdleConnectionThatClosesIsNeverTwoSends(t *testing.T) {
	h := newHostile(t, func(conn net.Conn, _ int64) bool {
		_, _ = io.WriteString(conn, okHead+"Content-Length: 2\r\n\r\n{}")
		return false // although it did not say so
	})
	d := newDialogue(t, unwind.Participant{URL: h.url()})
	for n := int64(1); n <= 300; n++ {
		before := h.got.Load()
		a := d.attempt(unwind.Action, 10*time.Second)
		sent := h.got.Load() - before
		switch got := meaning(a); {
		case sent > 1, got == "done {}" && sent != 1, got != "done {}" && got != "broken":
			t.Fatalf("call %d came to %q after %d sends: %s", n, got, sent, a.Message)
		}
	}
}

func TestHTTP2IsOneSend(t *testing.T) {
	var calls int
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		if r.ProtoMajor != 2 {
			t.Errorf("it is %s", r.Proto)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler) // resets the stream
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	d := newDialogue(t, unwind.Participant{URL: s.URL})
	d.caller.endpoints["shop"].own.TLSClientConfig = s.Client().Transport.(*http.Transport).TLSClientConfig
	if a := d.attempt(unwind.Action, 10*time.Second); meaning(a) != "broken" || calls != 1 {
		t.Errorf("it came to %q after %d sends: %s", meaning(a), calls, a.Message)
	}
}

// A transport that the user gives tells nothing about connections: only errors
// that name the reason prove that nothing was sent.
func TestAGivenTransportIsNotTrustedToHaveSentNothing(t *testing.T) {
	for want, err := range map[string]error{
		"broken":   io.ErrUnexpectedEOF,
		"not sent": &net.OpError{Op: "dial", Err: net.UnknownNetworkError("x")},
	} {
		c := newCaller(map[string]unwind.Participant{"shop": {URL: "http://shop"}}, failing{err})
		d := newDialogue(t, unwind.Participant{URL: "http://shop"})
		d.caller = c
		if a := d.attempt(unwind.Action, time.Second); meaning(a) != want {
			t.Errorf("%v came to %q", err, meaning(a))
		}
	}
}

type failing struct{ error }

func (f failing) RoundTrip(r *http.Request) (*http.Response, error) {
	_ = r.Body.Close()
	return nil, f.error
}

func TestAnUndeclaredServiceIsAFaultOfTheSetUp(t *testing.T) {
	d := newDialogue(t, unwind.Participant{URL: "http://127.0.0.1:1"})
	delete(d.caller.endpoints, "shop")
	if a := d.attempt(unwind.Action, time.Second); a.Fault != machine.FaultForbidden || a.Message == "" {
		t.Errorf("it came to %+v", a)
	}
}
