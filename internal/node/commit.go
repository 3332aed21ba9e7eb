package node

import (
	"errors"
	"slices"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/alarm"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/planted"
	"github.com/unwindhq/unwind/store"
)

// A request is who waits for a transition.
type request struct {
	token Token
	start *store.Start // of a new saga
	wait  bool         // reply at rest
	audit *store.Audit
	op    *Operation // of a saga that exists
}

// A batch is a store.Batch with what is held until it is durable.
type batch struct {
	rows  store.Batch
	steps []step // beside rows.Transitions
	// answers wait for everything before them; they have no row of their own.
	answers []answer
	// controls wait for rows.Controls.
	controls []Token
	releases []Token // wait for the audit rows
	probes   []Token // wait for the batch, whatever is in it
	sleeps   int     // Node.sleeps when it was handed out
}

// An answer is a request that changes nothing, and the saga that it found so; err
// says why it is refused.
type answer struct {
	sg  *saga
	req *request
	err error
}

// A step is what is held for one transition.
type step struct {
	sg      *saga
	state   machine.State // after the transition
	effects []machine.Effect
	req     *request
}

// A sickness is a store that could not be written.
type sickness struct {
	err     error
	retryAt machine.Micros
	wait    machine.Micros
}

const (
	sickStart = 100_000
	sickMost  = 2_000_000
)

func newBatch() *batch { return &batch{} }

func (b *batch) empty() bool {
	return b.rows.Empty() && len(b.answers)+len(b.probes) == 0
}

// apply gives an event to a saga and puts the transition into the next batch.
// A refusal goes to the request, if there is one.
func (n *Node) apply(m Moment, sg *saga, ev machine.Event, req *request) {
	ev.At, ev.Rand = m.Now, n.rand(m)
	tr, err := machine.Next(sg.Plan, sg.State, ev)
	if err != nil || len(tr.Entries) == 0 {
		if req != nil {
			n.building.answers = append(n.building.answers, answer{sg, req, err})
		}
		return
	}
	sg.State = tr.State
	sg.keepBodies(tr.Entries)
	sg.fold(tr.Entries)
	n.setTimer(sg)
	row := store.Transition{
		Saga: sg.ID, Version: tr.State.Version, Phase: uint8(tr.State.Phase), At: int64(m.Now),
		State:   machine.AppendState(make([]byte, 0, 96), &tr.State),
		Journal: machine.AppendEntries(make([]byte, 0, 384), tr.Entries),
	}
	if due := n.due(sg); due != sg.due || req != nil && req.start != nil {
		sg.due = due
		row.Due, row.SetDue = due, true
	}
	if req != nil {
		row.Start, row.Audit = req.start, req.audit
	}
	for i := range tr.Effects {
		n.record(&row, sg, &tr.Effects[i], m)
	}
	if req != nil && req.op != nil {
		forItem(&row, req.op)
	}
	if sg.State.DeadlinePassed && sg.State.Phase.AtRest() {
		row.Alerts = append(row.Alerts, store.Alert{At: int64(m.Now), Key: alarm.Key(unwind.AlertDeadline, sg.ID.String()), Ends: true,
			Message: sg.Plan.Name + " " + sg.Facts.ID + " is at rest: " + string(sg.State.Phase.Status())})
	}
	sg.unsaved++
	n.building.rows.Transitions = append(n.building.rows.Transitions, row)
	n.building.steps = append(n.building.steps, step{sg: sg, state: tr.State, effects: tr.Effects, req: req})
	if planted.On(planted.CallBeforeCommit) {
		n.carryOut(m, sg, tr.Effects)
	}
}

// due is when the saga would need a node if this one forgot it now.
func (n *Node) due(sg *saga) int64 {
	if sg.State.Phase.AtRest() {
		return store.AtRest
	}
	next := machine.Micros(0)
	if t, ok := machine.NextTimer(sg.Plan, &sg.State); ok {
		next = t.At
	}
	for i := range sg.State.Steps {
		a := &sg.State.Steps[i].Action
		if !a.Ordered {
			continue
		}
		if sg.State.Phase == machine.Compensating {
			return store.Active
		}
		if next == 0 || a.NotBefore < next {
			next = a.NotBefore
		}
	}
	if next <= n.claim.until {
		return store.Active
	}
	return int64(next)
}

