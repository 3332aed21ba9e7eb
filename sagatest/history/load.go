package history

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Bounds of what is read.
const (
	// MaxLine is the longest line, in bytes.
	MaxLine = 4 << 20
	// MaxLines is how many lines a folder may hold in all.
	MaxLines = 5_000_000
)

// Load reads a folder: definitions.json, client.jsonl, participant-*.jsonl and
// engine-*.jsonl. The error names the file and the line. A log that is missing
// counts as empty, but not all of them.
func Load(dir string) (*History, error) {
	h := &History{}
	if err := h.loadDefinitions(filepath.Join(dir, "definitions.json")); err != nil {
		return nil, err
	}
	r := reader{texts: map[string]string{}}
	files := 0
	for _, log := range []struct {
		name, pattern string
		to            *[]Line
	}{
		{"client", "client.jsonl", &h.Client},
		{"participant", "participant-*.jsonl", &h.Participants},
		{"engine", "engine-*.jsonl", &h.Engine},
	} {
		paths, err := filepath.Glob(filepath.Join(dir, log.pattern))
		if err != nil {
			return nil, fmt.Errorf("looking for %s in %s: %w", log.pattern, dir, err)
		}
		for _, path := range paths { // in lexical order
			if *log.to, err = r.file(path, log.name, *log.to); err != nil {
				return nil, err
			}
			files++
		}
	}
	if files == 0 {
		return nil, fmt.Errorf("%s has no client.jsonl, participant-*.jsonl or engine-*.jsonl", dir)
	}
	return h, nil
}

func (h *History) loadDefinitions(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the definitions: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&h.Definitions); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// A reader reads logs. Texts that come again and again are kept once.
type reader struct {
	texts map[string]string
	lines int
}

func (r *reader) file(path, log string, to []Line) ([]Line, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the %s's log: %w", log, err)
	}
	defer f.Close() //nolint:errcheck // closing what was only read
	in := bufio.NewReaderSize(f, 64<<10)
	name := filepath.Base(path)
	var buf []byte
	for n := 1; ; n++ {
		text, whole, err := readLine(in, buf[:0])
		buf = text
		if errors.Is(err, io.EOF) {
			return to, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		if r.lines++; r.lines > MaxLines {
			return nil, fmt.Errorf("%s:%d: the logs hold more than %d lines; check them in parts", path, n, MaxLines)
		}
		l := Line{file: name, number: n}
		if err := parse(text, &l); err != nil {
			if !whole {
				err = fmt.Errorf("the last line is cut off; take it away and write {\"event\":\"cut\",\"t\":…} in its place: %w", err)
			}
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		if err := l.check(log); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		r.keep(&l)
		to = append(to, l)
	}
}

func parse(text []byte, l *Line) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(l); err != nil {
		return err
	}
	if rest, err := io.ReadAll(d.Buffered()); err != nil || len(bytes.TrimSpace(rest)) > 0 {
		return fmt.Errorf("there is more on the line than one object: %q", rest)
	}
	return nil
}

// readLine reads up to the next newline; whole is false where the file ends
// without one.
func readLine(in *bufio.Reader, buf []byte) (line []byte, whole bool, err error) {
	for {
		part, err := in.ReadSlice('\n')
		buf = append(buf, part...)
		switch {
		case len(buf) > MaxLine:
			return buf, false, fmt.Errorf("the line is longer than %d bytes", MaxLine)
		case err == nil:
			return buf, true, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(buf) > 0:
			return buf, false, nil
		default:
			return buf, false, err
		}
	}
}

func (r *reader) keep(l *Line) {
	for _, s := range []*string{
		&l.Node, &l.Lease, (*string)(&l.Event), &l.Saga, &l.Step, (*string)(&l.Direction), &l.Key, &l.BodySHA, (*string)(&l.Outcome),
		&l.Service, (*string)(&l.Class), &l.Answer, &l.Path, &l.Op, &l.RequestKey, &l.Tenant, &l.InputSHA, (*string)(&l.SagaStatus),
		&l.Name, &l.Version, &l.Kind,
	} {
		if *s == "" {
			continue
		}
		if known, ok := r.texts[*s]; ok {
			*s = known
		} else {
			r.texts[*s] = *s
		}
	}
}
