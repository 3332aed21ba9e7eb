package flow

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

var rewrite = flag.Bool("rewrite", false, "write what the transcripts answer into testdata")

// TestTranscripts plays every testdata/*.txt. A block is commands, a line of
// dashes, and what they answer; each file begins with a scheduler of its own
// at time 0. See testdata/README for the commands.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p := &player{s: New(Config{CompensationHeads: 4}), grants: map[string]Grant{}}
			got := p.play(t, string(data))
			if got == string(data) {
				return
			}
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Errorf("the answers differ; -rewrite accepts these:\n%s", got)
		})
	}
}

type player struct {
	s      *Scheduler
	now    int64
	grants map[string]Grant
	asked  []Reservation
	stored map[Scope][]byte
}

// play returns the text with the answers replaced by what the scheduler says.
func (p *player) play(t *testing.T, text string) string {
	var out strings.Builder
	blocks := strings.Split(strings.TrimRight(text, "\n"), "\n\n")
	for i, block := range blocks {
		if i > 0 {
			out.WriteString("\n")
		}
		commands, _, _ := strings.Cut(block+"\n", "----\n")
		out.WriteString(commands)
		answers := ""
		for line := range strings.Lines(commands) {
			line = strings.TrimSpace(line)
			if line == "" || line[0] == '#' {
				continue
			}
			answers += p.run(t, line)
			check(t, p.s)
		}
		if answers == "" && !strings.Contains(block, "----") {
			continue // a comment
		}
		out.WriteString("----\n" + answers)
	}
	return out.String()
}

