package storm

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Write writes the report as a page, and a picture for each storm into a folder
// beside it that has the page's name without its extension.
func (r *Report) Write(file string) error {
	folder := strings.TrimSuffix(file, filepath.Ext(file))
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // pictures for everybody
		return fmt.Errorf("storm: making the folder of the pictures: %w", err)
	}
	for i := range r.Verdicts {
		v := &r.Verdicts[i]
		if err := os.WriteFile(filepath.Join(folder, v.Scenario+".svg"), picture(v), 0o644); err != nil { //nolint:gosec // a picture for everybody
			return fmt.Errorf("storm: writing a picture: %w", err)
		}
	}
	if err := os.WriteFile(file, r.page(filepath.Base(folder)), 0o644); err != nil { //nolint:gosec // a page for everybody
		return fmt.Errorf("storm: writing the page: %w", err)
	}
	return nil
}

const about = `A thousand sagas fail at their third step, all at once, and each owes a refund that goes through a gateway in trouble.
Everything goes over real HTTP on loopback; the engine has SQLite on disk. What a storm came to is read from the
gateway's list of calls and the services' books; of the engine is asked only what it says of each saga. The *ideal* is
computed in the same run from the model's capacity (or the lane's configured rate, where that is less) and from what the
last call takes until it has its effect. *naive* is a control against a model of its own of the same kind: ten workers,
full-jitter exponential backoff from 1 s, five attempts; it is not killed. Times run from the first refund that arrives.

Efficiency: the ideal time for what was done, by the time it took. Rejected: calls that had no effect, among them those
that got no answer. Overshoot: whole calls beyond the configured limit in any window, as the gateway counted; of
a rate, what the gateway's standing still in the same run does not explain (it sees late calls closer together). Left: still
being tried when the watch ended. Lost: missing, and nobody tries any more. Twice: refunded again. Goals marked * are the
project's figures; the others only guard what is reached. ` + "`internal/storm`" + ` has the code.
`

func (r *Report) page(pictures string) []byte {
	var b bytes.Buffer
	p := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	p("# Storms\n\n<!-- Made by make storms. -->\n\nWritten by `%s` on %s; `make storms` writes it anew.\n", r.Command, r.At.Format("2006-01-02 15:04 UTC"))
	if r.Quick {
		p("\n**A quick run: it shows that the storms work; only losses, repetitions and limits are judged.**\n")
	}
	failed := r.Failed()
	p("\nMachine: %s. Load averages before the run: %s. Seed of the control: %d.\n\n%s\n", r.Machine, r.Machine.Load, r.Seed, about)
	p("## Verdicts\n\n%d of %d storms pass.\n\n| %s |\n|%s\n", len(r.Verdicts)-len(failed), len(r.Verdicts), strings.Join(Columns, " | "), strings.Repeat("---|", len(Columns)))
	for i := range r.Verdicts {
		for _, row := range r.Verdicts[i].Rows() {
			p("| %s |\n", strings.Join(row, " | "))
		}
	}
	p("\n## Models\n\n| storm | capacity | burst | window | a rejection uses up | Retry-After | a call takes | refunds | watched for at most | CPU used by others |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for i := range r.Verdicts {
		v, s := &r.Verdicts[i], &r.Verdicts[i].Spec
		p("| %s | %s | %d | %s | %s | %s | %s | %d | %s | %.0f%% |\n", v.Scenario, s.Capacity, s.Burst, s.Window, s.Rejection, s.Hint, s.Takes, v.Ours.Owed, v.Watched, v.Others*100)
	}
	for i := range r.Verdicts {
		r.Verdicts[i].section(p, pictures)
	}
	return b.Bytes()
}

func (v *Verdict) section(p func(string, ...any), pictures string) {
	p("\n## %s\n\n%s.\n", v.Scenario, strings.ToUpper(v.About[:1])+v.About[1:])
	p("\n| goal | want | got | |\n|---|---|---|---|\n")
	for _, g := range v.Goals {
		name, verdict := g.Name, "**missed**"
		if g.Figure {
			name += " *"
		}
		if g.Pass {
			verdict = "reached"
		}
		if !g.Judged {
			verdict = "not judged"
		}
		p("| %s | %s | %s | %s |\n", name, g.Want, g.Got, verdict)
	}
	if c := v.Compared; c != nil {
		p("\nRounds in turns, without and with the trouble:")
		for i, d := range c.Rounds {
			p("%s %s", strings.Repeat(",", min(i, 1)), seconds(d))
		}
		p(".\n")
	}
	if v.Ours.Kills > 0 {
		p("\nThe engine was killed %d times.\n", v.Ours.Kills)
	}
	p("\n![%s over time](%s/%s.svg)\n", v.Scenario, pictures, v.Scenario)
}
