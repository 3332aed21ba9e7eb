package api

import (
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/unwindhq/unwind"
)

// checkOrigin refuses what the page of another site made a browser send. Where
// there are no tokens the address is all that protects the server, so there a
// request must also name this machine as its host: a name that somebody else
// controls may resolve here (DNS rebinding).
func (h *Handler) checkOrigin(r *http.Request) error {
	if err := h.crossOrigin.Check(r); err != nil {
		return unwind.Errorf(unwind.Forbidden, "a page of another site may not do this")
	}
	if len(h.gate.actors) > 0 {
		return nil
	}
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok && !a.IP.IsLoopback() {
		return unwind.Errorf(unwind.Forbidden, "the server has no tokens and answers on loopback addresses only; declare tokens under auth:")
	}
	if !isLoopback(hostname(r.Host)) {
		return unwind.Errorf(unwind.Forbidden, "the server has no tokens and answers as localhost, 127.0.0.1 or [::1] only; declare tokens under auth: to reach it by another name")
	}
	if origins := r.Header["Origin"]; len(origins) > 0 {
		u, err := url.Parse(origins[0])
		if len(origins) > 1 || err != nil || !strings.EqualFold(u.Host, r.Host) {
			return unwind.Errorf(unwind.Forbidden, "the server has no tokens and answers pages of its own only")
		}
	}
	return nil
}

// hostname takes the port off a Host header.
func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return hostport
}
