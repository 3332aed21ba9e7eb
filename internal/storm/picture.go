package storm

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"time"
)

// The page of a picture, in pixels.
const (
	wide  = 760
	left  = 64
	right = 16
	top   = 74
	panel = 120
	gap   = 46
)

// The colours hold on white and on black; the style switches what does not.
const style = `<style>
text{font:12px system-ui,sans-serif;fill:#333}
.title{font-weight:600;font-size:14px}
.grid{stroke:#888;stroke-opacity:.25}
.axis{stroke:#888}
.ours{stroke:#0969da;fill:none;stroke-width:2}
.naive{stroke:#bf5b00;fill:none;stroke-width:1.5;stroke-dasharray:5 3}
.capacity{stroke:#2a7d3f;fill:none;stroke-width:1.5}
.t-ours{fill:#0969da}.t-naive{fill:#bf5b00}.t-capacity{fill:#2a7d3f}
@media (prefers-color-scheme:dark){
text{fill:#ddd}
.ours{stroke:#58a6ff}.naive{stroke:#f0883e}.capacity{stroke:#56d364}
.t-ours{fill:#58a6ff}.t-naive{fill:#f0883e}.t-capacity{fill:#56d364}
}
</style>
`

// A drawing has one time axis for all of its panels.
type drawing struct {
	bytes.Buffer
	span float64 // seconds
}

func (d *drawing) p(format string, args ...any) { fmt.Fprintf(&d.Buffer, format+"\n", args...) }

func (d *drawing) x(at time.Duration) float64 {
	return left + (wide-left-right)*min(at.Seconds()/d.span, 1)
}

// begin writes what comes before n panels: the lines' names, each in the class
// of its line, stand under the title.
func (d *drawing) begin(v *Verdict, n int, names ...[2]string) {
	d.p(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s">`,
		wide, top+n*(panel+gap)-gap+28, html.EscapeString(v.Scenario+": "+v.About))
	d.WriteString(style)
	d.p(`<text class="title" x="%d" y="20">%s</text>`, left, html.EscapeString(v.Scenario))
	for i, name := range names {
		d.p(`<text class="t-%s" x="%d" y="40">%s</text>`, name[0], left+160*i, name[1])
	}
}

// picture draws a drain as the gateway saw it.
func picture(v *Verdict) []byte {
	if v.Compared != nil {
		return v.Compared.picture(v)
	}
	return drain(v)
}

// picture draws the same load without and with the trouble.
func (c *Compared) picture(v *Verdict) []byte {
	without, with := &c.curves[0], &c.curves[1]
	d := &drawing{span: math.Ceil(max(without.length, with.length).Seconds())}
	d.begin(v, 1, [2]string{"ours", "— beside the trouble"}, [2]string{"naive", "- - without it"})
	depth, _ := nice(float64(with.owed))
	d.axes(0, "refunds owed, but for those of the trouble", depth)
	d.steps(0, "ours", with.depth(), depth)
	d.steps(0, "naive", without.depth(), depth)
	d.p("</svg>")
	return d.Bytes()
}

