package client_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/unwindhq/unwind"
)

func (p *player) deadLetters() {
	ctx := p.t.Context()
	p.start("dead", "", unwind.StartRequest{Saga: "dead", Key: "D", Input: raw(`{"amount":12.50}`), Wait: 10 * unwind.Second})
	list, err := p.s.DeadLetters(ctx, unwind.DeadLetterFilter{Saga: "dead", State: unwind.DeadLetterOpen})
	p.say("dead letters", "", err, list)
	if len(list.Items) != 1 {
		p.t.Fatalf("got %d dead letters", len(list.Items))
	}
	id := list.Items[0].ID
	for _, f := range []unwind.DeadLetterFilter{{Group: list.Items[0].Group}, {Service: "payments"}, {State: unwind.DeadLetterResolved}, {Page: unwind.Page{Limit: 1}}} {
		list, err := p.s.DeadLetters(ctx, f)
		p.say("dead letters", "", err, list)
	}
	d, err := p.s.DeadLetter(ctx, id)
	p.say("dead letter", "", err, d)
	_, err = p.s.DeadLetter(ctx, "x")
	p.say("no dead letter", unwind.NotFound, err, nil)
	_, err = p.s.Replay(ctx, id, unwind.ReplayRequest{Actor: "local"})
	p.say("replay without a reason", unwind.InvalidRequest, err, nil)
	_, err = p.s.Replay(ctx, id, unwind.ReplayRequest{Reason: "r", NewKey: true, Actor: "local"})
	p.say("replay without evidence", unwind.InvalidRequest, err, nil)
	_, err = p.s.Resolve(ctx, id, unwind.ResolveRequest{Reason: "r", Actor: "local"})
	p.say("resolve without evidence", unwind.InvalidRequest, err, nil)
	_, err = p.s.Resolve(ctx, "x", unwind.ResolveRequest{Reason: "r", Evidence: "e", Actor: "local"})
	p.say("resolve nothing", unwind.NotFound, err, nil)
	d, err = p.s.Resolve(ctx, id, unwind.ResolveRequest{Reason: "by hand", Evidence: "R-17", Actor: "local"})
	p.say("resolve", "", err, d)
	p.firing(0) // else it depends on the moment whether its alert ends
	_, err = p.s.Resolve(ctx, id, unwind.ResolveRequest{Reason: "by hand", Evidence: "R-17", Actor: "local"})
	p.say("resolve twice", unwind.Conflict, err, nil)
	_, err = p.s.Replay(ctx, id, unwind.ReplayRequest{Reason: "r", Actor: "local"})
	p.say("replay what is resolved", unwind.Conflict, err, nil)
	d, err = p.s.Note(ctx, id, unwind.NoteRequest{Text: "the bank is asked", Owner: "ann", Actor: "local"})
	p.say("note", "", err, d)
	_, err = p.s.Note(ctx, id, unwind.NoteRequest{Actor: "local"})
	p.say("note nothing", unwind.InvalidRequest, err, nil)
	d, err = p.s.Reopen(ctx, id, unwind.ReopenRequest{Reason: "a mistake", Actor: "local"})
	p.say("reopen", "", err, d)
	p.firing(1)
	_, err = p.s.Reopen(ctx, id, unwind.ReopenRequest{Reason: "a mistake", Actor: "local"})
	p.say("reopen twice", unwind.Conflict, err, nil)
	groups, err := p.s.DeadLetterGroups(ctx, unwind.GroupFilter{Saga: "dead", State: unwind.DeadLetterOpen})
	p.say("groups", "", err, groups)
	_, err = p.s.DeadLetterGroups(ctx, unwind.GroupFilter{Page: unwind.Page{Cursor: "d1.2"}})
	p.say("groups of a foreign cursor", unwind.InvalidRequest, err, nil)
	p.operated(id)
}

