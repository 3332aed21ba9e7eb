package client

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"time"

	"github.com/unwindhq/unwind"
)

const (
	// maxEventLine bounds one line of the stream, in bytes.
	maxEventLine = 1 << 20
	// silence ends a stream that says nothing, not even that it is still there.
	silence = 45 * time.Second
	// watchPause bounds the wait before a stream that was lost is opened again.
	watchPause = 10 * time.Second
)

// Watch gives each event past the cursor to fn, in order, until ctx ends, fn
// returns an error, or the server refuses; it returns why. The empty cursor is
// the end: what happens from now on. A stream that is lost is opened again after
// the last event, so that fn may see an event twice but misses none; after an
// [unwind.EventReset] it should read everything anew.
func (c *Client) Watch(ctx context.Context, cursor string, fn func(unwind.Event) error) error {
	w := watch{client: c, cursor: cursor, fn: fn}
	pause := c.backoff
	for {
		before := w.cursor
		err := w.stream(ctx)
		var own *fnError
		if errors.As(err, &own) {
			return own.error
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var wait time.Duration
		var u *unwind.Error
		if errors.As(err, &u) {
			switch u.Code {
			case unwind.Overloaded, unwind.StoreUnavailable, unwind.Unreachable, unwind.Internal:
				wait = u.RetryAfter.Std()
			default:
				return err
			}
		}
		if w.cursor != before {
			pause = c.backoff
		}
		timer := time.NewTimer(max(wait, pause+rand.N(pause/4+1)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		pause = min(2*pause, watchPause)
	}
}

// An fnError is what Watch's function returned.
type fnError struct{ error }

type watch struct {
	client *Client
	cursor string
	fn     func(unwind.Event) error
}

// stream reads one stream to its end.
func (w *watch) stream(ctx context.Context) error {
	const doing = "watching events"
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r, err := w.client.newRequest(ctx, http.MethodGet, "/v1/events", nil)
	if err != nil {
		return invalid(doing, err)
	}
	r.Header.Set("Accept", "text/event-stream")
	if w.cursor != "" {
		r.Header.Set("Last-Event-ID", w.cursor)
	}
	resp, err := w.client.http.Do(r)
	if err != nil {
		return unreachable(doing, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		body, err := readAll(resp)
		if err != nil {
			return unreachable(doing, err)
		}
		return refusalOf(doing, resp, body)
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != "text/event-stream" {
		return unwind.Errorf(unwind.InvalidRequest, "%s: the answer is %q and no stream of events; is the URL right?", doing, resp.Header.Get("Content-Type"))
	}
	watchdog := time.AfterFunc(silence, cancel)
	defer watchdog.Stop()
	return w.read(resp.Body, func() { watchdog.Reset(silence) })
}

// read takes events off a stream (WHATWG HTML, 9.2.6). An id counts as seen
// once its event was given to fn.
func (w *watch) read(body io.Reader, alive func()) error {
	lines := bufio.NewScanner(body)
	lines.Buffer(make([]byte, 0, 64<<10), maxEventLine)
	e := unwind.Event{Cursor: w.cursor}
	for lines.Scan() {
		alive()
		line := lines.Bytes()
		if len(line) == 0 {
			if len(e.Data) > 0 {
				if err := w.fn(e); err != nil {
					return &fnError{err}
				}
			}
			w.cursor = e.Cursor
			e = unwind.Event{Cursor: w.cursor}
			continue
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "id":
			e.Cursor = string(value)
		case "event":
			e.Kind = unwind.EventKind(value)
		case "data":
			if len(e.Data) > 0 {
				e.Data = append(e.Data, '\n')
			}
			e.Data = append(e.Data, value...)
		}
		if len(e.Data) > maxEventLine {
			return unwind.Errorf(unwind.Internal, "watching events: an event is larger than %d bytes", maxEventLine)
		}
	}
	if err := lines.Err(); err != nil {
		return unreachable("watching events", fmt.Errorf("reading the stream: %w", err))
	}
	return unreachable("watching events", io.EOF)
}
