package machine

import (
	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/planted"
)

// forward orders every step whose predecessors have succeeded, and ends the
// saga when there is nothing left to do.
func (t *turn) forward() {
	left, dead := false, false
	for i := range t.State.Steps {
		st := &t.State.Steps[i]
		switch {
		case st.Status == StepPending && t.ready(i):
			t.startStep(i)
			left = true
		case st.Status == StepRunning, st.Status == StepAwaiting:
			left = true
		case st.Dead:
			dead = true
		}
	}
	switch {
	case left:
	case dead:
		t.rest(DeadLettered)
	default:
		t.rest(Completed)
	}
}

func (t *turn) ready(i int) bool {
	for _, b := range t.plan.Steps[i].Before {
		if t.State.Steps[b].Status != StepSucceeded {
			return false
		}
	}
	return true
}

func (t *turn) startStep(i int) {
	st, ps := &t.State.Steps[i], &t.plan.Steps[i]
	st.StartedAt = t.ev.At
	if ps.Kind == unwind.ActionStep {
		st.Status = StepRunning
		st.Action.Allowed = uint32(ps.Action.Retry.Attempts)
		t.order(i, unwind.Action, t.ev.At, false)
		return
	}
	st.Status = StepAwaiting
	if ps.Wait > 0 {
		st.Action.NotBefore = t.ev.At + ps.Wait
	}
	t.log(Entry{Kind: unwind.EntryActionAwaiting, At: t.ev.At, Step: i, Dir: unwind.Action, NotBefore: st.Action.NotBefore})
}

// actionAnswered: the call that is out has ended.
func (t *turn) actionAnswered() {
	i := t.ev.Step
	side := &t.State.Steps[i].Action
	v, attempt := t.take(side, &t.plan.Steps[i].Action)
	if v.done {
		t.succeed(i, attempt, t.ev.Answer.Output)
		return
	}
	t.logAnswer(v, attempt)
	switch {
	case v.awaiting && t.State.Phase == Running:
		t.await(i)
	case t.State.Phase == Compensating && !planted.On(planted.ActionAfterTurn):
		t.settleStep(i)
		t.undo()
	case v.final:
		t.fail(i, v.class)
	case t.State.Cancelling && !side.Uncertain:
		t.turnBack(t.cancelCause())
	default:
		if ordered, why := t.again(i, unwind.Action, v); !ordered {
			t.fail(i, why)
		}
	}
}

// logAnswer journals an answer that was not "done".
func (t *turn) logAnswer(v verdict, attempt uint32) {
	kind := answerEntries[t.ev.Dir][0]
	switch {
	case v.awaiting || v.class == unwind.ClassInProgress:
		kind = answerEntries[t.ev.Dir][1]
	case !v.counted:
		kind = answerEntries[t.ev.Dir][2]
	}
	e := t.entry(kind)
	e.Attempt, e.Class, e.Status, e.Message = attempt, v.class, t.ev.Answer.Status, t.ev.Answer.Message
	e.Generation = t.State.Side(e.Step, e.Dir).Generation
	e.Counted, e.Executed, e.Body, e.Asked = v.counted, v.executed, t.ev.Answer.Body, t.ev.Answer.Asked
	t.log(e)
}

var answerEntries = map[unwind.Direction][3]string{
	unwind.Action:       {unwind.EntryActionFailed, unwind.EntryActionAwaiting, unwind.EntryActionThrottled},
	unwind.Compensation: {unwind.EntryCompensationFailed, unwind.EntryCompensationAwaiting, unwind.EntryCompensationThrottled},
}

// await waits for the completion of an accepted call; with a status path it is
// asked after a while.
func (t *turn) await(i int) {
	st := &t.State.Steps[i]
	st.Status = StepAwaiting
	st.Action.NotBefore = 0
	if call := &t.plan.Steps[i].Action; call.HasStatus {
		st.Action.NotBefore = t.askFirst(&st.Action, call)
	}
}

// succeed: the action is done. On the way back that means: undo it.
func (t *turn) succeed(i int, attempt uint32, output []byte) {
	st := &t.State.Steps[i]
	st.Status, st.EndedAt, st.Action.Waits = StepSucceeded, t.ev.At, 0
	e := t.entry(unwind.EntryActionSucceeded)
	e.Dir, e.Attempt, e.Generation, e.Output = unwind.Action, attempt, st.Action.Generation, output
	t.log(e)
	t.closeReplay(i, unwind.Action)
	if t.State.Phase == Compensating {
		t.settleStep(i)
		t.undo()
		return
	}
	if t.plan.Steps[i].Pivot {
		t.State.Cancelling = false
	}
	t.forward()
}

// fail: the action of a running saga will not be done.
func (t *turn) fail(i int, why unwind.Class) {
	st, ps := &t.State.Steps[i], &t.plan.Steps[i]
	switch {
	case ps.PastPivot:
		t.dieForward(i, why)
	case ps.Pivot && planted.On(planted.PivotTurnsBack):
		st.Status, st.EndedAt = StepFailed, t.ev.At
		t.turnBack(string(why))
	case ps.Pivot && st.Action.Uncertain && ps.Action.HasStatus:
		// An uncertain pivot never turns back before somebody knows. It is called
		// no more: what the status path says is the last word.
		st.Action.Allowed = st.Action.Attempts
		t.order(i, unwind.Action, t.ev.At, true)
	case ps.Pivot && st.Action.Uncertain:
		t.dieForward(i, why)
	default:
		st.Status, st.EndedAt = StepFailed, t.ev.At
		t.turnBack(string(why))
	}
}

// dieForward makes a forward dead letter: it blocks until an operator decides.
func (t *turn) dieForward(i int, why unwind.Class) {
	st := &t.State.Steps[i]
	st.Status, st.Dead, st.EndedAt = StepFailed, true, t.ev.At
	t.openDeadLetter(i, unwind.Action, why)
	t.forward()
}
