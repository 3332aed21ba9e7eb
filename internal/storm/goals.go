package storm

import (
	"fmt"
	"time"
)

// A Goal is one thing that a verdict hangs on.
type Goal struct {
	Name string `json:"name"`
	Want string `json:"want"`
	Got  string `json:"got"`
	// Figure: the project's; else it is ours, a guard of what is reached.
	Figure bool `json:"figure"`
	// Judged is false where a quick run says nothing about it.
	Judged bool `json:"judged"`
	Pass   bool `json:"pass"`
}

// A goal judges a verdict whose outcomes are in.
type goal struct {
	name, want string
	figure     bool
	quick      bool // a quick run can judge it too
	judge      func(*Verdict) (got string, pass bool)
}

const (
	figure = true
	ours   = false
)

var (
	nothingLost = goal{"lost", "0", figure, true, func(v *Verdict) (string, bool) {
		return fmt.Sprint(v.Ours.Lost), v.Ours.Lost == 0
	}}
	nothingTwice = goal{"duplicated effects", "0", figure, true, func(v *Verdict) (string, bool) {
		return fmt.Sprint(v.Ours.Duplicated), v.Ours.Duplicated == 0
	}}
	noDeadLetters = goal{"dead letters", "0", ours, true, func(v *Verdict) (string, bool) {
		return fmt.Sprint(v.Ours.Dead), v.Ours.Dead == 0
	}}
	noOvershoot = goal{"overshoot of the configured limit", "0 calls", figure, true, func(v *Verdict) (string, bool) {
		return fmt.Sprintf("%d; the gateway stood still for at most %s", int(v.Ours.Overshoot), millis(v.Ours.Stood)), v.Ours.Overshoot < 1
	}}
	// Elsewhere the control gets most of it done.
	controlCollapses = goal{"the control collapses", "≤ 25% done", ours, false, func(v *Verdict) (string, bool) {
		if v.Naive == nil {
			return "no control was run", true
		}
		share := float64(v.Naive.Done) / float64(max(v.Naive.Owed, 1))
		return percent(share) + " done", share <= 0.25
	}}
	gated = goal{"one alert, a gate of at most 5 min, no calls behind it", "yes", figure, true, func(v *Verdict) (string, bool) {
		return v.gate, v.gateHeld
	}}
	foregroundServed = goal{"foreground calls rejected", "≤ 5%", ours, false, func(v *Verdict) (string, bool) {
		return percent(v.Foreground.rejected()), v.Foreground.rejected() <= 0.05
	}}
)

func efficiency(least float64, whose bool) goal {
	return goal{"efficiency", "≥ " + percent(least), whose, false, func(v *Verdict) (string, bool) {
		got := percent(v.Ours.Efficiency)
		if !v.Ours.Drained() {
			got += fmt.Sprintf(", %d left", v.Ours.Owed-v.Ours.Done)
		}
		return got, v.Ours.Efficiency >= least && v.Ours.Drained()
	}}
}

func rejections(most float64) goal {
	return goal{"rejected per accepted", "≤ " + percent(most), figure, false, func(v *Verdict) (string, bool) {
		return percent(v.Ours.RejectedPerAccepted()), v.Ours.RejectedPerAccepted() <= most
	}}
}

// rejectionsAnd judges a service that is down for some time: beside the share it
// has so many calls by which a caller who does everything right, and has one
// call at a time find out, learns that it is down, and that it is back.
func rejectionsAnd(most float64, calls int) goal {
	return goal{"rejected per accepted", fmt.Sprintf("≤ %s and %d calls that find out", percent(most), calls), ours, false, func(v *Verdict) (string, bool) {
		o := &v.Ours
		return fmt.Sprintf("%s, %d calls", percent(o.RejectedPerAccepted()), o.Rejected), float64(o.Rejected) <= most*float64(o.Accepted)+float64(calls)
	}}
}

// down judges how soon after drop the calls of a second are few enough.
func down(drop, rise int, capacity float64, within int) goal {
	return goal{"slower after the drop", fmt.Sprintf("≤ %d s", within), figure, false, func(v *Verdict) (string, bool) {
		at := v.Ours.curve.lastAbove(time.Duration(drop)*time.Second, time.Duration(rise)*time.Second, capacity*1.3) - time.Duration(drop)*time.Second
		return fmt.Sprintf("%.1f s", at.Seconds()), at <= time.Duration(within)*time.Second
	}}
}

// up judges how soon after the rise the calls borne in a second are many again.
func up(rise int, capacity float64, within int) goal {
	return goal{"faster after the rise", fmt.Sprintf("≤ %d s", within), figure, false, func(v *Verdict) (string, bool) {
		at, ok := v.Ours.curve.firstBorne(time.Duration(rise)*time.Second, capacity*0.9)
		if !ok {
			return "never", false
		}
		at -= time.Duration(rise) * time.Second
		return fmt.Sprintf("%.1f s", at.Seconds()), at <= time.Duration(within)*time.Second
	}}
}

func percent(share float64) string {
	if share < 0.1 && share > 0 {
		return fmt.Sprintf("%.2f%%", share*100)
	}
	return fmt.Sprintf("%.1f%%", share*100)
}
