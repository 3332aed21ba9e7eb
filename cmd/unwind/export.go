package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/client"
	"github.com/unwindhq/unwind/config"
	"github.com/unwindhq/unwind/sagatest/history"
)

func (a *app) exportCommand() *cli.Command {
	return &cli.Command{
		Name: "export", Usage: "write the journal of every saga into a folder that unwind check judges", ArgsUsage: "DIR",
		Description: "Writes engine-export.jsonl and definitions.json. Beside them belong client.jsonl, what clients were\n" +
			"told, and participant-*.jsonl, what the services saw: the engine's word alone proves little.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "the server's configuration, for the limits and timeouts of its services and how long keys are kept"},
			&cli.DurationFlag{Name: "skew", Usage: "by how much the clocks of two writers may differ", Value: 100 * time.Millisecond},
			&cli.DurationFlag{Name: "slack", Usage: "how much closer two calls may come in than they left, for the network between", Value: 10 * time.Millisecond},
		},
		Action: a.export,
	}
}

func (a *app) export(ctx context.Context, c *cli.Command) error {
	dir, err := arg(c, "the folder to write")
	if err != nil {
		return err
	}
	known := history.Definitions{Sagas: map[string]*unwind.Definition{}, Services: map[string]history.Service{}}
	known.Options.Skew, known.Options.Slack = unwind.Duration(c.Duration("skew")), unwind.Duration(c.Duration("slack"))
	if file := c.String("config"); file != "" {
		cfg, err := config.Load(file, nil)
		if err != nil {
			return err
		}
		known.Options.KeyRetention = max(cfg.Retention, cfg.KeyRetention)
		for name, s := range cfg.Services {
			p := s.Participant
			p.Headers = nil // they may be secrets
			known.Services[name] = history.Service{Participant: p}
		}
	}
	cl, err := a.client(c)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the folder of the export: %w", err)
	}
	x := exporter{client: cl, steps: map[string][]unwind.StepInstance{}, versions: map[[2]string]bool{}, resting: true}
	if err := writeWhole(filepath.Join(dir, "engine-export.jsonl"), 0o644, func(f *os.File) error { return x.write(ctx, f) }); err != nil {
		return fmt.Errorf("writing the export: %w", err)
	}
	known.Options.Complete = x.resting
	if err := x.definitions(ctx, known.Sagas); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(&known, "", " ")
	if err != nil {
		return fmt.Errorf("writing the definitions: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "definitions.json"), append(raw, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing the definitions: %w", err)
	}
	a.say("%s written to %s; put participant-*.jsonl, what the services saw, beside them, and unwind check %s judges them", count(len(x.steps), "saga"), dir, dir)
	return nil
}

// An exporter writes what the server keeps as lines of a history.
type exporter struct {
	client   *client.Client
	out      *json.Encoder
	steps    map[string][]unwind.StepInstance // by saga
	versions map[[2]string]bool               // name and version that a saga runs by
	resting  bool                             // every saga is at rest
}

func (x *exporter) write(ctx context.Context, f *os.File) error {
	buf := bufio.NewWriterSize(f, 256<<10)
	x.out = json.NewEncoder(buf)
	err := each(func(p unwind.Page) (unwind.List[unwind.Instance], error) {
		return x.client.List(ctx, unwind.Filter{Page: p})
	}, func(i *unwind.Instance) error { return x.saga(ctx, i) })
	if err == nil {
		err = each(func(p unwind.Page) (unwind.List[unwind.AuditRow], error) {
			return x.client.Audit(ctx, unwind.AuditFilter{Page: p})
		}, x.audit)
	}
	if err == nil {
		err = each(func(p unwind.Page) (unwind.List[unwind.Alert], error) {
			return x.client.Alerts(ctx, unwind.AlertFilter{Page: p})
		}, x.alert)
	}
	if err != nil {
		return err
	}
	return buf.Flush()
}

func (x *exporter) saga(ctx context.Context, i *unwind.Instance) error {
	x.steps[i.ID] = i.Steps
	x.versions[[2]string{i.Saga, i.Version}] = true
	x.resting = x.resting && i.Status.AtRest()
	return each(func(p unwind.Page) (unwind.List[unwind.Entry], error) { return x.client.History(ctx, i.ID, p) }, func(e *unwind.Entry) error {
		l := history.Line{
			T: history.Micros(e.At.UnixMicro()), Node: e.Node, Epoch: e.Epoch, Event: history.Journal, Saga: i.ID, Seq: e.Seq,
			Kind: e.Kind, Step: e.Step, Direction: e.Direction, Attempt: e.Attempt, Data: &history.Data{},
		}
		if len(e.Data) > 0 {
			var more struct {
				Generation int `json:"generation"`
			}
			if err := errors.Join(json.Unmarshal(e.Data, l.Data), json.Unmarshal(e.Data, &more)); err != nil {
				return fmt.Errorf("reading entry %d of saga %s: %w", e.Seq, i.ID, err)
			}
			l.Generation = more.Generation
		}
		if e.Kind == unwind.EntrySagaStarted {
			sha, err := history.InputSHA(i.Input)
			if err != nil {
				return err
			}
			l.Name, l.Version = i.Saga, i.Version
			l.Data.Key, l.Data.Tenant, l.Data.InputSHA = i.Key, i.Tenant, sha
		}
		return x.out.Encode(&l)
	})
}

func (x *exporter) audit(r *unwind.AuditRow) error {
	l := history.Line{T: history.Micros(r.At.UnixMicro()), Event: history.Audit, Op: r.Action, Data: &history.Data{Actor: r.Actor, Reason: r.Reason}}
	saga, step, _ := strings.Cut(r.Target, "/")
	l.Saga, l.Step = saga, step
	if parts := strings.Split(r.Target, "."); len(parts) == 3 { // a dead letter's id
		n, err := strconv.Atoi(parts[1])
		if steps := x.steps[parts[0]]; err == nil && n >= 0 && n < len(steps) {
			l.Saga, l.Step, l.Direction = parts[0], steps[n].Name, unwind.Action
			if parts[2] == "c" {
				l.Direction = unwind.Compensation
			}
		}
	}
	return x.out.Encode(&l)
}

func (x *exporter) alert(al *unwind.Alert) error {
	if al.SagaID == "" && al.Group == "" {
		return nil
	}
	l := history.Line{T: history.Micros(al.At.UnixMicro()), Event: history.Alert, Kind: al.Kind, Saga: al.SagaID, Step: al.Step, Note: al.Message}
	if al.Group != "" {
		l.Data = &history.Data{Group: al.Group}
		if al.ResolvedAt != nil {
			l.Data.Over = history.Micros(al.ResolvedAt.UnixMicro())
		}
	}
	return x.out.Encode(&l)
}

// definitions reads the newest of each name and, under name@version, the earlier
// ones that sagas began with.
func (x *exporter) definitions(ctx context.Context, into map[string]*unwind.Definition) error {
	err := each(func(p unwind.Page) (unwind.List[unwind.Revision], error) { return x.client.Definitions(ctx, p) }, func(r *unwind.Revision) error {
		into[r.Name] = &r.Definition
		delete(x.versions, [2]string{r.Name, r.Version})
		return nil
	})
	if err != nil {
		return err
	}
	for v := range x.versions {
		r, err := x.client.Definition(ctx, v[0], v[1])
		if err != nil {
			return err
		}
		into[v[0]+"@"+v[1]] = &r.Definition
	}
	return nil
}
