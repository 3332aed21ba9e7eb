package bench

import (
	"fmt"
	"io"
	"strings"
)

// Write writes the report as the page docs/benchmarks.md.
func (r *Report) Write(w io.Writer) error {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	p("# Benchmarks\n\nWritten by `%s` on %s; `make bench` writes it anew.\n", r.Command, r.At.Format("2006-01-02 15:04 UTC"))
	if r.Quick {
		p("\n**A quick run: it shows that the measurements work; the figures mean nothing.**\n")
	}
	p("\nMachine: %s. Load averages before the run: %s. Revision: %s.\n", r.Machine, or(r.Machine.Load), or(r.Machine.Revision))
	p("\nEverything runs on this one machine: the load generator, the server and the participant are processes that share\n" +
		"its cores, and talk over loopback. SQLite is durable (WAL, synchronous=FULL). A figure's limit was measured in the\n" +
		"same run, in turns with it; both are medians. Every measurement makes a fixed number of things. `internal/bench`\n" +
		"has the code; its `doc.go` says how it measures.\n")
	name := ""
	for i := range r.Figures {
		f := &r.Figures[i]
		if f.Measurement != name {
			name = f.Measurement
			p("\n## %s\n\n%s\n\n| figure | value | limit | share | goal | reached | |\n|---|---|---|---|---|---|---|\n", name, about[name])
		}
		p("| %s |\n", strings.Join(f.Cells()[1:], " | "))
	}
	p("\n## How quiet the machine was\n\n| measurement | took | CPU used by other processes |\n|---|---|---|\n")
	for _, t := range r.Taken {
		p("| %s | %.0f s | %.0f%% |\n", t.Measurement, t.Seconds, t.Others*100)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

func or(text string) string {
	if text == "" {
		return "unknown"
	}
	return text
}

// about says what each measurement is.
var about = map[string]string{
	"raw": "What bounds the rest: the smallest participant called without an engine, and the stores written without one\n" +
		"(of every four transitions one starts a saga with a key and three move one on).",
	"http": "`POST /v1/sagas` with `wait` and a fresh key, answered when the saga has completed; each of its three steps is one\n" +
		"POST to the participant. A saga needs four requests, so a quarter of the bare calls is its ceiling; those are made by net/http's client,\n" +
		"with the engine's headers and body. The CPU times are of all processes together.",
	"inprocess": "The engine embedded in a process, with Go functions as steps.",
	"growth":    "The same sagas in a store that already holds finished ones, in turns with a store that does not.",
	"memory":    "Sagas whose delay step lasts a day, started over HTTP in batches.",
	"restart": "The participant holds every call; the server is killed and started again. The time is from the start of the\n" +
		"process until every unfinished saga's call is in flight or in its lane's queue again.",
	"backlog": "Sagas whose refund was refused with a Retry-After, as an engine leaves them in its store. Half of the refunds come\n" +
		"due in one moment, the others in the minute after it. The server is killed while all of them back off and again while they\n" +
		"drain; then the lane is paused and resumed. The bank counts what arrives.",
}