// drain draws refunds owed, calls borne against the capacity, calls rejected.
func drain(v *Verdict) []byte {
	ours := &v.Ours.curve
	span := max(ours.length, v.Ideal.Std())
	var naive *curve
	if v.Naive != nil && v.Naive.curve.length > 0 {
		naive = &v.Naive.curve
		span = max(span, min(naive.length, 2*span))
	}
	d := &drawing{span: math.Ceil(max(span.Seconds(), 1))}
	d.begin(v, 3, [2]string{"ours", "— engine"}, [2]string{"naive", "- - naive control"}, [2]string{"capacity", "— capacity; in the first panel: ideal"})

	depth, _ := nice(float64(ours.owed))
	d.axes(0, "refunds owed", depth)
	d.steps(0, "capacity", idealDepth(v, d.span), depth)
	if naive != nil {
		d.steps(0, "naive", naive.depth(), depth)
	}
	d.steps(0, "ours", ours.depth(), depth)

	rate := ours.peak(ours.borne, d.span)
	rejected := ours.peak(ours.rejected(), d.span)
	for at := time.Duration(0); at.Seconds() < d.span; at += 100 * time.Millisecond {
		rate = max(rate, ours.capacity(at))
	}
	if naive != nil {
		rate = max(rate, naive.peak(naive.borne, d.span))
		rejected = max(rejected, naive.peak(naive.rejected(), d.span))
	}
	rate, _ = nice(rate)
	rejected, _ = nice(max(rejected, 4))
	d.axes(1, "calls borne per second", rate)
	if naive != nil {
		d.steps(1, "naive", rates(naive.borne, d.span), rate)
	}
	d.steps(1, "ours", rates(ours.borne, d.span), rate)
	d.steps(1, "capacity", capacities(ours.capacity, d.span), rate)
	d.axes(2, "calls rejected per second", rejected)
	if naive != nil {
		d.steps(2, "naive", rates(naive.rejected(), d.span), rejected)
	}
	d.steps(2, "ours", rates(ours.rejected(), d.span), rejected)
	d.p("</svg>")
	return d.Bytes()
}

func (d *drawing) axes(n int, title string, most float64) {
	y0, y1 := float64(top+n*(panel+gap)), float64(top+n*(panel+gap)+panel)
	d.p(`<text x="%d" y="%.0f">%s</text>`, left, y0-5, title)
	_, step := nice(most)
	for v := 0.0; v <= most+step/2; v += step {
		y := y1 - panel*v/most
		d.p(`<line class="grid" x1="%d" y1="%.1f" x2="%d" y2="%.1f"/><text text-anchor="end" x="%d" y="%.1f">%.4g</text>`, left, y, wide-right, y, left-6, y+4, v)
	}
	d.p(`<line class="axis" x1="%d" y1="%.1f" x2="%d" y2="%.1f"/>`, left, y1, wide-right, y1)
	_, every := nice(d.span)
	for s := 0.0; s <= d.span+1e-9; s += every {
		unit := ""
		if s == 0 {
			unit = " s"
		}
		d.p(`<text text-anchor="middle" x="%.1f" y="%.1f">%.4g%s</text>`, d.x(time.Duration(s*float64(time.Second))), y1+16, s, unit)
	}
}

// A point holds from a time on.
type point struct {
	at    time.Duration
	value float64
}

// steps draws points as a step line.
func (d *drawing) steps(n int, class string, points []point, most float64) {
	base := float64(top + n*(panel+gap) + panel)
	y := func(v float64) float64 { return base - panel*min(max(v, 0)/most, 1) }
	d.WriteString(`<path class="` + class + `" d="`)
	lastX, lastY := -1.0, -1.0
	for i, p := range points {
		px, py := d.x(p.at), y(p.value)
		switch {
		case i == 0:
			fmt.Fprintf(&d.Buffer, "M%.1f %.1f", px, py)
		case i < len(points)-1 && math.Abs(px-lastX) < 0.5 && math.Abs(py-lastY) < 0.5:
			continue // less than the eye sees
		default:
			fmt.Fprintf(&d.Buffer, "H%.1fV%.1f", px, py)
		}
		lastX, lastY = px, py
		if p.at.Seconds() > d.span {
			break
		}
	}
	d.WriteString("\"/>\n")
}

// nice rounds up to what an axis ends with; step is the distance of its labels.
func nice(v float64) (end, step float64) {
	step = math.Pow(10, math.Floor(math.Log10(max(v, 1)/2)))
	for _, m := range []float64{1, 2, 2.5, 5, 10} {
		if v <= 5*step*m {
			step *= m
			break
		}
	}
	step = max(step, 1)
	return step * math.Ceil(v/step), step
}
