package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind"
)

const runbooks = "../../docs/runbooks"

func TestEveryKindOfAlertHasItsRunbook(t *testing.T) {
	for _, kind := range append([]string{"inconsistent_order", "lag", "cascading_failure"}, unwind.AlertKinds...) {
		page, err := os.ReadFile(filepath.Join(runbooks, kind+".md"))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, part := range []string{"## What it means", "## What to look at", "## What to do", "## It is over when"} {
			if !strings.Contains(string(page), part) {
				t.Errorf("%s.md has no part %q", kind, part)
			}
		}
	}
}

// Every command in a runbook is one that there is, with flags that it has.
func TestTheCommandsOfTheRunbooksExist(t *testing.T) {
	pages, err := filepath.Glob(runbooks + "/*.md")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, path := range pages {
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(page)) {
			if rest, is := strings.CutPrefix(line, "unwind "); is {
				checked++
				if fault := unknownCommand(strings.Fields(rest)); fault != "" {
					t.Errorf("%s: %s: %s", filepath.Base(path), strings.TrimSpace(line), fault)
				}
			}
		}
	}
	if checked < 30 {
		t.Errorf("only %d commands were found", checked)
	}
	if unknownCommand([]string{"dlq", "list", "--nothing"}) == "" || unknownCommand([]string{"nothing"}) == "" {
		t.Error("what does not exist is not noticed")
	}
}

// runbookCommand is the command of a page that begins with these words, for $ID, $STEP and $SERVICE.
func (s *session) runbookCommand(page, begins string) (words []string) {
	text, err := os.ReadFile(filepath.Join(runbooks, page+".md"))
	s.check(err)
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, begins) {
			continue
		}
		words, err = split(line, s.getenv)
		s.check(err)
		for i, word := range words {
			if word == "ID" || word == "STEP" || word == "SERVICE" {
				words[i] = s.getenv(word)
			}
		}
		return words
	}
	s.fatalf("%s.md has no command that begins with %q", page, begins)
	return nil
}

// unknownCommand says what of a command line there is not; empty: all is there.
func unknownCommand(words []string) string {
	root := (&app{}).command()
	at, flags := root, root.Flags
	for i, word := range words {
		if name, is := strings.CutPrefix(word, "-"); is {
			name, _, _ = strings.Cut(strings.TrimPrefix(name, "-"), "=")
			known := false
			for _, f := range flags {
				for _, n := range f.Names() {
					known = known || n == name
				}
			}
			if !known {
				return "there is no flag " + word
			}
			continue
		}
		var next *cli.Command
		for _, c := range at.Commands {
			if c.Name == word {
				next = c
			}
		}
		if next == nil && i == 0 {
			return "there is no command " + word
		}
		if next == nil && len(at.Commands) > 0 {
			return "there is no command " + word + " of " + at.Name
		}
		if next != nil {
			at, flags = next, append(flags, next.Flags...)
		}
	}
	return ""
}
