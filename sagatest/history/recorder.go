package history

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// ErrFull says that a recorder has written as much as it may.
var ErrFull = errors.New("the log is full")

// DefaultMaxBytes is how much a recorder writes where nothing is said.
const DefaultMaxBytes = 1 << 30

// A Recorder writes the lines of one log, each with one unbuffered write: a
// line whose Write has returned survives the end of the process. Its methods
// are safe for concurrent use; lines are written in the order of their times.
type Recorder struct {
	// Node is put into lines that name none.
	Node string
	// Now is the clock of lines without a time. Defaults to time.Now.
	Now func() time.Time
	// MaxBytes is how much is written in all. Defaults to [DefaultMaxBytes].
	MaxBytes int64

	mu      sync.Mutex
	w       io.Writer
	written int64
	err     error
}

// NewRecorder returns a recorder that writes to w, which must not buffer. Set
// the fields before the first Write.
func NewRecorder(w io.Writer, node string) *Recorder { return &Recorder{w: w, Node: node} }

// OpenRecorder opens a file of a history's folder to append to, as in
// participant-payments.jsonl. The caller closes the recorder.
func OpenRecorder(path, node string) (*Recorder, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s: %w", node, err)
	}
	return NewRecorder(f, node), nil
}

// Write writes a line, with the recorder's node and time where it has none.
// After a failed write the log has a hole and proves nothing: that error is
// returned from then on.
func (r *Recorder) Write(l Line) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return r.err
	}
	if l.Node == "" {
		l.Node = r.Node
	}
	if l.T == 0 {
		now := time.Now
		if r.Now != nil {
			now = r.Now
		}
		l.T = Micros(now().UnixMicro())
	}
	raw, err := json.Marshal(&l)
	if err != nil {
		return fmt.Errorf("writing a line of %s: %w", r.Node, err)
	}
	raw = append(raw, '\n')
	limit := r.MaxBytes
	if limit == 0 {
		limit = DefaultMaxBytes
	}
	if len(raw) > MaxLine {
		return fmt.Errorf("writing a line of %s: it is longer than %d bytes", r.Node, MaxLine)
	}
	if r.written+int64(len(raw)) > limit {
		r.err = fmt.Errorf("writing a line of %s: %w: %d bytes", r.Node, ErrFull, limit)
		return r.err
	}
	if _, err := r.w.Write(raw); err != nil {
		r.err = fmt.Errorf("writing a line of %s: %w", r.Node, err)
	}
	r.written += int64(len(raw))
	return r.err
}

// Close closes what the recorder writes to, where that can be closed, and
// returns the first error of any write.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, ok := r.w.(io.Closer); ok {
		return errors.Join(r.err, c.Close())
	}
	return r.err
}

// SHA returns the SHA-256 of a body as the logs write it.
func SHA(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// InputSHA returns the SHA-256 of an input whose keys are sorted and whose
// numbers are verbatim, so that equal inputs have one. It shares no code with the
// engine, which it helps to judge.
func InputSHA(input json.RawMessage) (string, error) {
	if len(input) == 0 {
		input = json.RawMessage("null")
	}
	d := json.NewDecoder(strings.NewReader(string(input)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return "", fmt.Errorf("reading an input: %w", err)
	}
	sorted, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("writing an input: %w", err)
	}
	return SHA(sorted), nil
}
