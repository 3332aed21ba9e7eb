package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestScripts runs the sessions in testdata: txtar archives, a script with the
// files it begins with. A line is a command; a leading ! says that it fails, a
// trailing & leaves it running under its name, '…' keeps blanks and $NAME as
// they are. Every session has a server address of its own in UNWIND_LISTEN and
// UNWIND_SERVER, a shop at $SHOP for its services to be, and in $RLO the character
// that turns the direction of text. Commands:
//
//	unwind …                 the command; it ends with 0 (with !: with another code)
//	exits CODE unwind …      it ends with this code
//	stdout REGEXP, stderr REGEXP   what the last command wrote (with !: did not)
//	grep REGEXP FILE         the same of a file
//	cmp stdout|stderr FILE   word for word; -update writes the file
//	stdin FILE               what the next command reads
//	env NAME=VALUE           from here on
//	cp FROM TO               files; FROM may be stdout
//	expand FILE…             replaces $NAME in files
//	remember NAME [REGEXP]   keeps the first word of the output, or what the group matches
//	eventually REGEXP unwind …   runs a command until its output matches
//	runbook PAGE WORDS       the command of a runbook that begins so, its ID, STEP and SERVICE taken from the environment
//	serving                  waits until the server takes requests (with !: until nobody does)
//	says REGEXP NAME         waits until what runs as NAME has said it
//	kill -SIGNAL NAME, wait NAME CODE   of what was left running; wait takes its output
//	shop …                   see shopCommand
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			runScript(t, file)
		})
	}
}

// patience bounds every wait of a test, on a machine that is slow and has much else to do.
const patience = 5 * time.Minute

// An archive is a script and its files, as txtar writes them.
type archive struct {
	script []byte
	names  []string
	files  map[string][]byte
}

func parseArchive(b []byte) archive {
	a := archive{files: map[string][]byte{}}
	name := ""
	for line := range bytes.Lines(b) {
		if text := strings.TrimSpace(string(line)); strings.HasPrefix(text, "-- ") && strings.HasSuffix(text, " --") {
			name = text[3 : len(text)-3]
			a.names = append(a.names, name)
			a.files[name] = []byte{}
			continue
		}
		if name == "" {
			a.script = append(a.script, line...)
		} else {
			a.files[name] = append(a.files[name], line...)
		}
	}
	return a
}

func (a *archive) format() []byte {
	out := slices.Clone(a.script)
	for _, name := range a.names {
		out = append(out, "-- "+name+" --\n"...)
		out = append(out, a.files[name]...)
	}
	return out
}

func runScript(t *testing.T, file string) {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := newSession(t, parseArchive(raw))
	defer s.end()
	n := 0
	for line := range strings.Lines(string(s.archive.script)) {
		n++
		s.place = file + ":" + strconv.Itoa(n)
		words, err := split(line, s.getenv)
		if err != nil {
			s.fatalf("%v", err)
		}
		if len(words) > 0 {
			s.do(words)
		}
	}
	if *update && s.changed {
		if err := os.WriteFile(file, s.archive.format(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// split takes a line apart: blanks, single quotes, $NAME outside of them, # to the end.
func split(line string, env func(string) string) (words []string, err error) {
	var word, plain strings.Builder
	begun := false
	flush := func() {
		word.WriteString(os.Expand(plain.String(), env))
		plain.Reset()
	}
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\'':
			flush()
			end := strings.IndexByte(line[i+1:], '\'')
			if end < 0 {
				return nil, strconv.ErrSyntax
			}
			word.WriteString(line[i+1 : i+1+end])
			i += end + 1
			begun = true
		case c == ' ' || c == '\t' || c == '\n':
			flush()
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		case c == '#' && !begun:
			return words, nil
		default:
			plain.WriteByte(c)
			begun = true
		}
	}
	return words, nil
}
