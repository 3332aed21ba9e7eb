package storetest

import (
	"crypto/sha256"
	"fmt"

	"pgregory.net/rapid"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

// Few values, so that they meet.
var (
	names   = []string{"place-order", "refund"}
	tenants = []string{"", "acme"}
	dues    = []int64{store.Active, store.Active, store.AtRest, 10, 20, 20, 30}
	queues  = []store.Queue{payments, low, acme, refunds, stock}
	scopes  = []unwind.Scope{
		{Kind: unwind.ScopeGlobal}, {Kind: unwind.ScopeForward, Name: "payments"}, {Kind: unwind.ScopeCompensation, Name: "payments"},
		{Kind: unwind.ScopeSagaType, Name: "place-order"}, {Kind: unwind.ScopeTenant, Name: "place-order", Tenant: "acme"},
	}
	directions = []unwind.Direction{unwind.Action, unwind.Compensation}
	letters    = []unwind.DeadLetterState{unwind.DeadLetterOpen, unwind.DeadLetterReplaying, unwind.DeadLetterReplayed, unwind.DeadLetterResolved}
)

func draw[T any](r *rapid.T, what string, of ...T) T { return rapid.SampledFrom(of).Draw(r, what) }

// some calls f up to n times, mostly never.
func some(r *rapid.T, what string, n int, f func()) {
	for range max(0, rapid.IntRange(-1, n).Draw(r, what)) {
		f()
	}
}

// text makes bytes that no other row has.
func (d *duel) text(of string) []byte {
	d.written++
	return fmt.Appendf(nil, "%s %d", of, d.written)
}

func (d *duel) drawBatch(r *rapid.T) *store.Batch {
	// The clock may stand still, and step back.
	d.now += second * draw[int64](r, "seconds", 1, 0, 3, -2)
	b := &store.Batch{Node: draw(r, "node", "node-a", "node-b"), At: d.now}
	standing := map[id.ID]uint64{}
	for _, k := range d.sagas {
		standing[k.id] = k.version
	}
	for range rapid.IntRange(0, 8).Draw(r, "transitions") {
		b.Transitions = append(b.Transitions, d.drawTransition(r, standing))
	}
	some(r, "controls", 2, func() {
		b.Controls = append(b.Controls, store.Control{
			Scope: draw(r, "scope", scopes...), Paused: rapid.Bool().Draw(r, "paused"),
			Settings: draw(r, "settings", nil, d.text("settings")), Reason: string(d.text("control")), By: "ada", At: d.now,
		})
	})
	some(r, "states of flow control", 2, func() {
		b.Flow = append(b.Flow, store.FlowState{Scope: draw(r, "scope", scopes...), Body: draw(r, "body", nil, d.text("flow"))})
	})
	some(r, "alerts", 2, func() { b.Alerts = append(b.Alerts, d.alert(r, id.ID{})) })
	some(r, "audit", 2, func() { b.Audit = append(b.Audit, d.audit("batch")) })
	return b
}

// drawTransition draws a start or a move. standing is where each saga would
// stand if all before in the batch were committed.
func (d *duel) drawTransition(r *rapid.T, standing map[id.ID]uint64) store.Transition {
	kinds := []string{"key", "key", "no key"}
	if len(d.sagas) > 0 {
		kinds = append(kinds, "move", "move", "move", "move", "move", "stale", "early", "again", "taken id")
	}
	t := store.Transition{At: d.now, State: d.text("state"), Journal: d.text("journal"), Phase: draw(r, "phase", running, running, compensating, completed, compensated, deadLettered)}
	switch kind := draw(r, "transition", kinds...); kind {
	case "key", "no key", "taken id":
		key := ""
		if kind == "key" {
			key = draw(r, "key", "k1", "k2", "k3")
		}
		t.Start = drawStart(r, key)
		t.Saga, t.Version = d.ids.New(int(t.Start.KeyHash%id.Slots)), 1
		if kind == "taken id" {
			t.Saga = d.drawSaga(r).id
		} else {
			standing[t.Saga] = 1
		}
	case "again":
		k := d.drawSaga(r)
		t.Saga, t.Version, t.Start = k.id, 1, &k.start
	default:
		t.Saga = d.drawSaga(r).id
		t.Version = standing[t.Saga] + map[string]uint64{"move": 1, "stale": 0, "early": 2}[kind]
		if kind == "move" {
			standing[t.Saga] = t.Version
		}
	}
	d.drawRows(r, &t)
	return t
}

func (d *duel) drawSaga(r *rapid.T) known {
	return d.sagas[rapid.IntRange(0, len(d.sagas)-1).Draw(r, "saga")]
}

func drawStart(r *rapid.T, key string) *store.Start {
	name, tenant, input := draw(r, "name", names...), draw(r, "tenant", tenants...), draw(r, "input", `{"a":1}`, `{"a":2}`)
	return &store.Start{
		Name: name, Version: "sha256:" + name, Tenant: tenant, Key: key, KeyHash: id.KeyHash(tenant, name, key),
		Input: []byte(input), InputDigest: sha256.Sum256([]byte(input)),
	}
}

// drawRows draws what a transition writes beside its saga.
func (d *duel) drawRows(r *rapid.T, t *store.Transition) {
	t.Done = d.drawItem(r)
	t.SetDue, t.Due = rapid.Bool().Draw(r, "set due"), draw(r, "due", dues...)
	some(r, "tasks", 3, func() {
		t.Tasks = append(t.Tasks, store.TaskChange{Delete: draw(r, "delete", false, false, true), Task: store.Task{
			Saga: t.Saga, Step: draw(r, "step", 0, 1, 2), Queue: draw(r, "queue", queues...),
			Attempt: uint32(d.written), Due: draw(r, "due", dues...), QueuedAt: d.now, Ask: rapid.Bool().Draw(r, "ask"),
		}})
	})
	some(r, "dead letters", 3, func() { t.DeadLetters = append(t.DeadLetters, d.drawDeadLetter(r, t.Saga)) })
	some(r, "alerts", 1, func() { t.Alerts = append(t.Alerts, d.alert(r, t.Saga)) })
	some(r, "audit", 1, func() {
		audit := d.audit(t.Saga.String())
		t.Audit = &audit
	})
}

func (d *duel) drawDeadLetter(r *rapid.T, saga id.ID) (c store.DeadLetterChange) {
	name := store.DeadLetterID{Saga: saga, Step: draw(r, "step", 0, 1), Direction: draw(r, "direction", unwind.Action, unwind.Compensation)}
	if rapid.Bool().Draw(r, "move") {
		c.Move = &store.DeadLetterMove{
			DeadLetterID: name, State: draw(r, "state", letters...), By: draw(r, "by", "", "ada"),
			Reason: draw(r, "reason", "", "fixed"), Evidence: draw(r, "evidence", "", "ticket 7"), At: d.now, Item: d.drawItem(r),
		}
		return c
	}
	c.Open = &store.DeadLetter{
		DeadLetterID: name, SagaType: draw(r, "name", names...), Tenant: draw(r, "tenant", tenants...), StepName: "charge",
		Service: draw(r, "service", "payments", "inventory"), Key: string(d.text("key")), Attempts: d.written, Throttled: 1,
		FirstAt: d.now, DeadAt: draw[int64](r, "dead at", 10, 20, 30), Error: unwind.CallError{Status: 500, Class: unwind.ClassUncertain, Message: "boom"},
		Group: draw(r, "group", "g1", "g2"), State: unwind.DeadLetterOpen, Amount: draw(r, "amount", "", "12.50", "1e400"), UpdatedAt: d.now,
	}
	return c
}

func (d *duel) alert(r *rapid.T, saga id.ID) store.Alert {
	return store.Alert{At: d.now, Kind: draw(r, "kind", unwind.AlertDeadLetter, unwind.AlertBreaker), Key: draw(r, "key", "", "a", "b", "c"), Ends: draw(r, "ends", false, false, true),
		Saga: saga, Service: "payments", Message: string(d.text("alert")), Data: d.text("data")}
}

func (d *duel) audit(target string) store.Audit {
	return store.Audit{At: d.now, Actor: "ada", Action: "cancel", Target: target, Reason: string(d.text("audit")), Data: d.text("data")}
}

// drawFilter draws which sagas a list selects.
func (d *duel) drawFilter(r *rapid.T) store.Filter {
	f := store.Filter{
		Name: draw(r, "name", append([]string{"", ""}, names...)...), Tenant: draw(r, "tenant", tenants...),
		Key: draw(r, "key", "", "", "k1", "k2"), Since: draw(r, "since", 0, 0, d.now-5*second),
	}
	if rapid.Bool().Draw(r, "by phase") {
		phase := draw(r, "phase", running, compensating, completed, compensated, deadLettered)
		f.Phase = &phase
	}
	return f
}

func drawDeadLetterFilter(r *rapid.T) store.DeadLetterFilter {
	return store.DeadLetterFilter{
		SagaType: draw(r, "name", append([]string{"", ""}, names...)...), Service: draw(r, "service", "", "", "payments"),
		Group: draw(r, "group", "", "g1"), Before: draw[int64](r, "before", 0, 0, 25), State: draw(r, "state", append([]unwind.DeadLetterState{"", ""}, letters...)...),
	}
}
