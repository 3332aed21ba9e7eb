package client

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/unwindhq/unwind"
)

// Config of a [Client].
type Config struct {
	// URL of the server, as in http://127.0.0.1:7070. Required.
	URL string
	// Token of the server's configuration. Empty: none is sent.
	Token string
	// HTTPClient sends the requests. It should not have a Timeout below 70s: a
	// start may wait 60s. Defaults to one that keeps up to 256 connections and
	// follows no redirect, so that the token goes nowhere else.
	HTTPClient *http.Client
	// Attempts is how often a request is sent in all, where sending it again is
	// safe: reads, starts with a key, batches in which all have one. Defaults to
	// 4; 1 never sends again.
	Attempts int
	// Backoff is the wait before the second attempt; it doubles up to 32 times
	// that. A Retry-After of the server goes before it. Defaults to 100ms.
	Backoff unwind.Duration
}

// A Client is an [unwind.Service] that is reached over HTTP. It is safe for
// concurrent use. Make one with [New].
type Client struct {
	base     string
	token    string
	http     *http.Client
	attempts int
	backoff  time.Duration
}

var _ unwind.Service = (*Client)(nil)

// New makes a client. It sends nothing yet.
func New(cfg Config) (*Client, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("making a client: the URL %q must be that of a server, as in http://127.0.0.1:7070", cfg.URL)
	}
	if strings.ContainsFunc(cfg.Token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return nil, fmt.Errorf("making a client: the token holds white space or characters that a header can't carry")
	}
	c := &Client{base: strings.TrimSuffix(cfg.URL, "/"), token: cfg.Token, http: cfg.HTTPClient, attempts: cfg.Attempts, backoff: cfg.Backoff.Std()}
	if c.http == nil {
		c.http = &http.Client{
			Transport: &http.Transport{
				Proxy:                 http.ProxyFromEnvironment,
				DialContext:           (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
				TLSHandshakeTimeout:   5 * time.Second,
				ResponseHeaderTimeout: 75 * time.Second,
				MaxIdleConns:          256,
				MaxIdleConnsPerHost:   256,
				IdleConnTimeout:       90 * time.Second,
				// The answers are small, and packing them costs more than it saves.
				DisableCompression: true,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	if c.attempts <= 0 {
		c.attempts = 4
	}
	if c.backoff <= 0 {
		c.backoff = 100 * time.Millisecond
	}
	return c, nil
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }
