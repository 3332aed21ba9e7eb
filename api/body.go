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
	var b []byte
	var err error
	in := http.MaxBytesReader(c.w.ResponseWriter, c.r.Body, limit)
	if n := c.r.ContentLength; n >= 0 && n <= trusted {
		b = make([]byte, n)
		_, err = io.ReadFull(in, b)
	} else {
		b, err = io.ReadAll(in)
	}
	if err != nil {
		return nil, unreadable(err, limit)
	}
	return b, checkJSON(b)
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
