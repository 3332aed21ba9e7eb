package api

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/unwindhq/unwind"
)

// Bounds of request bodies, in bytes. What surrounds an input or an output in
// its request is counted generously.
const (
	maxStartBody      = unwind.MaxInput + 64<<10
	maxDefinitionBody = 1 << 20
	maxBody           = 2*unwind.MaxOutput + 64<<10
	// maxDepth bounds how deep JSON may be nested.
	maxDepth = 64
	// freeBody is up to which length a body is read even where there is no room.
	freeBody = 4 << 10
	// trusted is how much is set aside for a body on its sender's word; what is
	// said to be larger is given room as it arrives.
	trusted = 64 << 10
)

const (
	jsonType   = "application/json"
	ndjsonType = "application/x-ndjson"
)

// body reads a JSON body of at most limit bytes.
func (c *call) body(limit int64) ([]byte, error) {
	if err := c.checkContent(jsonType); err != nil {
		return nil, err
	}
	if c.r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	in := http.MaxBytesReader(c.w.ResponseWriter, c.r.Body, limit)
	if n := c.r.ContentLength; n >= 0 && n <= trusted {
		if err := c.hold(int(n)); err != nil {
			return nil, err
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(in, b); err != nil {
			return nil, unreadable(err, limit)
		}
		return b, checkJSON(b)
	}
	b, err := c.readLarge(in, limit)
	if err != nil {
		return nil, err
	}
	return b, checkJSON(b)
}

// readLarge gives a body room as it arrives: one that is promised and does not
// come takes none from the others.
func (c *call) readLarge(in io.Reader, limit int64) (b []byte, err error) {
	for err == nil {
		if room := cap(b) - len(b); room == 0 {
			more := max(len(b), trusted)
			if n := c.r.ContentLength; n > 0 {
				more = min(more, int(n)+1-len(b)) // one more, to see the end
			}
			if err := c.hold(more); err != nil {
				return nil, err
			}
			b = append(make([]byte, 0, len(b)+more), b...)
		}
		var n int
		n, err = in.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
	}
	if !errors.Is(err, io.EOF) {
		return nil, unreadable(err, limit)
	}
	return b, nil
}

// hold takes room for a part of a body until the request is answered. Without
// any left the request is refused, unless it is small.
func (c *call) hold(n int) error {
	if c.h.bodies.Add(int64(n)) <= c.h.cfg.MaxBodyBytes || c.held+n <= freeBody {
		c.held += n
		return nil
	}
	c.h.bodies.Add(-int64(n))
	err := unwind.Errorf(unwind.Overloaded, "the bodies of the requests in work hold %d bytes, which is the most (max_body_bytes); try again later", c.h.cfg.MaxBodyBytes)
	err.RetryAfter = unwind.Second
	return err
}

// release gives back what was held.
func (c *call) release() {
	c.h.bodies.Add(-int64(c.held))
	c.held = 0
}

// checkContent refuses bodies of other kinds, and compressed ones: what they
// come to is not known before it is too late. Requiring JSON to be called so also
// keeps the forms of other sites out.
func (c *call) checkContent(want string) error {
	if enc := c.r.Header.Get("Content-Encoding"); enc != "" && enc != "identity" {
		return unsupported("the body is encoded as " + clip(enc) + "; send it as it is")
	}
	got, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || got != want {
		return unsupported("the body is said to be " + strconv.Quote(clip(c.r.Header.Get("Content-Type"))) + "; send Content-Type: " + want)
	}
	switch params["charset"] {
	case "", "utf-8", "UTF-8":
		return nil
	}
	return unsupported("JSON is UTF-8; leave the charset out")
}

func unsupported(detail string) error {
	return refuse(http.StatusUnsupportedMediaType, "unsupported-media-type", "The body is not of a kind that is read here", detail)
}

func tooLarge(limit int64) error {
	return unwind.Errorf(unwind.TooLarge, "the body is larger than %d bytes; keep large things elsewhere and pass their address", limit)
}

// unreadable says why a body did not arrive.
func unreadable(err error, limit int64) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return tooLarge(limit)
	}
	return unwind.Errorf(unwind.InvalidRequest, "the body did not arrive whole: %w", err)
}

// checkJSON refuses what is nested too deep or is not UTF-8, before anything
// recursive looks at it. Whether it is JSON is for who decodes it.
func checkJSON(b []byte) error {
	depth, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch ch := b[i]; {
		case quoted:
			switch ch {
			case '\\':
				i++
			case '"':
				quoted = false
			}
		case ch == '"':
			quoted = true
		case ch == '{' || ch == '[':
			if depth++; depth > maxDepth {
				return unwind.Errorf(unwind.InvalidRequest, "the JSON is nested deeper than %d levels", maxDepth)
			}
		case ch == '}' || ch == ']':
			depth--
		}
	}
	if !utf8.Valid(b) {
		return unwind.Errorf(unwind.InvalidRequest, "the body is not UTF-8")
	}
	return nil
}
