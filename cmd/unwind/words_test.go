package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
)

var firstWord = regexp.MustCompile(`^(\S+)`)

var signals = map[string]syscall.Signal{"-INT": syscall.SIGINT, "-TERM": syscall.SIGTERM, "-KILL": syscall.SIGKILL}

// do runs one line of a script.
func (s *session) do(words []string) {
	neg := words[0] == "!"
	if neg {
		words = words[1:]
	}
	word, args := words[0], words[1:]
	need := func(least, most int) {
		if len(args) < least || len(args) > most {
			s.fatalf("%s takes %d to %d words", word, least, most)
		}
	}
	switch word {
	case "unwind":
		if name, ok := background(words); ok {
			s.leaveRunning(name, words[:len(words)-1])
		} else if code := s.run(words); (code != 0) != neg {
			s.fatalf("exit code %d", code)
		}
	case "exits":
		need(2, 99)
		if code := s.run(args[1:]); strconv.Itoa(code) != args[0] {
			s.fatalf("exit code %d; want %s", code, args[0])
		}
	case "stdout", "stderr":
		need(1, 1)
		s.match(neg, args[0], word)
	case "grep":
		need(2, 2)
		s.match(neg, args[0], args[1])
	case "cmp":
		need(2, 2)
		s.cmp(args[0], args[1])
	case "stdin":
		need(1, 1)
		s.stdin = s.read(args[0])
	case "env":
		need(1, 1)
		s.env = append(s.env, args[0])
	case "cp":
		need(2, 2)
		s.write(args[1], s.read(args[0]))
	case "expand":
		for _, file := range args {
			s.write(file, os.Expand(s.read(file), s.getenv))
		}
	case "remember":
		need(1, 2)
		re := firstWord
		if len(args) == 2 {
			re = s.pattern(args[1])
		}
		m := re.FindStringSubmatch(s.stdout)
		if len(m) < 2 {
			s.fatalf("nothing matches %s", re)
		}
		s.env = append(s.env, args[0]+"="+m[1])
	case "eventually":
		need(2, 99)
		re := s.pattern(args[0])
		s.until(args[0], func() bool {
			s.run(args[1:])
			return re.MatchString(s.stdout + s.stderr)
		})
	case "runbook":
		need(2, 2)
		s.do(s.runbookCommand(args[0], args[1]))
	case "serving":
		s.until("the server", func() bool { return ready(s.getenv("UNWIND_SERVER")) != neg })
	case "says":
		need(2, 2)
		re, p := s.pattern(args[0]), s.process(args[1])
		s.until(args[0], func() bool { return re.MatchString(p.stdout.String() + p.stderr.String()) })
	case "kill":
		need(2, 2)
		s.check(s.process(args[1]).cmd.Process.Signal(signals[args[0]]))
	case "wait":
		need(2, 2)
		p := s.process(args[0])
		delete(s.running, args[0])
		code := s.code(p.cmd.Wait())
		s.stdout, s.stderr = p.stdout.String(), p.stderr.String()
		if strconv.Itoa(code) != args[1] {
			s.fatalf("exit code %d; want %s", code, args[1])
		}
		if code == 0 && strings.Contains(s.stderr, "level=ERROR") {
			s.fatalf("it ended well and logged an error")
		}
	case "shop":
		s.shopCommand(args)
	default:
		s.fatalf("there is no command %q", word)
	}
}

// background reads a trailing & or &name; without a name it is the word after unwind.
func background(words []string) (name string, ok bool) {
	last := words[len(words)-1]
	if name, ok = strings.CutPrefix(last, "&"); ok && name == "" {
		name = words[1]
	}
	return name, ok
}

func (s *session) match(neg bool, pattern, where string) {
	if s.pattern(pattern).MatchString(s.read(where)) == neg {
		if neg {
			s.fatalf("%s matches %s", where, pattern)
		}
		s.fatalf("nothing in %s matches %s", where, pattern)
	}
}

func (s *session) write(name, text string) {
	// At once, for who reads it meanwhile: unwind dev does.
	half := filepath.Join(s.dir, ".half")
	s.check(os.WriteFile(half, []byte(text), 0o600))
	s.check(os.Rename(half, filepath.Join(s.dir, name)))
}

func (s *session) cmp(got, want string) {
	text := s.read(got)
	if text == s.read(want) {
		return
	}
	if !*update {
		s.fatalf("%s is not %s:\n%s", got, want, s.read(want))
	}
	s.archive.files[want] = []byte(text)
	s.changed = true
}
