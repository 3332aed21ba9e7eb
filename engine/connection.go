package engine

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"time"
)

// A connection is one of a pool. One call uses it at a time.
type connection struct {
	conn  net.Conn
	peek  peeker
	limit io.LimitedReader // of what is read for the headers
	in    *bufio.Reader
	out   *bufio.Writer
	wrote int // by the call
	used  bool
	since time.Time // when it became idle
}

func newConnection(conn net.Conn) *connection {
	c := &connection{conn: conn, peek: newPeeker(conn), limit: io.LimitedReader{R: conn}}
	c.in = bufio.NewReaderSize(&c.limit, 4<<10)
	c.out = bufio.NewWriterSize(c, 4<<10)
	return c
}

// Write implements io.Writer, and counts.
func (c *connection) Write(b []byte) (int, error) {
	n, err := c.conn.Write(b)
	c.wrote += n
	return n, err //nolint:wrapcheck // it stands in for the connection
}

// cut ends what is under way. It may be called at any time.
func (c *connection) cut() { _ = c.conn.SetDeadline(time.Unix(1, 0)) }

// isOpen reports whether the other side has neither closed an idle connection
// nor sent anything on it.
func (c *connection) isOpen() bool { return c.peek.silent() }

var errLongHeaders = errors.New("the answer's headers are larger than 64 KiB")

// exchange sends a request and reads the answer up to its body.
func (c *connection) exchange(req *http.Request, body []byte) (resp *http.Response, written int, err error) {
	c.wrote = 0
	c.out.Reset(c)
	if len(body) > 0 {
		req.Body = io.NopCloser(bytes.NewReader(body)) // net/http sees that it need not wait for it
	}
	if err = req.Write(c.out); err == nil {
		err = c.out.Flush()
	}
	if err != nil {
		return nil, c.wrote, err
	}
	c.limit.N = maxHeaderLen
	for {
		resp, err = http.ReadResponse(c.in, req)
		switch { // answers of 1xx come before the answer
		case err != nil && c.limit.N <= 0:
			return nil, c.wrote, errLongHeaders
		case err != nil:
			return nil, c.wrote, err
		case resp.StatusCode/100 != 1 || resp.StatusCode == http.StatusSwitchingProtocols:
			c.limit.N = math.MaxInt64
			return resp, c.wrote, nil
		}
	}
}
