package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind"
)

func (a *app) serviceCommand() *cli.Command {
	return &cli.Command{
		Name: "service", Usage: "the services, their lanes, and every limit",
		Commands: []*cli.Command{
			a.serviceListCommand(),
			{Name: "scopes", Usage: "every scope that has limits: services, saga types, tenants", Action: a.scopeList},
			a.limitCommand(),
			a.pauseCommand(),
			a.resumeCommand(),
			a.breakerCommand(),
			a.openGateCommand(),
		},
	}
}

// scopeFlags name a lane of a service, or a scope that is no service, and say why.
func scopeFlags(more ...cli.Flag) []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "lane", Usage: "of the service: compensation or forward", Value: unwind.CompensationLane},
		&cli.StringFlag{Name: "saga", Usage: "instead of a service: all compensations of this saga type"},
		&cli.StringFlag{Name: "tenant", Usage: "with --saga: of this tenant alone"},
		&cli.BoolFlag{Name: "all", Usage: "instead of a service: all compensations"},
		&cli.StringFlag{Name: "reason", Usage: "why, for those who read the audit", Required: true},
	}, more...)
}

// scopeOf reads which scope is meant.
func scopeOf(c *cli.Command) (unwind.Scope, error) {
	saga, tenant, all := c.String("saga"), c.String("tenant"), c.Bool("all")
	named := c.Args().Len() > 0
	switch {
	case all && (saga != "" || named), saga != "" && named:
		return unwind.Scope{}, usagef("name one of SERVICE, --saga and --all")
	case tenant != "" && saga == "":
		return unwind.Scope{}, usagef("--tenant needs --saga: a tenant is limited within a saga type")
	case all:
		return unwind.Scope{Kind: unwind.ScopeGlobal}, nil
	case tenant != "":
		return unwind.Scope{Kind: unwind.ScopeTenant, Name: saga, Tenant: tenant}, nil
	case saga != "":
		return unwind.Scope{Kind: unwind.ScopeSagaType, Name: saga}, nil
	}
	what := "the service's name"
	if slices.ContainsFunc(c.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), "all") }) {
		what += ", or --saga or --all"
	}
	name, err := arg(c, what)
	if err != nil {
		return unwind.Scope{}, err
	}
	switch lane := c.String("lane"); lane {
	case unwind.ForwardLane, unwind.CompensationLane:
		return unwind.Scope{Kind: unwind.ScopeKind(lane), Name: name}, nil
	default:
		return unwind.Scope{}, usagef("--lane %s: write forward or compensation", lane)
	}
}

// changeScope sends a change and shows what stands then.
func (a *app) changeScope(ctx context.Context, c *cli.Command, req unwind.ControlRequest) error {
	scope, err := scopeOf(c)
	if err != nil {
		return err
	}
	cl, err := a.client(c)
	if err != nil {
		return err
	}
	req.Scope, req.Reason = scope, c.String("reason")
	state, err := cl.Control(ctx, req)
	if err != nil {
		return err
	}
	if scope.Kind != unwind.ScopeForward && scope.Kind != unwind.ScopeCompensation {
		return a.showScopes([]unwind.ScopeState{*state})
	}
	if err := a.showService(ctx, cl, scope.Name); err != nil {
		return err
	}
	if l := req.Limits; l != nil && l.Adaptive != nil && *l.Adaptive && l.Rate == nil {
		a.say("%s", adapts(state))
	}
	return nil
}

// adapts says within which limit a lane adapts that was not given one with it.
func adapts(s *unwind.ScopeState) string {
	limit := s.State.Rate.Configured
	if limit == nil {
		return fmt.Sprintf("%s has no limit, so it adapts upwards from %s; name the most with --rate", s.Scope, strings.TrimSuffix(rate(&s.State), "*"))
	}
	origin := ""
	if s.Scope.Kind == unwind.ScopeCompensation {
		origin = " (20% of the forward rate, or 10/s, where none is configured)"
	}
	return fmt.Sprintf("%s adapts up to %s, the limit that it has%s; name another with --rate", s.Scope, unwind.RateText(*limit), origin)
}

func (a *app) pauseCommand() *cli.Command {
	return &cli.Command{
		Name: "pause", Usage: "send nothing more through a scope, for a while or until it is resumed", ArgsUsage: "[SERVICE]",
		Description: "unwind service pause payments --expires-in 10m --reason '…'\nunwind service pause --saga place-order --tenant acme --reason '…'",
		Flags:       scopeFlags(expiryFlag("then it goes on, or a pause that held before holds again")),
		Action: func(ctx context.Context, c *cli.Command) error {
			expiry, err := expiresIn(c)
			if err != nil {
				return err
			}
			paused := true
			return a.changeScope(ctx, c, unwind.ControlRequest{Paused: &paused, ExpiresIn: expiry})
		},
	}
}

func (a *app) resumeCommand() *cli.Command {
	return &cli.Command{
		Name: "resume", Usage: "let a paused scope go on, whoever paused it", ArgsUsage: "[SERVICE]",
		Description: "unwind service resume payments --lane compensation --reason '…'\nunwind service resume --saga place-order --tenant acme --reason '…'",
		Flags:       scopeFlags(),
		Action: func(ctx context.Context, c *cli.Command) error {
			paused := false
			return a.changeScope(ctx, c, unwind.ControlRequest{Paused: &paused})
		},
	}
}

