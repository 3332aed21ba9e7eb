package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/client"
)

func (a *app) serviceListCommand() *cli.Command {
	return &cli.Command{
		Name: "list", Usage: "depth, rates, gate, breaker and pause of every lane",
		Description: laneColumns,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "watch", Usage: "show it again and again, until Ctrl-C"},
			&cli.DurationFlag{Name: "every", Usage: "with --watch", Value: time.Second},
		},
		Action: a.serviceList,
	}
}

// laneHead are the columns of the list of services, and laneColumns says what each means.
var laneHead = []string{"SERVICE", "LANE", "RATE", "CONCURRENCY", "IN FLIGHT", "READY", "BACKING OFF", "OLDEST", "EMPTY IN", "THROTTLED", "FAILED", "STATE"}

const laneColumns = `What the columns mean; compensations are counted in the store, a moment ago:

- SERVICE, LANE: a service has a lane for compensations, and one for actions (forward).
- RATE: calls per time that may go now, "of" the limit where that is higher; "-": no limit.
- CONCURRENCY: calls that may be in flight now, "of" the limit where that is higher; "-": no limit.
- "*" after one of these two: the limit was set live. STATE says which, by whom and until when; -o json under overrides.
- IN FLIGHT: calls that are out.
- READY: compensations that are due, those in flight among them; or actions that wait to be sent.
- BACKING OFF: those whose next attempt is not due.
- OLDEST: how long ago the oldest of the compensations was ordered, or the oldest action in READY was due; "0s": none waits.
- EMPTY IN: how long what waits takes at least, at the rate and with the share of failures of now; "-": nothing waits,
  or nobody can tell (all backs off, a pause, an open breaker, no rate, a forward lane).
- THROTTLED: share of the last minute's answers that were 429 or 503, rounded up; "-": none.
- FAILED: share of them that were failures or timeouts, rounded up; "-": none.
- STATE: open, or what keeps the lane back, and what operators have set.

A lane's window has no column: -o json shows it, as window.`

func (a *app) serviceList(ctx context.Context, c *cli.Command) error {
	cl, err := a.client(c)
	if err != nil {
		return err
	}
	once := func() error {
		services, err := cl.Participants(ctx)
		if err != nil {
			return err
		}
		return a.showLanes(services)
	}
	if !c.Bool("watch") {
		return once()
	}
	if c.Duration("every") < 100*time.Millisecond {
		return usagef("--every %s: write at least 100ms", c.Duration("every"))
	}
	return a.again(ctx, c.Duration("every"), once)
}