func (p *player) run(t *testing.T, line string) string {
	t.Helper()
	words := strings.Fields(line)
	a := args{t: t, line: line, words: words[1:]}
	switch words[0] {
	case "at":
		p.now = a.duration(a.words[0])
		return ""
	case "configure":
		l := Limits{Concurrency: a.number("concurrency"), Burst: a.number("burst")}
		if n, per, ok := strings.Cut(a.get("rate"), "/"); ok {
			count, err := strconv.Atoi(n)
			a.must(err)
			l.Rate = Rate{int64(count), a.duration("1" + per)}
		} else if n == "unlimited" {
			l.Rate.N = Unlimited
		}
		if n, per, ok := strings.Cut(a.get("window"), "/"); ok {
			count, err := strconv.Atoi(n)
			a.must(err)
			l.Window = Rate{int64(count), a.duration("1" + per)}
		}
		if h := a.get("hold"); h != "" {
			l.Hold = a.duration(h)
		}
		l.Adaptive, l.Strict = a.get("adaptive") == "yes", a.get("strict") == "yes"
		if h := a.get("hint-cap"); h != "" {
			l.HintCap = a.duration(h)
		}
		if b := a.get("breaker"); b != "" {
			l.Breaker = Breaker{Failures: 0.5, Minimum: a.number("minimum"), Open: a.duration(b)}
		}
		p.s.Configure(a.scope(), l, p.now)
		return ""
	case "send-now":
		return fmt.Sprintln(p.s.SendNow(a.task(a.words[0], p.now), p.now))
	case "durable", "crash", "reservations", "reserved", "failed", "restore":
		return p.reserve(t, words[0])
	case "weight":
		p.s.Weight(a.scope(), a.number("is"))
		return ""
	case "pause":
		until := int64(Never)
		if text := a.get("until"); text != "" {
			until = a.duration(text)
		}
		p.s.Pause(a.scope(), a.get("by"), until, p.now)
		return ""
	case "resume":
		p.s.Resume(a.scope(), p.now)
		return ""
	case "breaker":
		mode := map[string]BreakerMode{"auto": BreakerAuto, "open": BreakerOpen, "closed": BreakerClosed}[a.words[1]]
		p.s.SetBreaker(a.scope().Target(), mode, p.now)
		return ""
	case "restart": // of one target, with nothing in flight and no tasks
		record := p.s.target(a.scope().Target(), p.now).breaker.encode()
		l := p.s.Snapshot(a.scope(), p.now).Configured
		p.s = New(Config{CompensationHeads: 4})
		p.s.Configure(a.scope(), l, p.now)
		p.s.target(a.scope().Target(), p.now).restoreBreaker(record, p.now)
		p.s.changed(a.scope(), p.now)
		return ""
	case "each": // so many tasks are granted and answered alike, as soon as they may
		return p.each(t, a)
	case "gate":
		p.s.Gate(a.scope().Target(), a.duration(a.get("until")), a.get("by"), p.now)
		return ""
	case "open-gate":
		p.s.OpenGate(a.scope().Target(), p.now)
		return ""
	case "push":
		out := ""
		for _, name := range strings.Split(a.words[0], ",") {
			if r := p.s.Push(a.task(name, p.now), p.now); r != Queued {
				out += fmt.Sprintf("%s %s\n", name, [...]string{"queued", "duplicate", "left"}[r])
			}
		}
		return out
	case "remove":
		return fmt.Sprintln(p.s.Remove(key(a.words[0], a.lane()), p.now))
	case "next":
		task, g, ok := p.s.Next(p.now)
		if !ok {
			return "none, wake " + p.time(p.s.Wake()) + "\n"
		}
		return p.granted(task, g)
	case "run": // grant, and answer ok at once, until a time
		return p.runUntil(a.duration(a.words[0]))
	case "done":
		name := a.words[0]
		g := p.grants[name]
		f := Feedback{Status: a.number("status"), Reason: a.get("reason")}
		for o, text := range [...]string{"dropped", "ok", "answered", "throttled", "fault", "error", "unsent"} {
			if text == a.words[1] {
				f.Outcome = Outcome(o)
			}
		}
		if h := a.get("hint"); h != "" {
			f.Hint = a.duration(h)
		}
		f.Quota = a.quota()
		return p.result(p.s.Done(g, f, p.now))
	case "dead":
		out := ""
		for _, name := range strings.Split(a.words[0], ",") {
			k := key(name, Compensation)
			out += fmt.Sprintln(p.s.DeadLettered(a.scope().Target(), k.Saga, a.get("fingerprint"), p.now))
		}
		return out
	case "explain":
		e, ok := p.s.Explain(key(a.words[0], a.lane()), p.now)
		if !ok {
			return "unknown\n"
		}
		return e.String() + ", " + p.time(e.Until) + "\n"
	case "explain-target":
		e := p.s.ExplainTarget(a.scope().Target(), p.now)
		return e.String() + ", " + p.time(e.Until) + "\n"
	case "snapshot":
		return p.snapshot(a.scope())
	case "short":
		q, room, ok := p.s.Short(p.now)
		if !ok {
			return "none, wake " + p.time(p.s.Wake()) + "\n"
		}
		return fmt.Sprintf("%s %q %s room %d\n", q.Target.Scope(), q.SagaType, q.Class, room)
	case "refill":
		var tasks []Task
		for _, name := range strings.Split(a.words[0], ",") {
			if name != "-" {
				tasks = append(tasks, a.task(name, p.now))
			}
		}
		rest := int64(Never)
		if r := a.get("rest"); r != "" {
			rest = a.duration(r)
		}
		name := a.task("x", 0).Queue()
		return fmt.Sprintln("added", p.s.Refill(name, tasks, rest, p.now))
	}
	t.Fatalf("no such command: %s", line)
	return ""
}

// runUntil is a caller whose calls take no time.
func (p *player) runUntil(end int64) (out string) {
	for p.now <= end {
		task, g, ok := p.s.Next(p.now)
		if ok {
			out += p.time(p.now) + " " + p.granted(task, g)
			p.s.Done(g, Feedback{Outcome: OK, Status: 200}, p.now)
			continue
		}
		wake := p.s.Wake()
		if wake <= p.now || wake > end {
			p.now = end
			return out + "none, wake " + p.time(wake) + "\n"
		}
		p.now = wake
	}
	return out
}