func (a *app) limitCommand() *cli.Command {
	return &cli.Command{
		Name: "limit", Usage: "change limits live, above the configuration", ArgsUsage: "[SERVICE]",
		Description: "unwind service limit payments --rate 20/s --expires-in 1h --reason '…'\nunwind service limit payments --reset --reason '…'",
		Flags: scopeFlags(
			&cli.StringFlag{Name: "rate", Usage: "as in 20/s"},
			&cli.IntFlag{Name: "concurrency", Usage: "calls in flight"},
			&cli.IntFlag{Name: "burst", Usage: "calls at once after a quiet time, where there is a rate"},
			&cli.StringFlag{Name: "window", Usage: "the most calls in any span, as in 2000/1m"},
			&cli.BoolFlag{Name: "adaptive", Usage: "find the rate that the service bears, up to --rate; without it up to the limit that the lane has"},
			&cli.DurationFlag{Name: "hint-cap", Usage: "the longest wait that a Retry-After can ask for from now on"},
			&cli.IntFlag{Name: "weight", Usage: "share of a saga type or a tenant"},
			&cli.BoolFlag{Name: "reset", Usage: "take back what was set before"},
			expiryFlag("then what held before holds again"),
		),
		Action: func(ctx context.Context, c *cli.Command) error {
			l, err := limitsChange(c)
			if err != nil {
				return err
			}
			expiry, err := expiresIn(c)
			if err != nil {
				return err
			}
			req := unwind.ControlRequest{Reset: c.Bool("reset"), ExpiresIn: expiry}
			if l != (unwind.LimitsChange{}) {
				req.Limits = &l
			}
			if req.Limits == nil && !req.Reset {
				return usagef("name a limit, as in --rate 20/s, or --reset")
			}
			return a.changeScope(ctx, c, req)
		},
	}
}

func limitsChange(c *cli.Command) (l unwind.LimitsChange, err error) {
	for name, into := range map[string]**unwind.Rate{"rate": &l.Rate, "window": &l.Window} {
		if !c.IsSet(name) {
			continue
		}
		*into = new(unwind.Rate)
		if err := (*into).UnmarshalText([]byte(c.String(name))); err != nil {
			return l, usagef("--%s: %v", name, err)
		}
	}
	for name, into := range map[string]**int{"concurrency": &l.Concurrency, "burst": &l.Burst, "weight": &l.Weight} {
		if c.IsSet(name) {
			n := c.Int(name)
			*into = &n
		}
	}
	if c.IsSet("hint-cap") {
		d := unwind.Duration(c.Duration("hint-cap"))
		l.HintCap = &d
	}
	if c.IsSet("adaptive") {
		on := c.Bool("adaptive")
		l.Adaptive = &on
	}
	return l, nil
}

func expiryFlag(usage string) cli.Flag {
	return &cli.DurationFlag{Name: "expires-in", Usage: usage}
}

// expiresIn refuses a zero: sent, it would mean for ever.
func expiresIn(c *cli.Command) (unwind.Duration, error) {
	d := unwind.Duration(c.Duration("expires-in"))
	if c.IsSet("expires-in") && d <= 0 {
		return 0, usagef("--expires-in %s: write 1s to 720h, or leave it out to have it hold until it is changed", d.Std())
	}
	return d, nil
}

func (a *app) openGateCommand() *cli.Command {
	return &cli.Command{
		Name: "open-gate", Usage: "open a lane that a wrong Retry-After has closed", ArgsUsage: "SERVICE",
		Description: "It stays open over a restart. Calls that were refused wait for what they were told still (unwind saga send-now\n" +
			"sends one), and the next answer of that kind closes it again: where there will be more of them, lower the lane's\n" +
			"cap first (unwind service limit payments --hint-cap 10s).\n" +
			"A pause, a service fault, an open breaker and every limit go on.",
		Flags: laneFlags(),
		Action: func(ctx context.Context, c *cli.Command) error {
			return a.changeScope(ctx, c, unwind.ControlRequest{OpenGate: true})
		},
	}
}

// laneFlags name a lane of a service, and say why.
func laneFlags(more ...cli.Flag) []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "lane", Usage: "compensation or forward", Value: unwind.CompensationLane},
		&cli.StringFlag{Name: "reason", Usage: "why, for those who read the audit", Required: true},
	}, more...)
}

func (a *app) breakerCommand() *cli.Command {
	return &cli.Command{
		Name: "breaker", Usage: "hold a lane's breaker open or closed, or let it decide", ArgsUsage: "SERVICE",
		Description: "unwind service breaker payments --state open --expires-in 30m --reason '…'",
		Flags: laneFlags(
			&cli.StringFlag{Name: "state", Usage: "open, closed or auto", Required: true},
			expiryFlag("then what held before holds again"),
		),
		Action: func(ctx context.Context, c *cli.Command) error {
			mode := unwind.BreakerMode(c.String("state"))
			expiry, err := expiresIn(c)
			if err != nil {
				return err
			}
			return a.changeScope(ctx, c, unwind.ControlRequest{Breaker: &mode, ExpiresIn: expiry})
		},
	}
}
