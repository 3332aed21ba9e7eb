package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config of a run.
type Config struct {
	// Command starts a child: the program and its first arguments. Required.
	Command []string
	// Only names the measurements to take, of [Names]; empty takes all.
	Only []string
	// Quick takes few of everything: it shows that the measurements work, and no more.
	Quick bool
	// Dir has the stores. Defaults to a new folder, which is removed.
	Dir string
	// Profiles is a folder for CPU profiles of the children. Empty: none.
	Profiles string
	// Progress is told what happens, in lines. Defaults to nobody.
	Progress io.Writer
}

// A measurement takes a few figures.
type measurement struct {
	name string
	take func(*run, context.Context) error
}

var measurements = []measurement{
	{"raw", (*run).raw},
	{"http", (*run).http},
	{"inprocess", (*run).inProcess},
	{"growth", (*run).growth},
	{"memory", (*run).memory},
	{"restart", (*run).restart},
	{"backlog", (*run).backlog},
}

// Names lists the measurements in their order.
func Names() []string {
	names := make([]string, len(measurements))
	for i, m := range measurements {
		names[i] = m.name
	}
	return names
}

// A run is one call of Run.
type run struct {
	Config
	figures []Figure
	name    string // of the measurement
	stores  int
}

// Run takes the measurements one after another. An error means that one could
// not be taken; a goal that was missed is no error.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	for _, name := range cfg.Only {
		if !slices.Contains(Names(), name) {
			return nil, fmt.Errorf("there is no measurement %q; there is %s", name, strings.Join(Names(), ", "))
		}
	}
	if cfg.Progress == nil {
		cfg.Progress = io.Discard
	}
	cfg.Progress = &lines{to: cfg.Progress}
	if cfg.Dir == "" {
		dir, err := os.MkdirTemp("", "unwind-bench-")
		if err != nil {
			return nil, fmt.Errorf("making a folder for the stores: %w", err)
		}
		defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
		cfg.Dir = dir
	}
	r := &run{Config: cfg}
	report := &Report{Machine: Describe(cfg.Dir), At: time.Now().UTC().Truncate(time.Second), Quick: cfg.Quick, Command: command(&cfg)}
	for _, m := range measurements {
		if len(cfg.Only) > 0 && !slices.Contains(cfg.Only, m.name) {
			continue
		}
		r.name = m.name
		r.say("%s…", m.name)
		begin, before := time.Now(), MachineTime()
		if err := m.take(r, ctx); err != nil {
			return nil, fmt.Errorf("measuring %s: %w", m.name, err)
		}
		took := Taken{Measurement: m.name, Seconds: time.Since(begin).Seconds(), Others: Others(before)}
		report.Taken = append(report.Taken, took)
		r.say("%s took %.0f s; other processes used %.0f%% of the CPUs", m.name, took.Seconds, took.Others*100)
	}
	report.Figures = r.figures
	return report, nil
}

// command is what takes the same measurements again.
func command(cfg *Config) string {
	words := []string{"unwind", "bench"}
	if len(cfg.Only) > 0 {
		words = append(words, "--only", strings.Join(cfg.Only, ","))
	}
	if cfg.Quick {
		words = append(words, "--quick")
	}
	return strings.Join(words, " ")
}

// lines is a writer that children share with their parent.
type lines struct {
	mu sync.Mutex
	to io.Writer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(b) //nolint:wrapcheck // it stands in for the writer
}

func (r *run) say(format string, args ...any) {
	_, _ = fmt.Fprintf(r.Progress, format+"\n", args...)
}

// count is how many of something are made: all, or few in a quick run.
func (r *run) count(all, few int) int {
	if r.Quick {
		return few
	}
	return all
}

// rounds is how often two figures take turns.
func (r *run) rounds() int { return r.count(5, 2) }

func (r *run) add(f Figure) {
	f.Measurement = r.name
	r.figures = append(r.figures, f)
	r.say("  %s", f.line())
}
