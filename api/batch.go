package api

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/unwindhq/unwind"
)

// Bounds of a batch.
const (
	maxLines = 10_000
	// The lines of a group are started together, so that they share commits.
	groupLines = 512
	groupBytes = 4 << 20
	// lineTime is how long a batch may bring nothing, or take no answer.
	lineTime = 30 * time.Second
)

// A BatchLine answers one line of a batch, with a saga or a problem.
type BatchLine struct {
	// Line counts from 1.
	Line    int              `json:"line"`
	Status  int              `json:"status" doc:"What the start alone would have been answered with"`
	Saga    *unwind.Instance `json:"saga,omitempty"`
	Problem *Problem         `json:"problem,omitempty"`
}

// A batch starts sagas line by line. It holds one group of lines in memory and
// answers it before it reads the next, while the request is still arriving.
type batch struct {
	*call
	wire  *http.ResponseController
	in    *bufio.Reader
	lines int // read so far

	group []batchStart
	bytes int // of the group
}

// A batchStart is one line: a request, or what is wrong with it.
type batchStart struct {
	line int
	req  unwind.StartRequest
	err  error
}

func (c *call) batch() error {
	if err := c.query(nil).err(); err != nil {
		return err
	}
	if err := c.checkContent(ndjsonType); err != nil {
		return err
	}
	if err := c.h.batches.take("batches"); err != nil {
		return err
	}
	defer c.h.batches.leave()
	b := &batch{call: c, wire: http.NewResponseController(c.w)}
	if err := b.wire.EnableFullDuplex(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("answering a batch while it is read: %w", err)
	}
	b.in = bufio.NewReaderSize(b, 64<<10)
	c.w.Header()["Content-Type"] = []string{ndjsonType}
	c.w.Header()["Cache-Control"] = noStore
	c.w.Header()["X-Content-Type-Options"] = noSniff
	c.w.WriteHeader(http.StatusOK)
	return b.run()
}

func (b *batch) run() error {
	for {
		line, err := b.readLine()
		if len(line) > 0 {
			b.take(line)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			b.group = append(b.group, batchStart{line: b.lines, err: err})
		}
		if err != nil || len(b.group) == groupLines || b.bytes >= groupBytes || !b.more() {
			if !b.flush() {
				return nil // nobody reads the answers
			}
		}
		if err != nil {
			return nil //nolint:nilerr // what ended the batch is its last answer
		}
	}
}

// take decodes one line into the group.
func (b *batch) take(line []byte) {
	s := batchStart{line: b.lines}
	if s.err = b.hold(len(line)); s.err == nil {
		s.err = checkJSON(line)
	}
	if s.err == nil {
		s.err = startDecoder.decode(line, &s.req)
	}
	if s.err == nil && s.req.Wait != 0 {
		s.err = invalid("/wait", "a line of a batch does not wait; get the saga later")
	}
	b.group = append(b.group, s)
	b.bytes += len(line)
}

// flush starts the group and writes its answers; false: they can't be written.
func (b *batch) flush() bool {
	var reqs []unwind.StartRequest
	for i := range b.group {
		if b.group[i].err == nil {
			reqs = append(reqs, b.group[i].req)
		}
	}
	var results []unwind.StartResult
	var all error
	if len(reqs) > 0 {
		if results, all = b.h.cfg.Service.StartBatch(b.r.Context(), reqs); all == nil && len(results) != len(reqs) {
			all = fmt.Errorf("the service answered %d of %d starts", len(results), len(reqs))
		}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	for _, s := range b.group {
		answer := BatchLine{Line: s.line, Status: http.StatusOK}
		if s.err == nil && all != nil {
			s.err = all
		} else if s.err == nil {
			r := results[0]
			results = results[1:]
			if s.err = r.Err; s.err == nil {
				answer.Saga = r.Instance
				if r.Created {
					answer.Status = http.StatusCreated
				}
			}
		}
		if s.err != nil {
			p := b.refused(s.err)
			answer.Status, answer.Problem = p.Status, &p
		}
		if err := enc.Encode(&answer); err != nil {
			b.h.cfg.Logger.Error("answering a line of a batch", "request_id", b.id, "line", s.line, "error", err)
			return false
		}
	}
	clear(b.group) // it holds the inputs
	b.group, b.bytes = b.group[:0], 0
	b.release()
	_ = b.wire.SetWriteDeadline(time.Now().Add(lineTime)) // a connection without deadlines has none to pass
	if _, err := b.w.Write(out.Bytes()); err != nil {
		return false
	}
	return b.wire.Flush() == nil
}

func (b *batch) refused(err error) Problem {
	p, _ := problem(err, b.id)
	if p.Status == http.StatusInternalServerError {
		b.h.cfg.Logger.Error("starting a saga of a batch", "request_id", b.id, "error", err)
	}
	return p
}

// more reports whether another whole line has arrived.
func (b *batch) more() bool {
	ahead, _ := b.in.Peek(b.in.Buffered()) // what is buffered can be looked at
	return bytes.IndexByte(ahead, '\n') >= 0
}

// readLine returns the next line that is not blank, with the error that ended it.
func (b *batch) readLine() ([]byte, error) {
	for {
		line, err := b.readBounded()
		if err == nil || len(line) > 0 {
			b.lines++
		}
		if line = bytes.TrimSpace(line); len(line) == 0 && err == nil {
			continue
		}
		if len(line) > 0 && b.lines > maxLines {
			return nil, unwind.Errorf(unwind.TooLarge, "a batch has at most %d lines; send the others in another one", maxLines)
		}
		return line, err
	}
}

// readBounded reads up to the end of a line.
func (b *batch) readBounded() ([]byte, error) {
	var line []byte
	for {
		part, err := b.in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxStartBody:
			b.lines++
			return nil, tooLarge(maxStartBody)
		case errors.Is(err, bufio.ErrBufferFull):
		case err == nil || errors.Is(err, io.EOF):
			return line, err
		default:
			return nil, unreadable(err, maxStartBody)
		}
	}
}

// Read gives each read of the body its time.
func (b *batch) Read(p []byte) (int, error) {
	_ = b.wire.SetReadDeadline(time.Now().Add(lineTime)) // a connection without deadlines has none to pass
	return b.r.Body.Read(p)
}