// record writes an effect's rows into its transition.
func (n *Node) record(row *store.Transition, sg *saga, e *machine.Effect, m Moment) {
	switch e.Kind {
	case machine.QueueCompensation:
		row.Tasks = append(row.Tasks, store.TaskChange{Task: n.task(sg, e)})
	case machine.DropCompensation:
		if !planted.On(planted.KeepTask) {
			row.Tasks = append(row.Tasks, store.TaskChange{Task: store.Task{Saga: sg.ID, Step: e.Step}, Delete: true})
		}
	case machine.OpenDeadLetter:
		d := sg.deadLetter(e, m)
		row.DeadLetters = append(row.DeadLetters, store.DeadLetterChange{Open: d})
		if !planted.On(planted.NoAlert) && !n.cfg.QuietDeadLetters {
			row.Alerts = append(row.Alerts, deadLetterAlert(d))
		}
		n.guard(m, sg, e)
	case machine.MoveDeadLetter:
		row.DeadLetters = append(row.DeadLetters, store.DeadLetterChange{Move: &store.DeadLetterMove{
			DeadLetterID: store.DeadLetterID{Saga: sg.ID, Step: e.Step, Direction: e.Dir},
			State:        e.State, By: e.Actor, Reason: e.Reason, Evidence: e.Proof, At: int64(m.Now)}})
	case machine.RaiseAlert:
		row.Alerts = append(row.Alerts, store.Alert{At: int64(m.Now), Kind: e.Alert, Key: alarm.Key(e.Alert, sg.ID.String()), Saga: sg.ID, Message: sg.Plan.Name + " " + sg.Facts.ID + ": " + e.Message})
	}
}

// Committed takes in the answer to Output.Commit.
func (n *Node) Committed(m Moment, results []store.Result, err error) {
	b := n.flying
	n.flying, n.gather = nil, 0
	if err != nil {
		n.commitFailed(m, b, err)
		return
	}
	n.gather = m.Now + min(m.Now-n.handed, mostGather)
	n.sick, n.doubts, n.written = sickness{}, n.doubts && b.sleeps != n.sleeps, m.Now
	n.probed(b, nil)
	n.reservedAs(m, true)
	n.released(m, b)
	n.controlsSet(m, b) // first: what is decided below may pause a lane anew
	for i := range b.steps {
		n.stepDone(m, &b.steps[i], results[i])
	}
	n.answer(m, b.answers)
}

// answer gives answers, unless what they were found on is void.
func (n *Node) answer(m Moment, answers []answer) {
	for _, a := range answers {
		if a.sg.void && !planted.On(planted.ForgetOnConflict) {
			n.Operate(m, *a.req.op)
			continue
		}
		n.out.Replies = append(n.out.Replies, Reply{Token: a.req.token, Saga: a.sg.share(), Err: a.err})
	}
}

func (n *Node) stepDone(m Moment, s *step, r store.Result) {
	sg := s.sg
	sg.unsaved--
	switch r.Outcome {
	case store.Committed:
	case store.Duplicate, store.KeyReused:
		n.notNew(m, sg, s.req, r)
		return
	default:
		n.conflict(m, sg, s.req)
		return
	}
	if s.state.Phase.AtRest() && !sg.saved.Phase.AtRest() {
		n.out.Rests = append(n.out.Rests, Rest{sg.Plan.Name, s.state.Phase, s.state.UpdatedAt - s.state.CreatedAt})
	}
	sg.saved = s.state
	if s.req != nil && s.req.token != 0 {
		if s.req.wait {
			sg.waiters = append(sg.waiters, s.req.token)
		} else {
			n.out.Replies = append(n.out.Replies, Reply{Token: s.req.token, Saga: sg.share()})
		}
	}
	if !planted.On(planted.CallBeforeCommit) {
		n.carryOut(m, sg, s.effects)
	}
	if s.req != nil && s.req.op != nil && s.req.op.Event.Kind == machine.Hastened {
		n.hastened(m, sg, &s.effects[0])
	}
	if s.state.Phase != machine.Running {
		n.prune(m, sg)
	}
	if s.state.Phase.AtRest() && sg.unsaved == 0 {
		n.replyWaiters(sg)
	}
	n.catchUp(m, sg)
	n.release(sg)
}

func (n *Node) replyWaiters(sg *saga) {
	if len(sg.waiters) == 0 {
		return
	}
	shared := sg.share()
	for _, t := range sg.waiters {
		n.out.Replies = append(n.out.Replies, Reply{Token: t, Saga: shared})
	}
	sg.waiters = nil
}

// notNew: the key began a saga before; what was begun here never was.
func (n *Node) notNew(m Moment, sg *saga, req *request, r store.Result) {
	n.drop(m, sg)
	reply := Reply{Token: req.token, Existing: r.Saga}
	if r.Outcome == store.KeyReused {
		reply.Err = unwind.Errorf(unwind.KeyReused, "starting saga %q with key %q: the key began saga %s with another input; use a new key for a new order, or send the same input",
			req.start.Name, req.start.Key, r.Saga)
	}
	n.out.Replies = append(n.out.Replies, reply)
}