// each answers all alike: how many were granted, of them probes, and when the
// last was.
func (p *player) each(t *testing.T, a args) (out string) {
	t.Helper()
	n, err := strconv.Atoi(a.words[0])
	a.must(err)
	f := Feedback{Status: a.number("status")}
	f.Outcome = map[string]Outcome{"ok": OK, "error": Error, "throttled": Throttled}[a.words[1]]
	for i := range n {
		p.s.Push(a.task(fmt.Sprintf("%d-%d", p.now, i), p.now), p.now)
		_, g, ok := p.s.Next(p.now)
		for ; !ok; _, g, ok = p.s.Next(p.now) {
			wake := p.s.Wake()
			if wake <= p.now || wake == Never {
				return out + fmt.Sprintf("stands after %d at %s\n", i, p.time(p.now))
			}
			p.now = wake
		}
		if r := p.result(p.s.Done(g, f, p.now)); r != "" && !strings.HasPrefix(r, "wait 1s\n") {
			out += p.time(p.now) + " " + r
		}
	}
	return out + fmt.Sprintf("%d until %s\n", n, p.time(p.now))
}

func (p *player) granted(task Task, g Grant) string {
	name := strings.TrimRight(string(task.Key.Saga[:]), "\x00")
	p.grants[name] = g
	if g.Probe {
		return name + " (probe)\n"
	}
	return name + "\n"
}

func (p *player) result(r Result) (out string) {
	if r.Wait != 0 {
		out += " wait " + p.time(r.Wait)
	}
	if r.Cap > 0 {
		out += " capped"
	}
	if r.Gated {
		out += " gated until " + p.time(r.GateUntil)
	}
	if r.FaultOpened {
		out += " fault opened"
	}
	if r.FaultClosed {
		out += " fault closed"
	}
	if r.BreakerOpened {
		out += " breaker opened"
	}
	if r.BreakerClosed {
		out += " breaker closed"
	}
	if out == "" {
		return ""
	}
	return out[1:] + "\n"
}

func (p *player) snapshot(name Scope) string {
	s := p.s.Snapshot(name, p.now)
	out := fmt.Sprintf("rate %g/s concurrency %d burst %d, in flight %d, ready %d, backing off %d",
		s.Effective.Rate.Float(), s.Effective.Concurrency, s.Effective.Burst, s.InFlight, s.Ready, s.BackingOff)
	if s.Left {
		out += ", more left"
	}
	if s.OldestDue != Never {
		out += ", oldest " + p.time(s.OldestDue)
	}
	if s.GateUntil > p.now {
		out += fmt.Sprintf(", gate until %s (%s)", p.time(s.GateUntil), s.GateReason)
	}
	if s.Breaker != BreakerShut {
		out += fmt.Sprintf(", breaker %s until %s", s.Breaker, p.time(s.BreakerUntil))
	}
	if s.Ramp > 0 {
		out += fmt.Sprintf(", ramp %d0%%", s.Ramp)
	}
	if s.Rate != s.Effective.Rate.Float() {
		out += fmt.Sprintf(", goes at %.4g/s", s.Rate)
	}
	if s.Slots > 0 && s.Slots != s.Effective.Concurrency {
		out += fmt.Sprintf(", bears %d in flight", s.Slots)
	}
	if s.Throttled+s.Failed > 0 {
		out += fmt.Sprintf(", %.0f%% throttled, %.0f%% failed", 100*s.Throttled, 100*s.Failed)
	}
	if s.Paused {
		out += ", paused (" + s.PauseReason + ")"
	}
	return out + "\n"
}

func (p *player) time(at int64) string {
	if at == Never {
		return "never"
	}
	return time.Duration(at).String()
}
