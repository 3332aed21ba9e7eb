package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/unwindhq/unwind"
)

const (
	eventType = "text/event-stream"
	// eventPage bounds what a stream holds in memory.
	eventPage = 256
	firstID   = 20 * time.Millisecond
)

// eventTypes are what the data of events holds.
var eventTypes = []reflect.Type{typeOf[unwind.SagaEvent](), typeOf[unwind.DeadLetterEvent](), typeOf[unwind.ServiceState](), typeOf[unwind.Operation](), typeOf[unwind.Alert]()}

func eventRoute() route {
	return route{
		key: "GET /v1/events", id: "watch-events", tag: "operations", summary: "Watch what happens",
		text: "Server-sent events: saga (SagaEvent), dead_letter (DeadLetterEvent), service (ServiceState), operation (Operation), alert (Alert), and reset " +
			"where the id is not known any more and everything should be read anew. Ids are opaque; Last-Event-ID resumes after one. An event is sent at least once. " +
			"A service event is GET /v1/services/{name} as it stands then: within a second of a change of a gate, a fault, a breaker, a pause, a limit or the backlog, " +
			"and once a second while figures move. Each stream is told of every service first, unless the id is this process's: then of those that changed since.",
		serve:    (*call).events,
		header:   []param{{name: "Last-Event-ID", kind: "string", text: "The id of the last event that was seen; without it the stream begins now"}},
		answers:  []answer{{status: http.StatusOK, text: "The stream", contentType: eventType}},
		refusals: []unwind.Code{unwind.Overloaded},
	}
}

// events streams pages of events. A stream holds one page; it reads the next
// when the client has taken that, and a client that takes none is cut off.
func (c *call) events() error {
	if err := c.query(nil).err(); err != nil {
		return err
	}
	cursor := c.r.Header.Get("Last-Event-ID")
	if len(cursor) > 1024 || strings.ContainsAny(cursor, "\r\n\x00") {
		return invalid("/header/Last-Event-ID", "it is not an id of this stream")
	}
	if n := c.h.streams.Add(1); n > int64(c.h.cfg.MaxStreams) {
		c.h.streams.Add(-1)
		err := unwind.Errorf(unwind.Overloaded, "%d streams of events are open already", c.h.cfg.MaxStreams)
		err.RetryAfter = 5 * unwind.Second
		return err
	}
	defer c.h.streams.Add(-1)
	ctx, cancel := context.WithCancel(c.r.Context())
	defer cancel()
	defer context.AfterFunc(c.h.open, cancel)()
	head := c.w.Header()
	head["Content-Type"], head["Cache-Control"], head["X-Content-Type-Options"] = []string{eventType}, noStore, noSniff
	head["X-Accel-Buffering"] = []string{"no"} // proxies that hold answers back would hold back these
	s := &stream{call: c, wire: http.NewResponseController(c.w)}
	return s.run(ctx, cursor)
}

// A stream writes events to one client.
type stream struct {
	*call
	wire *http.ResponseController
	out  bytes.Buffer
}

// run ends when the client does, the server closes, or the events can't be read.
func (s *stream) run(ctx context.Context, cursor string) error {
	s.w.WriteHeader(http.StatusOK)
	if s.r.Method == http.MethodHead {
		return nil
	}
	s.out.WriteString("retry: 1000\n\n")
	silence := s.h.cfg.Heartbeat.Std()
	if cursor == "" {
		silence = firstID // so that a client that loses the stream at once misses nothing
	}
	for {
		if !s.send() {
			return nil
		}
		wait, cancel := context.WithTimeout(ctx, silence)
		events, next, err := s.h.cfg.Events.Events(wait, cursor, eventPage)
		cancel()
		silence = s.h.cfg.Heartbeat.Std()
		switch {
		case err == nil:
			cursor = next
			for i := range events {
				s.put(&events[i])
			}
		case ctx.Err() != nil:
			return nil //nolint:nilerr // the client hung up, or the server closes
		case errors.Is(err, context.DeadlineExceeded):
			if next != "" {
				cursor = next
				s.out.WriteString("id: " + cursor + "\n")
			}
			s.out.WriteString(": still here\n\n")
		default:
			s.h.cfg.Logger.Error("reading events", "request_id", s.id, "error", err)
			return nil // the client comes back with its last id
		}
	}
}

var oneLine = strings.NewReplacer("\r", "", "\n", "")

// put appends an event. Its data is JSON on one line.
func (s *stream) put(e *unwind.Event) {
	for _, line := range [...][2]string{{"id: ", e.Cursor}, {"event: ", string(e.Kind)}, {"data: ", string(e.Data)}} {
		s.out.WriteString(line[0])
		s.out.WriteString(oneLine.Replace(line[1]))
		s.out.WriteByte('\n')
	}
	s.out.WriteByte('\n')
}

// send writes what was put, within the time that a client has.
func (s *stream) send() bool {
	_ = s.wire.SetWriteDeadline(time.Now().Add(s.h.cfg.SlowClient.Std())) // a connection without deadlines has none to pass
	_, err := s.w.Write(s.out.Bytes())
	s.out.Reset()
	return err == nil && s.wire.Flush() == nil
}