// conflict: somebody else moved the saga. What was decided here is void; the
// saga is read again, and what was asked of it is decided anew.
func (n *Node) conflict(m Moment, sg *saga, req *request) {
	if planted.On(planted.ForgetOnConflict) {
		return
	}
	if req != nil && req.start != nil {
		n.out.Replies = append(n.out.Replies, Reply{Token: req.token, Err: unwind.Errorf(unwind.Conflict, "starting saga %s: there is one of this id; try again", sg.Facts.ID)})
		n.drop(m, sg)
		n.voidSuccessors(m, sg)
		return
	}
	held := n.sagas[sg.ID] == sg
	if held {
		sg.void = true
		n.drop(m, sg)
	}
	if req != nil {
		n.Operate(m, *req.op)
	}
	if !held {
		return
	}
	n.voidSuccessors(m, sg)
	v := n.visit(sg.ID)
	v.taken, v.again = true, true
	n.muddled[sg.ID] = true
	for _, t := range sg.waiters {
		v.operations = append(v.operations, Operation{Token: t, Saga: sg.ID, Wait: true})
	}
}

// voidSuccessors takes transitions out of the next batch that were decided on a
// state that never was: their versions might fit by chance.
func (n *Node) voidSuccessors(m Moment, sg *saga) {
	if planted.On(planted.KeepSuccessors) {
		return
	}
	steps, rows := n.building.steps, n.building.rows.Transitions
	n.building.steps, n.building.rows.Transitions = steps[:0], rows[:0]
	for i := range steps {
		if steps[i].sg != sg {
			n.building.steps = append(n.building.steps, steps[i])
			n.building.rows.Transitions = append(n.building.rows.Transitions, rows[i])
			continue
		}
		if req := steps[i].req; req != nil {
			n.conflict(m, sg, req)
		}
	}
}

// drop forgets a saga's volatile state. Calls in flight stay, tied to none.
func (n *Node) drop(m Moment, sg *saga) {
	n.clearTimer(sg)
	n.eachOrder(sg, func(o *order) {
		if o.state == orderQueued && n.sched.Remove(o.key, nanos(m.Now)) {
			n.forget(o)
		}
		o.sg = nil
	})
	n.away(sg)
}

// commitFailed: nothing was written. New sagas are refused, everything else is
// kept and tried again.
func (n *Node) commitFailed(m Moment, b *batch, err error) {
	if errors.Is(err, store.ErrFenced) || errors.Is(err, store.ErrFatal) {
		n.out.Stop = err
		return
	}
	n.reservedAs(m, false)
	n.sick.err = err
	n.sick.wait = min(max(n.sick.wait*2, sickStart), sickMost)
	n.sick.retryAt = m.Now + n.sick.wait
	n.probed(b, n.Sick())
	n.probed(n.building, n.Sick())
	kept := newBatch()
	kept.rows.Controls, kept.rows.Alerts, kept.rows.Audit = b.rows.Controls, b.rows.Alerts, b.rows.Audit
	refused := map[id.ID]bool{}
	for _, half := range []*batch{b, n.building} {
		for i := range half.steps {
			s := &half.steps[i]
			switch {
			case s.req != nil && s.req.start != nil:
				refused[s.sg.ID] = true
				n.drop(m, s.sg)
				n.out.Replies = append(n.out.Replies, Reply{Token: s.req.token, Err: n.refuse(m, 0)})
				if planted.On(planted.BeginRefused) {
					kept.steps = append(kept.steps, step{sg: s.sg, state: s.state, req: &request{start: s.req.start}})
					kept.rows.Transitions = append(kept.rows.Transitions, half.rows.Transitions[i])
				}
			case refused[s.sg.ID]:
				if s.req != nil && s.req.token != 0 {
					n.out.Replies = append(n.out.Replies, Reply{Token: s.req.token, Err: unwind.Errorf(unwind.NotFound, "acting on saga %s: its start could not be written, so there is none", s.sg.Facts.ID)})
				}
			case planted.On(planted.DropBatchOnError):
			default:
				kept.steps = append(kept.steps, *s)
				kept.rows.Transitions = append(kept.rows.Transitions, half.rows.Transitions[i])
			}
		}
	}
	if planted.On(planted.LoseControl) {
		kept.rows.Controls = nil
	}
	kept.rows.Controls = append(kept.rows.Controls, n.building.rows.Controls...)
	kept.rows.Alerts = append(kept.rows.Alerts, n.building.rows.Alerts...)
	kept.rows.Audit = append(kept.rows.Audit, n.building.rows.Audit...)
	kept.controls = slices.Concat(b.controls, n.building.controls)
	kept.releases = slices.Concat(b.releases, n.building.releases)
	kept.answers = slices.Concat(b.answers, n.building.answers)
	n.building = kept
}
