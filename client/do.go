package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/unwindhq/unwind"
)

// maxAnswer bounds what is read of one answer, in bytes: a page of 1000 sagas
// with large inputs.
const maxAnswer = 256 << 20

// A request is one call of the API.
type request struct {
	doing  string // what, for errors
	method string
	path   string // escaped, with the query
	body   any
	key    string // its Idempotency-Key, if it has one
	safe   bool   // may be sent again when nobody knows what became of it
}

// do sends a request and decodes what it is answered with into out (nil: nothing).
// It returns the HTTP status.
func (c *Client) do(ctx context.Context, req request, out any) (int, error) {
	var body []byte
	if req.body != nil {
		var buf bytes.Buffer
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(req.body); err != nil {
			return 0, invalid(req.doing, err)
		}
		body = buf.Bytes()
	}
	for attempt := 1; ; attempt++ {
		status, err := c.once(ctx, &req, body, out)
		if err == nil {
			return status, nil
		}
		wait, again := c.again(&req, err, attempt)
		if !again {
			return status, err
		}
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
			return status, err // the wait would come to nothing
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return status, err
		}
	}
}

// again says whether and when a failed request is sent again. One that was
// refused for now (overloaded, store unavailable before anything was written)
// may have been written all the same, so it too must be safe.
func (c *Client) again(req *request, err error, attempt int) (time.Duration, bool) {
	var u *unwind.Error
	if !req.safe || attempt >= c.attempts || !errors.As(err, &u) {
		return 0, false
	}
	switch u.Code {
	case unwind.Overloaded, unwind.StoreUnavailable, unwind.Unreachable:
	default:
		return 0, false
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return 0, false
	}
	wait := c.backoff << min(attempt-1, 5)
	wait += rand.N(wait/4 + 1)
	return max(wait, u.RetryAfter.Std()), true
}

func (c *Client) once(ctx context.Context, req *request, body []byte, out any) (int, error) {
	r, err := c.newRequest(ctx, req.method, req.path, body)
	if err != nil {
		return 0, invalid(req.doing, err)
	}
	if req.key != "" {
		r.Header.Set("Idempotency-Key", req.key)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return 0, unreachable(req.doing, err)
	}
	defer resp.Body.Close()
	b, err := readAll(resp)
	if err != nil {
		return resp.StatusCode, unreachable(req.doing, fmt.Errorf("reading the answer: %w", err))
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return resp.StatusCode, refusalOf(req.doing, resp, b)
	}
	if out == nil {
		return resp.StatusCode, nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		e := unwind.Errorf(unwind.Internal, "%s: the answer can't be read: %w; is this an Unwind server?", req.doing, err)
		e.RequestID = resp.Header.Get("X-Request-Id")
		return resp.StatusCode, e
	}
	return resp.StatusCode, nil
}

func (c *Client) newRequest(ctx context.Context, method, path string, body []byte) (*http.Request, error) {
	var in io.Reader
	if body != nil {
		in = bytes.NewReader(body)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, in)
	if err != nil {
		return nil, err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("User-Agent", "unwind-client")
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	return r, nil
}

func readAll(resp *http.Response) ([]byte, error) {
	if n := resp.ContentLength; n >= 0 && n <= maxAnswer {
		b := make([]byte, n)
		_, err := io.ReadFull(resp.Body, b)
		return b, err
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(b) > maxAnswer {
		err = fmt.Errorf("it is larger than %d bytes; ask for smaller pages", maxAnswer)
	}
	return b, err
}