// firing waits until so many alerts fire.
func (p *player) firing(want int) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		list, err := p.e.Alerts(ctx, unwind.AlertFilter{Firing: true})
		if err == nil && len(list.Items) == want {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			p.t.Fatalf("%d alerts fire, error %v; want %d", len(list.Items), err, want)
		}
	}
}

func (p *player) operated(dead string) {
	ctx := p.t.Context()
	slow := unwind.Rate{Calls: 1, Per: unwind.Hour}
	req := unwind.OperationRequest{Kind: unwind.OperationReplay, Selection: &unwind.Selection{IDs: []string{dead, "x"}}, Rate: &slow, Reason: "mended", Key: "op", Actor: "local"}
	plan, err := p.s.PlanOperation(ctx, req)
	if err != nil || plan.Eligible != 1 || plan.Skipped["not found"] != 1 {
		p.t.Fatalf("the plan is %+v, error %v", plan, err)
	}
	op, err := p.s.StartOperation(ctx, req)
	if err != nil || op.Counts.Total != 2 || op.Rate == nil || *op.Rate != slow {
		p.t.Fatalf("it began as %+v, error %v", op, err)
	}
	again, err := p.s.StartOperation(ctx, req)
	if err != nil || again.ID != op.ID {
		p.t.Fatalf("twice it began as %+v, error %v", again, err)
	}
	_, err = p.s.StartOperation(ctx, unwind.OperationRequest{Kind: unwind.OperationReplay, Selection: &unwind.Selection{}, Reason: "r"})
	p.say("an operation on nothing", unwind.InvalidRequest, err, nil)
	_, err = p.s.Operation(ctx, "x")
	p.say("no operation", unwind.NotFound, err, nil)
	yes := true
	changed, err := p.s.ChangeOperation(ctx, op.ID, unwind.OperationChange{Paused: &yes, Reason: "wait", Actor: "local"})
	if err != nil || changed.State != unwind.OperationPaused || changed.Paused.Reason != "wait" {
		p.t.Fatalf("paused it is %+v, error %v", changed, err)
	}
	aborted, err := p.s.AbortOperation(ctx, op.ID, unwind.AbortRequest{Reason: "enough & more", Actor: "local"})
	if err != nil || aborted.State != unwind.OperationAborted {
		p.t.Fatalf("aborted it is %+v, error %v", aborted, err)
	}
	_, err = p.s.AbortOperation(ctx, op.ID, unwind.AbortRequest{Actor: "local"})
	p.say("abort twice", unwind.Conflict, err, nil)
	list, err := p.s.Operations(ctx, unwind.OperationFilter{State: unwind.OperationAborted})
	if err != nil || len(list.Items) != 1 || list.Items[0].ID != op.ID {
		p.t.Fatalf("the list is %+v, error %v", list, err)
	}
}

