package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

// An exportLine is a line of an export: a row, or a head, or blank.
type exportLine struct {
	row   store.Audit
	head  *store.AuditHead
	blank bool
	err   error
}

// exportBlock is how many bytes of an export are parsed at a time.
const exportBlock = 256 << 10

// exportLines hands on the lines of an export in their order. All processors parse it;
// what is parsed ahead is bounded. A last line without an end that is no whole JSON was
// cut off, and is left out; blank ones are too.
func exportLines(from io.Reader, next func(*exportLine)) error {
	blocks := make(chan chan []exportLine, 2*runtime.GOMAXPROCS(0))
	stop := make(chan struct{})
	defer func() {
		close(stop)
		for parsed := range blocks {
			<-parsed // nothing is left behind
		}
	}()
	failed := error(nil) // read after blocks is closed
	go func() {
		defer close(blocks)
		in := bufio.NewReaderSize(from, exportBlock)
		for {
			text, err := cutBlock(in)
			if err != nil && !errors.Is(err, io.EOF) {
				failed = err
				return
			}
			parsed := make(chan []exportLine, 1)
			select {
			case blocks <- parsed:
			case <-stop:
				return
			}
			go func() { parsed <- parseBlock(text) }()
			if err != nil {
				return
			}
		}
	}()
	n := 0
	for parsed := range blocks {
		lines := <-parsed
		for i := range lines {
			if n++; lines[i].err != nil {
				return fmt.Errorf("line %d: %w", n, lines[i].err)
			}
			if !lines[i].blank {
				next(&lines[i])
			}
		}
	}
	return failed
}

// cutBlock reads the next whole lines; at the end with io.EOF.
func cutBlock(in *bufio.Reader) ([]byte, error) {
	text := make([]byte, exportBlock, exportBlock+4096)
	n, err := io.ReadFull(in, text)
	if text = text[:n]; err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		return text, err
	}
	rest, err := in.ReadBytes('\n')
	return append(text, rest...), err
}

func parseBlock(text []byte) (lines []exportLine) {
	for len(text) > 0 {
		line, rest, whole := bytes.Cut(text, []byte{'\n'})
		text = rest
		if len(bytes.TrimSpace(line)) == 0 {
			lines = append(lines, exportLine{blank: true})
			continue
		}
		parsed := parseLine(line)
		if parsed.err != nil && !whole && !json.Valid(line) {
			return lines
		}
		lines = append(lines, parsed)
	}
	return lines
}

func parseLine(text []byte) (l exportLine) {
	var line struct {
		unwind.AuditRow
		headLine
	}
	if l.err = json.Unmarshal(text, &line); l.err != nil {
		return l
	}
	if line.Head == nil {
		l.row, l.err = rowOf(&line.AuditRow)
		return l
	}
	head, err := headOf(line.Head)
	l.head, l.err = &head, err
	return l
}
