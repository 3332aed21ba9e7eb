package gateway

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"github.com/unwindhq/unwind/participant"
)

// The outcomes of a [Line]: what the participant did, as it knows.
const (
	OK      = "ok"
	Fail    = "fail"
	Unknown = "unknown"
)

// A Line is one line of a participant's call log: the history that the checker
// reads. An invoke has no outcome; one without a return is unknown.
type Line struct {
	T         time.Time `json:"t"`
	Node      string    `json:"node"`
	Epoch     int64     `json:"epoch"`
	Event     string    `json:"event"` // invoke or return
	Saga      string    `json:"saga"`
	Step      string    `json:"step"`
	Direction string    `json:"direction"`
	Attempt   int       `json:"attempt"`
	Key       string    `json:"key"`
	BodySHA   string    `json:"body_sha"` // SHA-256 of the body as received, hex
	Outcome   string    `json:"outcome,omitempty"`
	Status    int       `json:"status,omitempty"`
	Answer    string    `json:"answer,omitempty"` // the answer's Unwind-Outcome
	Path      string    `json:"path"`
}

// OutcomeOf judges an answer: ok took effect, fail did not, unknown is left to
// what comes later. stated is the answer's Unwind-Outcome.
func OutcomeOf(status int, stated string) string {
	switch {
	case stated == "done":
		return OK
	case stated == "refused":
		return Fail
	case stated == "in_progress", status == http.StatusAccepted, status == http.StatusTooEarly:
		return Unknown
	case status >= 200 && status < 300:
		return OK
	case status >= 300 && status < 500:
		return Fail
	}
	return Unknown
}

// A CallLog appends what a participant saw to participant-<name>.jsonl, each
// line with one unbuffered write: what the participant answered is in the file
// even if it is killed the moment after. Its methods are safe for concurrent
// use; a nil log is valid and records nothing.
type CallLog struct {
	name  string
	clock Clock

	mu   sync.Mutex
	file *os.File
	err  error // the first failed write
}

var validName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// OpenCallLog opens the log of a participant in a directory; a nil clock is
// [SystemClock]. The error says that the name can't be part of a file's name,
// or why the file does not open.
func OpenCallLog(dir, name string, clock Clock) (*CallLog, error) {
	if !validName.MatchString(name) {
		return nil, fmt.Errorf("gateway: call log of %q: the name may have letters, digits, dots, dashes and underscores", name)
	}
	if clock == nil {
		clock = SystemClock{}
	}
	file, err := os.OpenFile(filepath.Join(dir, "participant-"+name+".jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("gateway: open the call log of %s: %w", name, err)
	}
	return &CallLog{name: name, clock: clock, file: file}, nil
}

// Close closes the file. It returns the first error of any write: a log with a
// hole proves nothing.
func (l *CallLog) Close() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.err, l.file.Close())
}

// invoke writes that a call came in and returns its line, for [CallLog.giveBack].
func (l *CallLog) invoke(r *http.Request, body []byte) Line {
	line := lineOf(r, body)
	l.write(line, "invoke")
	return line
}

// giveBack writes that a call was answered.
func (l *CallLog) giveBack(line Line, status int, stated, outcome string) {
	line.Status, line.Answer, line.Outcome = status, stated, outcome
	l.write(line, "return")
}

func (l *CallLog) write(line Line, event string) {
	if l == nil {
		return
	}
	line.Event, line.Node, line.T = event, l.name, l.clock.Now().UTC()
	raw, err := json.Marshal(line)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		_, err = l.file.Write(append(raw, '\n'))
	}
	if l.err == nil {
		l.err = err
	}
}

// lineOf reads what it can from a call, also from one that is malformed.
func lineOf(r *http.Request, body []byte) Line {
	sum := sha256.Sum256(body)
	line := Line{
		Key: r.Header.Get(participant.HeaderKey), BodySHA: hex.EncodeToString(sum[:]), Path: r.URL.Path,
		Saga: r.Header.Get(participant.HeaderSaga), Step: r.Header.Get(participant.HeaderStep),
		Direction: r.Header.Get(participant.HeaderDirection),
	}
	if call, err := participant.ParseCall(r.Header, nil); err == nil {
		line.Saga, line.Step, line.Direction, line.Attempt = call.Saga, call.Step, string(call.Direction), call.Attempt
	}
	return line
}

// maxLogged bounds the body of a call that passes a log, in bytes.
const maxLogged = 16 << 20

// Handler logs the calls that pass to next: requests with an Idempotency-Key.
// The line of a return is in the file before the answer leaves. A nil log is
// next itself.
func (l *CallLog) Handler(next http.Handler) http.Handler {
	if l == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(participant.HeaderKey) == "" {
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxLogged))
		if err != nil {
			http.Error(w, "the body can't be read: "+err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		line := l.invoke(r, body)
		held := &heldAnswer{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(held, r)
		stated := w.Header().Get(participant.HeaderOutcome)
		l.giveBack(line, held.status, stated, OutcomeOf(held.status, stated))
		w.WriteHeader(held.status)
		_, _ = w.Write(held.body.Bytes())
	})
}

// A heldAnswer keeps an answer until it is logged.
type heldAnswer struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (h *heldAnswer) WriteHeader(status int)      { h.status = status }
func (h *heldAnswer) Write(p []byte) (int, error) { return h.body.Write(p) }
func (h *heldAnswer) Unwrap() http.ResponseWriter { return h.ResponseWriter }