func (p *player) definitions() {
	ctx := p.t.Context()
	good := unwind.Definition{Name: "paid", Deadline: unwind.Minute, Steps: []unwind.Step{
		{
			Name: "charge", Action: &unwind.Call{Service: "payments", Path: "/charge", Body: raw(`{"n":"${input.n}","x":1.50}`), Timeout: unwind.Second},
			Compensation: &unwind.Call{Service: "payments", Path: "/refund", Priority: unwind.Money}, Retry: &unwind.Retry{Attempts: 3},
		},
		{Name: "tell", After: []string{}, Action: &unwind.Call{Service: "payments", Path: "/tell"}, Compensation: unwind.None},
	}}
	rev, err := p.s.PutDefinition(ctx, good, "local")
	p.say("put", "", err, rev)
	again, err := p.s.PutDefinition(ctx, rev.Definition, "local")
	p.say("put what came back", "", err, again)
	if rev.Version != good.Digest() {
		p.t.Errorf("the version is %s, want %s", rev.Version, good.Digest())
	}
	longer := good
	longer.Deadline = unwind.Hour
	_, err = p.s.PutDefinition(ctx, longer, "local")
	p.say("put another", "", err, nil)
	got, err := p.s.Definition(ctx, "paid", "")
	p.say("definition", "", err, got)
	if got.Version != longer.Digest() {
		p.t.Errorf("the newest version is %s, want %s", got.Version, longer.Digest())
	}
	got, err = p.s.Definition(ctx, "paid", rev.Version)
	p.say("definition before", "", err, got)
	if got.Definition.Deadline != unwind.Minute {
		p.t.Errorf("the version before is %+v", got)
	}
	_, err = p.s.Definition(ctx, "paid", "sha256:0")
	p.say("no such version", unwind.UnknownSaga, err, nil)
	_, err = p.s.Definition(ctx, "nothing", "")
	p.say("no definition", unwind.UnknownSaga, err, nil)
	list, err := p.s.Definitions(ctx, unwind.Page{Limit: 2})
	p.say("definitions", "", err, list)
	list, err = p.s.Definitions(ctx, unwind.Page{Cursor: list.NextCursor})
	p.say("definitions on", "", err, list)

	bad := good
	bad.Steps = append(slices.Clone(good.Steps), unwind.Step{Name: "charge", Action: &unwind.Call{Service: "paymentz", Path: "x"}}, unwind.Step{Name: "wait", Kind: unwind.DelayStep})
	for _, def := range []unwind.Definition{good, bad, {}} {
		faults, err := p.s.Validate(ctx, def)
		var pointers []string
		for _, f := range faults {
			pointers = append(pointers, fmt.Sprint(f.Pointer, f.Warning))
		}
		slices.Sort(pointers)
		p.say("validate "+def.Name, "", err, pointers)
	}
	_, err = p.s.PutDefinition(ctx, bad, "local")
	var u *unwind.Error
	if !errors.As(err, &u) || u.Code != unwind.InvalidRequest || len(u.Faults) < 3 {
		p.t.Errorf("put a bad definition: %v", err)
	}
}

// limits sets limits above the configuration, and takes them back.
func (p *player) limits(scope unwind.Scope) {
	rate, none, few, many := unwind.PerSecond(3), unwind.Rate{}, 4, 0
	for _, req := range []struct {
		name string
		unwind.ControlRequest
		code unwind.Code
	}{
		{"nothing", unwind.ControlRequest{}, unwind.InvalidRequest},
		{"no rate", unwind.ControlRequest{Limits: &unwind.LimitsChange{Rate: &none}}, unwind.InvalidRequest},
		{"no concurrency", unwind.ControlRequest{Limits: &unwind.LimitsChange{Concurrency: &many}}, unwind.InvalidRequest},
		{"a weight", unwind.ControlRequest{Limits: &unwind.LimitsChange{Weight: &few}}, unwind.InvalidRequest},
		{"for a year", unwind.ControlRequest{Limits: &unwind.LimitsChange{Rate: &rate}, ExpiresIn: 8760 * unwind.Hour}, unwind.InvalidRequest},
		{"a rate", unwind.ControlRequest{Limits: &unwind.LimitsChange{Rate: &rate}, ExpiresIn: unwind.Hour}, ""},
		{"a concurrency", unwind.ControlRequest{Limits: &unwind.LimitsChange{Concurrency: &few}}, ""},
	} {
		req.Scope, req.Reason, req.Actor = scope, "trying", "local"
		state, err := p.s.Control(p.t.Context(), req.ControlRequest)
		if err == nil && (state.State.Rate.Effective == nil || *state.State.Rate.Effective != 3 || len(state.State.Overrides) == 0 || state.State.Overrides[0].By != "local") {
			p.t.Errorf("setting %s: the scope stands at %+v", req.name, state.State)
		}
		p.say("limit: "+req.name, req.code, err, nil)
	}
	state, err := p.s.Control(p.t.Context(), unwind.ControlRequest{Scope: scope, Reset: true, Reason: "done", Actor: "local"})
	if err == nil && state.State.Overrides != nil {
		p.t.Errorf("the limits stand after they were reset: %+v", state.State.Overrides)
	}
	p.say("limit: reset", "", err, nil)
}

