package engine

import (
	"bufio"
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
	used  bool
	since time.Time // when it became idle
}

func newConnection(conn net.Conn) *connection {
	c := &connection{conn: conn, peek: newPeeker(conn), limit: io.LimitedReader{R: conn}}
	c.in = bufio.NewReaderSize(&c.limit, 4<<10)
	return c
}

// cut ends what is under way. It may be called at any time.
func (c *connection) cut() { _ = c.conn.SetDeadline(time.Unix(1, 0)) }

// isOpen reports whether the other side has neither closed an idle connection
// nor sent anything on it.
func (c *connection) isOpen() bool { return c.peek.silent() }

var errLongHeaders = errors.New("the answer's headers are larger than 64 KiB")

// smallBody is copied behind its head; a larger one is written from where it is.
const smallBody = 4 << 10 // bytes

// exchange sends a request and reads the answer up to its body.
func (c *connection) exchange(head, body []byte) (resp *http.Response, written int64, err error) {
	if len(body) <= smallBody {
		var n int
		n, err = c.conn.Write(append(head, body...))
		written = int64(n)
	} else {
		parts := net.Buffers{head, body}
		written, err = parts.WriteTo(c.conn)
	}
	if err != nil {
		return nil, written, err
	}
	c.limit.N = maxHeaderLen
	for {
		resp, err = http.ReadResponse(c.in, nil)
		switch { // answers of 1xx come before the answer
		case err != nil && c.limit.N <= 0:
			return nil, written, errLongHeaders
		case err != nil:
			return nil, written, err
		case resp.StatusCode/100 != 1 || resp.StatusCode == http.StatusSwitchingProtocols:
			c.limit.N = math.MaxInt64
			return resp, written, nil
		}
	}
}
