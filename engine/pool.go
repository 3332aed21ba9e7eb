package engine

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// A pool makes HTTP/1.1 calls to one participant, without TLS, in the goroutine
// of the call: one write, mostly one read, and nobody to wake in between. That
// takes a third less CPU time than net/http's transport, which has two more
// goroutines and a few channels for each connection, and knows less exactly
// whether something was sent.
//
// A call is sent once. A connection that the participant has closed while it was
// idle is found by looking at it, before anything is written; where the first
// write fails with nothing written, another connection is taken. Whatever else
// happens is the call's answer.
type pool struct {
	dialer  *http.Transport // whose DialContext it uses
	address string

	mu     sync.Mutex
	idle   []*connection // the one that was used last is at the end
	prune  *time.Timer   // nil: none is idle
	closed bool
}

const (
	maxIdle      = 512              // connections of one participant
	idleTime     = 30 * time.Second // after which a connection is closed
	maxHeaderLen = 64 << 10         // bytes of an answer's headers
)

// newPool returns nil where a participant is not one for it.
func newPool(base string, t *http.Transport) *pool {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" || strings.ContainsFunc(u.Host, func(r rune) bool { return r > '~' || r == '%' }) {
		return nil
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	return &pool{dialer: t, address: net.JoinHostPort(u.Hostname(), port)}
}

// send makes a call. unsent: nothing of it has left.
func (p *pool) send(ctx context.Context, head, body []byte) (resp *http.Response, unsent bool, err error) {
	for {
		c, err := p.take(ctx)
		if err != nil {
			return nil, true, err
		}
		stop := context.AfterFunc(ctx, c.cut)
		resp, written, err := c.exchange(head, body)
		if err == nil {
			resp.Body = &answerBody{body: resp.Body, pool: p, conn: c, stop: stop, keep: !resp.Close}
			return resp, false, nil
		}
		stop()
		_ = c.conn.Close()
		switch {
		case ctx.Err() != nil:
			return nil, written == 0, context.Cause(ctx)
		case written > 0 || !c.used:
			return nil, written == 0, err
		}
	}
}

// take returns an idle connection that is still open, or a new one.
func (p *pool) take(ctx context.Context) (*connection, error) {
	for c := p.last(); c != nil; c = p.last() {
		if c.isOpen() {
			return c, nil
		}
		_ = c.conn.Close()
	}
	conn, err := p.dialer.DialContext(ctx, "tcp", p.address)
	if err != nil {
		return nil, err
	}
	return newConnection(conn), nil
}

func (p *pool) last() *connection {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle) - 1
	if n < 0 {
		return nil
	}
	c := p.idle[n]
	p.idle[n] = nil
	p.idle = p.idle[:n]
	return c
}

// give takes a connection back.
func (p *pool) give(c *connection) {
	c.used, c.since = true, time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) >= maxIdle {
		_ = c.conn.Close()
		return
	}
	p.idle = append(p.idle, c)
	if p.prune == nil {
		p.prune = time.AfterFunc(idleTime, p.closeOld)
	}
}

// closeOld closes what has been idle for too long, and comes back for the rest.
func (p *pool) closeOld() {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := 0
	for old < len(p.idle) && time.Since(p.idle[old].since) >= idleTime {
		_ = p.idle[old].conn.Close()
		old++
	}
	p.idle = append(p.idle[:0:0], p.idle[old:]...)
	if p.prune = nil; len(p.idle) > 0 {
		p.prune = time.AfterFunc(idleTime-time.Since(p.idle[0].since), p.closeOld)
	}
}

// close closes what is idle; what is in use is closed after its call.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.idle {
		_ = c.conn.Close()
	}
	p.idle, p.closed = nil, true
	if p.prune != nil {
		p.prune.Stop()
	}
}

// An answerBody gives its connection back once it has been read to its end. What
// is not read is not waited for: the connection is closed.
type answerBody struct {
	body io.Reader
	pool *pool
	conn *connection
	stop func() bool
	keep bool
	err  error // not nil: the connection is gone, this is why
}

func (b *answerBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.body.Read(p)
	if err != nil {
		b.release(err)
	}
	return n, err //nolint:wrapcheck // it stands in for the body
}

// Close implements io.Closer.
func (b *answerBody) Close() error {
	if b.err == nil {
		b.release(net.ErrClosed)
	}
	return nil
}

func (b *answerBody) release(why error) {
	b.err = why
	if b.stop() && why == io.EOF && b.keep && b.conn.in.Buffered() == 0 { //nolint:errorlint // the end itself
		b.pool.give(b.conn)
		return
	}
	_ = b.conn.conn.Close()
}