func (p *player) operations() {
	ctx := p.t.Context()
	states, err := p.s.Participants(ctx)
	p.say("services", "", err, states)
	payments := unwind.Scope{Kind: unwind.ScopeCompensation, Name: "payments"}
	for _, req := range []struct {
		scope  unwind.Scope
		reason string
		paused bool
		code   unwind.Code
	}{
		{unwind.Scope{Kind: "sideways", Name: "payments"}, "x", true, unwind.InvalidRequest},
		{unwind.Scope{Kind: unwind.ScopeGlobal, Name: "payments"}, "x", true, unwind.InvalidRequest},
		{unwind.Scope{Kind: unwind.ScopeTenant, Name: "order"}, "x", true, unwind.InvalidRequest},
		{unwind.Scope{Kind: unwind.ScopeSagaType, Name: "nothing"}, "x", true, unwind.UnknownSaga},
		{payments, "", true, unwind.InvalidRequest},
		{unwind.Scope{Kind: unwind.ScopeForward, Name: "nobody"}, "x", true, unwind.NotFound},
		{payments, "x", false, unwind.Conflict},
		{payments, "they move house", true, ""},
		{payments, "they have moved", false, ""},
		{unwind.Scope{Kind: unwind.ScopeGlobal}, "a storm", true, ""},
		{unwind.Scope{Kind: unwind.ScopeGlobal}, "it is over", false, ""},
	} {
		state, err := p.s.Control(ctx, unwind.ControlRequest{Scope: req.scope, Reason: req.reason, Paused: &req.paused, Actor: "local"})
		if err == nil {
			if pause := state.State.Paused; req.paused != (pause != nil) || pause != nil && (pause.By != "local" || pause.At.IsZero() || pause.Reason != req.reason) {
				p.t.Errorf("pausing or resuming: %+v", pause)
			}
		}
		p.say("control "+req.scope.String(), req.code, err, nil)
	}
	p.limits(payments)
	scopes, err := p.s.Scopes(ctx)
	p.say("scopes", "", err, scopes)
	audit, err := p.s.Audit(ctx, unwind.AuditFilter{})
	p.say("audit", "", err, audit)
	resumed, err := p.s.Audit(ctx, unwind.AuditFilter{Action: "resume", Actor: "local", Target: payments.String(), Since: unwind.TimeFromMicros(1)})
	p.say("what was resumed", "", err, resumed)
	if len(resumed.Items) == 0 || len(resumed.Items) >= len(audit.Items) {
		p.t.Errorf("of %d rows of the audit %d tell of what was resumed", len(audit.Items), len(resumed.Items))
	}
	later, err := p.s.Audit(ctx, unwind.AuditFilter{Since: unwind.Time{Time: time.Now().Add(time.Hour)}})
	p.say("what will be done", "", err, later)
	compared, err := p.s.Reconcile(ctx, unwind.ReconcileRequest{})
	p.say("what the services say", "", err, compared)
	_, err = p.s.Reconcile(ctx, unwind.ReconcileRequest{Saga: "nothing"})
	p.say("what they say of nothing", unwind.UnknownSaga, err, nil)
	p.say("a release of what is not on hold", unwind.Conflict, p.s.Release(ctx, unwind.ReleaseRequest{Reason: "x"}), nil)
	first, err := p.s.Audit(ctx, unwind.AuditFilter{Page: unwind.Page{Limit: 1, Cursor: "oldest"}})
	p.say("the oldest row of the audit", "", err, first)
	head, err := p.s.AuditHead(ctx)
	p.say("the end of the audit", "", err, head)
	_, err = p.s.Audit(ctx, unwind.AuditFilter{Page: unwind.Page{Cursor: "nonsense"}})
	p.say("audit from nowhere", unwind.InvalidRequest, err, nil)
	alerts, err := p.s.Alerts(ctx, unwind.AlertFilter{})
	p.say("alerts", "", err, alerts)
	stats, err := p.s.Stats(ctx)
	p.say("stats", "", err, stats)
}
