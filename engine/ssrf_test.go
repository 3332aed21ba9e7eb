package engine

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/unwindhq/unwind"
)

func TestAddressesThatNoNameMayLeadTo(t *testing.T) {
	for address, forbidden := range map[string]bool{
		"127.0.0.1":              true,
		"127.255.255.254":        true,
		"0.0.0.0":                true,
		"0.1.2.3":                true,
		"10.0.0.1":               true,
		"100.64.0.1":             true,
		"169.254.169.254":        true, // metadata of clouds
		"172.16.0.1":             true,
		"172.31.255.255":         true,
		"192.0.0.170":            true,
		"192.168.1.1":            true,
		"198.18.0.1":             true,
		"224.0.0.1":              true,
		"240.0.0.1":              true,
		"255.255.255.255":        true,
		"::":                     true,
		"::1":                    true,
		"::127.0.0.1":            true, // IPv4-compatible
		"::ffff:127.0.0.1":       true, // IPv4-mapped
		"::ffff:169.254.169.254": true,
		"64:ff9b::7f00:1":        true, // NAT64
		"64:ff9b::a9fe:a9fe":     true,
		"64:ff9b:1::a9fe:a9fe":   true,
		"2001:0:7f00:1::":        true, // Teredo
		"2002:7f00:1::":          true, // 6to4
		"fc00::1":                true,
		"fd00:ec2::254":          true, // metadata of clouds
		"fe80::1":                true,
		"fe80::1%eth0":           true,
		"fec0::1":                true,
		"ff02::1":                true,
		"1.1.1.1":                false,
		"172.32.0.1":             false,
		"100.128.0.1":            false,
		"192.0.2.1":              false,
		"::ffff:1.1.1.1":         false,
		"2606:4700::1111":        false,
	} {
		err := refusePrivate(t.Context(), "tcp", net.JoinHostPort(address, "443"), nil)
		if errors.Is(err, errForbidden) != forbidden {
			t.Errorf("%s: %v", address, err)
		}
	}
	if err := refusePrivate(t.Context(), "tcp", "nonsense", nil); err == nil {
		t.Error("an address that can't be read is let through")
	}
}

// How a host is written must not matter. A literal address is taken as meant;
// whatever has to be resolved is not.
func TestHostsThatLeadHome(t *testing.T) {
	h := newHostile(t, say(okHead+"Content-Length: 2\r\n\r\n{}"))
	_, port, err := net.SplitHostPort(h.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		host    string
		private bool
		want    string // "home or nowhere": the resolver may not know such a name
	}{
		{host: "127.0.0.1", want: "done {}"},
		{host: "[::ffff:127.0.0.1]", want: "done {}"},
		{host: "localhost", want: "forbidden"},
		{host: "LOCALHOST", want: "forbidden"},
		{host: "localhost", private: true, want: "done {}"},
		{host: "localhost.", want: "home or nowhere"},
		{host: "2130706433", want: "home or nowhere"},
		{host: "0x7f000001", want: "home or nowhere"},
		{host: "0177.0.0.1", want: "home or nowhere"},
		{host: "127.1", want: "home or nowhere"},
		{host: "127.0.0.1.", want: "home or nowhere"},
	} {
		d := newDialogue(t, unwind.Participant{URL: "http://" + c.host + ":" + port, AllowPrivate: c.private})
		before := h.got.Load()
		a := d.attempt(unwind.Action, 10*time.Second)
		got := meaning(a)
		if c.want == "home or nowhere" && (got == "forbidden" || got == "not sent") {
			got = c.want
		}
		if got != c.want {
			t.Errorf("%s came to %q, not %q: %s", c.host, got, c.want, a.Message)
		}
		if sent := h.got.Load() - before; (c.want == "done {}") != (sent == 1) {
			t.Errorf("%s was sent %d calls", c.host, sent)
		}
	}
}

// A name that is good at first and leads home later is looked at each time.
func TestANameThatIsRebound(t *testing.T) {
	var answers atomic.Int64
	address := func() [4]byte {
		if answers.Add(1) <= 1 {
			return [4]byte{192, 0, 2, 1} // TEST-NET-1
		}
		return [4]byte{127, 0, 0, 1}
	}
	resolver := fakeResolver(t, address)
	h := newHostile(t, say(okHead+"Content-Length: 2\r\n\r\n{}"))
	_, port, _ := net.SplitHostPort(h.Addr().String())
	d := newDialogue(t, unwind.Participant{URL: "http://shop.example:" + port})
	var dialled []string
	d.caller.endpoints["shop"].own.DialContext = (&net.Dialer{
		Resolver: resolver,
		ControlContext: func(ctx context.Context, network, address string, _ syscall.RawConn) error {
			dialled = append(dialled, address)
			if err := refusePrivate(ctx, network, address, nil); err != nil {
				return err
			}
			return errors.New("let through")
		},
	}).DialContext
	if a := d.attempt(unwind.Action, 5*time.Second); meaning(a) != "not sent" || !strings.Contains(a.Message, "let through") {
		t.Errorf("the first call came to %q: %s", meaning(a), a.Message)
	}
	if a := d.attempt(unwind.Action, 5*time.Second); meaning(a) != "forbidden" {
		t.Errorf("the second call came to %q: %s", meaning(a), a.Message)
	}
	if h.got.Load() != 0 || len(dialled) != 2 {
		t.Errorf("%d calls arrived; dialled %v", h.got.Load(), dialled)
	}
}

// fakeResolver answers every question for an IPv4 address.
func fakeResolver(t *testing.T, address func() [4]byte) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() { _ = conn.Close(); <-ended })
	go func() {
		defer close(ended)
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Additionals = true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}, Body: &dnsmessage.AResource{A: address()}}}
			}
			if reply, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(reply, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}