// again shows something over and over: in place on a terminal, below each other
// elsewhere. It outlasts a server that is away, and ends with its context.
func (a *app) again(ctx context.Context, every time.Duration, once func() error) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	out := a.stdout
	defer func() { a.stdout = out }()
	var w watch
	for {
		var frame bytes.Buffer
		err := a.read(ctx, &w, func() {}, func() error {
			frame.Reset()
			a.stdout, a.columns = &frame, columnsOf(out)
			return once()
		})
		if err != nil {
			return err
		}
		if isTerminal(out) {
			_, _ = io.WriteString(out, "\x1b[H\x1b[2J")
		}
		if _, err := frame.WriteTo(out); err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// A laneRow is one line of the list of services.
type laneRow struct {
	Service string           `json:"service"`
	Lane    string           `json:"lane"`
	State   unwind.LaneState `json:"state"`
}

// showService shows one service as it stands.
func (a *app) showService(ctx context.Context, cl *client.Client, name string) error {
	services, err := cl.Participants(ctx)
	if err != nil {
		return err
	}
	for i := range services {
		if services[i].Name == name {
			return a.showLanes(services[i : i+1])
		}
	}
	return unwind.Errorf(unwind.NotFound, "there is no service %q", name)
}

func (a *app) scopeList(ctx context.Context, c *cli.Command) error {
	cl, err := a.client(c)
	if err != nil {
		return err
	}
	scopes, err := cl.Scopes(ctx)
	if err != nil {
		return err
	}
	return a.showScopes(scopes)
}

func (a *app) showScopes(scopes []unwind.ScopeState) error {
	return show(a, []string{"SCOPE", "RATE", "WINDOW", "CONCURRENCY", "WEIGHT", "IN FLIGHT", "STATE"}, scopes, func(s unwind.ScopeState) []string {
		window, weight := "-", "-"
		if s.State.Window != nil {
			window = s.State.Window.String()
		}
		if s.Weight > 0 {
			weight = strconv.Itoa(s.Weight)
		}
		return []string{s.Scope.String(), rate(&s.State), window, slots(&s.State), weight, strconv.Itoa(s.State.InFlight), scopeState(&s)}
	})
}

func (a *app) showLanes(services []unwind.ServiceState) error {
	if a.format != "table" {
		return show(a, nil, services, nil)
	}
	var rows []laneRow
	for _, s := range services {
		rows = append(rows, laneRow{s.Name, "compensation", s.Lanes.Compensation}, laneRow{s.Name, "forward", s.Lanes.Forward})
	}
	return show(a, laneHead, rows, func(r laneRow) []string {
		l := &r.State
		return []string{
			r.Service, r.Lane, rate(l), slots(l), strconv.Itoa(l.InFlight), strconv.Itoa(l.Depth.Ready), strconv.Itoa(l.Depth.BackingOff),
			millis(l.OldestAgeMS), estimate(l), percent(l.Throttled), percent(l.Failed), laneState(l),
		}
	})
}

// rate is what holds, and beside it the limit where the lane adapts or is held
// below it: by a breaker that has just closed, or by what RateLimit headers tell.
func rate(l *unwind.LaneState) string {
	if l.Rate.Effective == nil {
		return "-"
	}
	text := unwind.RateText(*l.Rate.Effective)
	if l.Rate.Configured == nil {
		return text + star(l, setsRate)
	}
	if limit := unwind.RateText(*l.Rate.Configured); l.Rate.Adaptive != nil || limit != text {
		text += " of " + limit
	}
	return text + star(l, setsRate)
}

// slots is what holds, and beside it the limit where the lane has found less.
func slots(l *unwind.LaneState) string {
	text := bound(l.Concurrency)
	if n := l.AdaptiveConcurrency; n != nil && *n != l.Concurrency {
		text = strconv.Itoa(*n) + " of " + text
	}
	return text + star(l, setsConcurrency)
}

func setsRate(o unwind.LaneOverride) bool { return o.Rate != nil || o.Adaptive != nil }

func setsConcurrency(o unwind.LaneOverride) bool { return o.Concurrency != nil }

// star marks a limit that operators have set.
func star(l *unwind.LaneState, sets func(unwind.LaneOverride) bool) string {
	if slices.ContainsFunc(l.Overrides, sets) {
		return "*"
	}
	return ""
}

func millis(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	if d >= 10*time.Second {
		d = d.Round(time.Second)
	}
	return d.String()
}

func estimate(l *unwind.LaneState) string {
	if l.DrainEstimateMS == nil || l.Depth.Ready+l.Depth.BackingOff == 0 {
		return "-"
	}
	return millis(*l.DrainEstimateMS)
}

// percent rounds up what is not nothing: a little is not none.
func percent(share float64) string {
	if share <= 0 {
		return "-"
	}
	return strconv.Itoa(int(math.Ceil(share*100))) + "%"
}

func bound(n int) string {
	if n < 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

// laneState says what keeps a lane back, and what operators have set at it.
func laneState(l *unwind.LaneState) string {
	return standing(l, len(l.Held) > 0 && l.Held[0].Scope.Kind == unwind.ScopeGlobal)
}

// scopeState says the same of any scope. What holds a saga type or a tenant holds all of it.
func scopeState(s *unwind.ScopeState) string {
	if s.Scope.Kind == unwind.ScopeSagaType || s.Scope.Kind == unwind.ScopeTenant {
		return standing(&s.State, len(s.State.Held) > 0)
	}
	return laneState(&s.State)
}

// standing says how a scope stands; shut: its first hold lets nothing go.
func standing(l *unwind.LaneState, shut bool) string {
	text := "open"
	switch {
	case l.Paused != nil:
		text = paused(l.Paused)
	case l.Breaker.State != "" && l.Breaker.State != "closed":
		text = "breaker " + l.Breaker.State
		if l.Breaker.Since != nil {
			text += " since " + when(*l.Breaker.Since)
		}
		if l.Breaker.Probe != nil {
			text += ", next probe " + when(*l.Breaker.Probe)
		}
	case l.Fault != "":
		text = "service fault: " + l.Fault
	case l.Gate != nil:
		text = "gate until " + when(l.Gate.Until) + ": " + l.Gate.Reason
	case l.Backlog != nil:
		become := "refused"
		if l.Backlog.Policy == unwind.HoldStarts {
			become = "held"
		}
		text = fmt.Sprintf("open, a compensation waits for longer than %s: new sagas are %s", l.Backlog.Objective, become)
	}
	said := held(l.Held)
	if text == "open" && shut {
		text, said = said[0], said[1:]
	}
	if set := overridden(l.Overrides); set != "" {
		said = append(said, set)
	}
	switch more := strings.Join(said, "; "); {
	case more == "":
		return text
	case text == "open":
		return text + ", " + more
	default:
		return text + "; " + more
	}
}

func paused(p *unwind.LanePause) string {
	until := ""
	if p.Until != nil {
		until = " until " + when(*p.Until)
	}
	return fmt.Sprintf("PAUSED by %s since %s%s: %s", orDash(p.By), when(p.At), until, p.Reason)
}

// held says which wider scopes hold a lane back, the first few of them.
func held(holds []unwind.LaneHold) (said []string) {
	const most = 3
	for i := range holds {
		if i == most {
			return append(said, fmt.Sprintf("and %d more are paused: unwind service scopes", len(holds)-most))
		}
		said = append(said, holds[i].Scope.String()+" "+paused(&holds[i].LanePause))
	}
	return said
}

// overridden says what operators have set; empty: nothing.
func overridden(changes []unwind.LaneOverride) string {
	said := make([]string, 0, len(changes))
	for i := range changes {
		o := &changes[i]
		var what []string
		if o.LimitsChange != (unwind.LimitsChange{}) {
			what = append(what, "limits set ("+strings.Join(limitWords(&o.LimitsChange), ", ")+")")
		}
		switch o.Breaker {
		case unwind.BreakerOpen, unwind.BreakerClosed:
			what = append(what, "breaker held "+string(o.Breaker))
		case unwind.BreakerAuto:
			what = append(what, "breaker let go")
		}
		until := ""
		if o.Until != nil {
			until = " until " + when(*o.Until)
		}
		said = append(said, strings.Join(what, " and ")+" by "+orDash(o.By)+until+": "+o.Reason)
	}
	return strings.Join(said, "; ")
}
