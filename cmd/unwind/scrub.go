package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/unwindhq/unwind/engine"
)

// A scrubber hides secrets in the lines that are written to it.
type scrubber struct {
	to   io.Writer
	hide *strings.Replacer
}

func scrub(to io.Writer, secrets []string) io.Writer {
	return &scrubber{to, engine.Hider(secrets)}
}

// Write implements io.Writer.
func (s *scrubber) Write(line []byte) (int, error) {
	if _, err := io.WriteString(s.to, s.hide.Replace(string(line))); err != nil {
		return 0, fmt.Errorf("writing the log: %w", err)
	}
	return len(line), nil
}
