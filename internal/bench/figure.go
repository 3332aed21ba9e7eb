package bench

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// A Report is what a run found.
type Report struct {
	Machine Machine   `json:"machine"`
	Command string    `json:"command"`
	At      time.Time `json:"at"`
	Quick   bool      `json:"quick,omitempty"`
	Taken   []Taken   `json:"taken"`
	Figures []Figure  `json:"figures"`
}

// Taken says how long a measurement took, and how much of the CPUs processes
// that have nothing to do with it used meanwhile: 0 to 1.
type Taken struct {
	Measurement string  `json:"measurement"`
	Seconds     float64 `json:"seconds"`
	Others      float64 `json:"others"`
}

// A Figure is one measured value.
type Figure struct {
	Measurement string  `json:"measurement"`
	Name        string  `json:"name"`
	Value       float64 `json:"value"`
	Unit        string  `json:"unit"`
	// Limit is what would be possible, as measured in the same run, by the same
	// unit; zero: none is known. LimitName says what it is.
	Limit     float64 `json:"limit,omitempty"`
	LimitName string  `json:"limit_name,omitempty"`
	// Goal and whether it was reached; nil: there is none.
	Goal    string `json:"goal,omitempty"`
	Reached *bool  `json:"reached,omitempty"`
	// Note holds what belongs to the figure: percentiles, CPU time.
	Note string `json:"note,omitempty"`
}

// Share is the value's share of the limit; NaN where there is none.
func (f *Figure) Share() float64 {
	if f.Limit == 0 {
		return math.NaN()
	}
	return f.Value / f.Limit
}

// Missed lists the figures that missed their goals.
func (r *Report) Missed() (missed []Figure) {
	for _, f := range r.Figures {
		if f.Reached != nil && !*f.Reached {
			missed = append(missed, f)
		}
	}
	return missed
}

// of puts a figure beside its limit.
func (f Figure) of(limit float64, name string) Figure {
	f.Limit, f.LimitName = limit, name
	return f
}

func (f Figure) goal(text string, reached bool) Figure {
	f.Goal, f.Reached = text, &reached
	return f
}

func (f Figure) shareAtLeast(share float64) Figure {
	return f.goal(fmt.Sprintf("≥ %.0f%% of the limit", share*100), f.Share() >= share)
}

func (f Figure) atLeast(v float64) Figure {
	return f.goal("≥ "+quantity(v, f.Unit), f.Value >= v)
}

func (f Figure) below(v float64) Figure {
	return f.goal("< "+quantity(v, f.Unit), f.Value < v)
}

func (f Figure) atMost(v float64) Figure {
	return f.goal("≤ "+quantity(v, f.Unit), f.Value <= v)
}

func (f Figure) noting(format string, args ...any) Figure {
	f.Note = fmt.Sprintf(format, args...)
	return f
}

// Cells are the figure as a table shows it.
func (f *Figure) Cells() []string {
	limit, share, reached := "", "", ""
	if f.Limit > 0 {
		limit = quantity(f.Limit, f.Unit) + " (" + f.LimitName + ")"
		share = strconv.FormatFloat(f.Share()*100, 'f', 0, 64) + "%"
	}
	if f.Reached != nil {
		reached = "no"
		if *f.Reached {
			reached = "yes"
		}
	}
	return []string{f.Measurement, f.Name, quantity(f.Value, f.Unit), limit, share, f.Goal, reached, f.Note}
}

// Columns name the cells.
var Columns = []string{"measurement", "figure", "value", "limit", "share", "goal", "reached", "note"}

func (f *Figure) line() string {
	c := f.Cells()
	text := c[1] + ": " + c[2]
	if c[3] != "" {
		text += ", " + c[4] + " of " + c[3]
	}
	if c[5] != "" {
		text += "; goal " + c[5] + ": " + c[6]
	}
	if c[7] != "" {
		text += "; " + c[7]
	}
	return text
}

// quantity writes a value as a person would.
func quantity(v float64, unit string) string {
	digits := 0
	switch {
	case v == math.Trunc(v):
	case v < 10:
		digits = 2
	case v < 100:
		digits = 1
	}
	text := strconv.FormatFloat(v, 'f', digits, 64)
	if digits == 0 {
		for i := len(text) - 3; i > 0; i -= 3 {
			text = text[:i] + "," + text[i:]
		}
	}
	if unit == "/s" || unit == "" {
		return text + unit
	}
	return text + " " + unit
}
