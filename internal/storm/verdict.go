package storm

import (
	"fmt"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/bench"
)

// A Report is what a run found.
type Report struct {
	Machine  bench.Machine `json:"machine"`
	Command  string        `json:"command"`
	At       time.Time     `json:"at"`
	Seed     uint64        `json:"seed"`
	Quick    bool          `json:"quick,omitempty"`
	Verdicts []Verdict     `json:"verdicts"`
}

// A Verdict is what became of one scenario.
type Verdict struct {
	Scenario string `json:"scenario"`
	About    string `json:"about"`
	Spec     Spec   `json:"model"`
	// Watched is how long a drain was watched at most, from its first refund on.
	Watched unwind.Duration `json:"watched"`
	// Others is the share of the CPUs, 0 to 1, that processes used meanwhile which
	// have nothing to do with it.
	Others float64 `json:"others"`
	// Ideal is the time in which a caller that knows everything would be done.
	Ideal     unwind.Duration `json:"ideal"`
	RoundTrip unwind.Duration `json:"round_trip"`
	Ours      Outcome         `json:"ours"`
	// Naive is nil where there is no control.
	Naive      *Outcome    `json:"naive,omitempty"`
	Foreground *Foreground `json:"foreground,omitempty"`
	// Compared holds the rounds of two loads side by side.
	Compared *Compared `json:"compared,omitempty"`
	Goals    []Goal    `json:"goals"`
	Pass     bool      `json:"pass"`

	gate     string
	gateHeld bool
}

// Foreground counts the other calls that the gateway had to bear.
type Foreground struct {
	Accepted int `json:"accepted"`
	Rejected int `json:"rejected"`
}

func (f *Foreground) rejected() float64 {
	return float64(f.Rejected) / float64(max(f.Accepted+f.Rejected, 1))
}

// judge applies the goals.
func (v *Verdict) judge(goals []goal, quick bool) {
	v.Pass = true
	for _, g := range goals {
		got, pass := g.judge(v)
		judged := g.quick || !quick
		v.Goals = append(v.Goals, Goal{Name: g.name, Want: g.want, Got: got, Figure: g.figure, Judged: judged, Pass: pass})
		v.Pass = v.Pass && (pass || !judged)
	}
}

// Failed lists the storms that missed a goal.
func (r *Report) Failed() (failed []string) {
	for i := range r.Verdicts {
		if !r.Verdicts[i].Pass {
			failed = append(failed, r.Verdicts[i].Scenario)
		}
	}
	return failed
}

// Missed lists the goals that were missed, in words.
func (v *Verdict) Missed() (missed []string) {
	for _, g := range v.Goals {
		if g.Judged && !g.Pass {
			missed = append(missed, fmt.Sprintf("%s %s, want %s", g.Name, g.Got, g.Want))
		}
	}
	return missed
}

// Columns name the cells of a verdict.
var Columns = []string{"storm", "who", "drain", "ideal", "efficiency", "rejected per accepted", "overshoot", "done", "left", "dead", "lost", "twice", "round trip", "verdict"}

// Rows are the verdict as a table shows it: ours, and the control's.
func (v *Verdict) Rows() [][]string {
	verdict := "FAIL"
	if v.Pass {
		verdict = "pass"
	}
	if v.Compared != nil {
		return [][]string{{v.Scenario, "engine", seconds(v.Compared.With), seconds(v.Compared.Without), percent(v.Compared.ratio()), "", "",
			fmt.Sprint(v.Ours.Done), fmt.Sprint(v.Ours.Left), fmt.Sprint(v.Ours.Dead), fmt.Sprint(v.Ours.Lost), fmt.Sprint(v.Ours.Duplicated), millis(v.RoundTrip), verdict}}
	}
	row := func(who string, o *Outcome, verdict string) []string {
		drain, share, over := seconds(o.Drain), percent(o.Efficiency), fmt.Sprint(int(o.Overshoot))
		if !o.Drained() {
			drain = "never, after " + drain
		}
		if o.Lost > 0 {
			share = "" // to give up is no way to be fast
		}
		if who != "engine" {
			over = ""
		}
		return []string{v.Scenario, who, drain, seconds(v.Ideal), share, percent(o.RejectedPerAccepted()), over,
			fmt.Sprint(o.Done), fmt.Sprint(o.Left), fmt.Sprint(o.Dead), fmt.Sprint(o.Lost), fmt.Sprint(o.Duplicated), millis(v.RoundTrip), verdict}
	}
	rows := [][]string{row("engine", &v.Ours, verdict)}
	if v.Naive != nil {
		rows = append(rows, row("naive", v.Naive, ""))
	}
	return rows
}

func seconds(d unwind.Duration) string { return fmt.Sprintf("%.1f s", d.Std().Seconds()) }
func millis(d unwind.Duration) string {
	return fmt.Sprintf("%.1f ms", d.Std().Seconds()*1000)
}
