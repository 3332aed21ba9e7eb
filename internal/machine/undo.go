package machine

import (
	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/planted"
)

// turnBack is the durable turn: from here on no action of the saga is sent.
// What is in flight is awaited; what was not sent is withdrawn.
func (t *turn) turnBack(cause string) {
	t.State.Phase = Compensating
	t.State.Cancelling = false
	t.log(Entry{Kind: unwind.EntrySagaCompensating, At: t.ev.At, Step: -1, Actor: t.ev.Actor, Reason: t.ev.Reason, As: cause})
	for i := range t.State.Steps {
		if t.State.Steps[i].Action.Ordered && !t.State.Steps[i].Action.Asking {
			t.withdraw(i)
			continue
		}
		t.settleStep(i)
	}
	t.undo()
}

// withdraw has the ordered action taken back, if it has not been sent.
func (t *turn) withdraw(i int) {
	t.do(Effect{Kind: WithdrawAction, Step: i, Dir: unwind.Action, Attempt: t.State.Steps[i].Action.Attempts + 1})
}

// settleStep decides, on the way back, what a step without a call in flight
// needs: nothing, or its compensation.
func (t *turn) settleStep(i int) {
	st, ps := &t.State.Steps[i], &t.plan.Steps[i]
	st.Action.Ordered, st.Action.Asking = false, false
	t.closeReplay(i, unwind.Action)
	switch st.Status {
	case StepPending:
		st.Status = StepSkipped
	case StepRunning, StepAwaiting:
		st.EndedAt = t.ev.At
		st.Status = StepSkipped
		if st.Action.Uncertain {
			st.Status = StepFailed
		}
	}
	if ps.Undo.Exists && st.Comp == CompNone && (st.Status == StepSucceeded || st.Status == StepFailed && st.Action.Uncertain) {
		st.Comp = CompPending
	}
}

// actionGone: the ordered action was withdrawn before it was sent, or lost with
// the process that may have sent it.
func (t *turn) actionGone() {
	st := &t.State.Steps[t.ev.Step]
	if !st.Action.Ordered || st.Action.Asking || t.ev.Attempt != st.Action.Attempts+1 {
		return
	}
	e := t.entry(unwind.EntryActionFailed)
	e.Dir, e.Attempt, e.Class, e.Message = unwind.Action, t.ev.Attempt, unwind.ClassNotSent, "withdrawn before it was sent"
	if (t.ev.Kind == Lost || t.ev.Resent) && !planted.On(planted.LostIsWithdrawn) {
		st.Action.mayHaveLeft(true)
		st.Action.LastSent = t.ev.At
		e.Class, e.Executed, e.Message = unwind.ClassUncertain, true, "the process that may have sent it has ended"
	}
	switch {
	case t.State.Phase == Compensating:
		t.log(e)
		t.settleStep(t.ev.Step)
		t.undo()
	case t.State.Cancelling && !st.Action.Uncertain:
		t.log(e)
		st.Action.Ordered = false
		t.turnBack(t.cancelCause())
	default:
		// Nobody turned back: the same attempt is made again.
		t.order(t.ev.Step, unwind.Action, st.Action.NotBefore, false)
	}
}

// undo queues every compensation whose turn has come, and ends the saga when
// none is left.
func (t *turn) undo() {
	busy, dead := false, false
	for _, i := range t.plan.ReverseOrder {
		st := &t.State.Steps[i]
		switch {
		case st.Action.Ordered, st.Comp == CompQueued, st.Comp == CompAwaiting:
			busy = true
		case st.Comp == CompPending && t.undoReady(i):
			t.queueUndo(i)
			busy = true
		case st.Comp == CompDead:
			dead = true
		}
	}
	switch {
	case busy && !planted.On(planted.EndEarly):
	case dead:
		t.rest(DeadLettered)
	default:
		t.rest(Compensated)
	}
}

// undoReady: every step that descends from i is undone, or will not be.
func (t *turn) undoReady(i int) bool {
	for k := range t.State.Steps {
		if planted.On(planted.CompensateForwards) && !t.plan.Steps[i].Ancestors.Has(k) {
			continue
		} else if !planted.On(planted.CompensateForwards) && !t.plan.Steps[i].Descendants.Has(k) {
			continue
		}
		st := &t.State.Steps[k]
		if st.Action.Ordered {
			return false
		}
		switch st.Comp {
		case CompNone, CompDone, CompResolved:
		case CompDead:
			if t.plan.Block && !planted.On(planted.BlockContinues) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func (t *turn) queueUndo(i int) {
	st, ps := &t.State.Steps[i], &t.plan.Steps[i]
	at := t.ev.At
	if !planted.On(planted.SkipSettle) {
		at = max(at, t.State.actionSettles(t.plan, i))
	}
	st.Comp = CompQueued
	st.Undo.Allowed = uint32(ps.Undo.Retry.Attempts)
	st.Undo.Since = t.ev.At
	t.order(i, unwind.Compensation, at, false)
}

// compensationAnswered: the compensation that is out has ended.
func (t *turn) compensationAnswered() {
	i := t.ev.Step
	side := &t.State.Steps[i].Undo
	if t.ev.Answer.Fault == FaultUnreadable {
		t.ev.Answer.Fault = NoFault // its body is ignored; the status speaks
	}
	v, attempt := t.take(side, &t.plan.Steps[i].Undo)
	if v.done || v.awaiting && planted.On(planted.AcceptedIsDone) {
		t.undone(i, attempt)
		return
	}
	t.logAnswer(v, attempt)
	switch {
	case v.awaiting:
		t.awaitUndo(i)
	case v.final:
		t.dieUndo(i, v.class)
	case t.givenUp(side):
		t.dieUndo(i, v.class)
	default:
		if ordered, why := t.again(i, unwind.Compensation, v); !ordered {
			t.dieUndo(i, why)
		}
	}
}

func (t *turn) givenUp(side *Side) bool { return t.ev.At >= side.Since+t.plan.GiveUpAfter }

func (t *turn) awaitUndo(i int) {
	st, call := &t.State.Steps[i], &t.plan.Steps[i].Undo
	st.Comp = CompAwaiting
	st.Undo.NotBefore = 0
	if call.HasStatus {
		st.Undo.NotBefore = t.askFirst(&st.Undo, call)
	}
	t.do(Effect{Kind: DropCompensation, Step: i, Dir: unwind.Compensation})
}

// undone: the participant acknowledged the compensation.
func (t *turn) undone(i int, attempt uint32) {
	st := &t.State.Steps[i]
	st.Comp, st.Undo.Waits = CompDone, 0
	e := t.entry(unwind.EntryCompensationSucceeded)
	e.Dir, e.Attempt, e.Generation = unwind.Compensation, attempt, st.Undo.Generation
	t.log(e)
	t.do(Effect{Kind: DropCompensation, Step: i, Dir: unwind.Compensation})
	t.closeReplay(i, unwind.Compensation)
	t.undo()
}

// closeReplay: the call that an operator had made again has come to an end.
func (t *turn) closeReplay(i int, dir unwind.Direction) {
	if side := t.State.Side(i, dir); side.Replayed {
		side.Replayed = false
		t.do(Effect{Kind: MoveDeadLetter, Step: i, Dir: dir, State: unwind.DeadLetterReplayed})
	}
}

// dieUndo makes a dead letter of a compensation.
func (t *turn) dieUndo(i int, why unwind.Class) {
	t.State.Steps[i].Comp = CompDead
	t.State.Steps[i].Undo.Ordered, t.State.Steps[i].Undo.Asking = false, false
	t.do(Effect{Kind: DropCompensation, Step: i, Dir: unwind.Compensation})
	t.openDeadLetter(i, unwind.Compensation, why)
	t.undo()
}

// openDeadLetter records the death of a call; its alert is committed with it.
func (t *turn) openDeadLetter(i int, dir unwind.Direction, why unwind.Class) {
	t.State.Side(i, dir).Replayed = false
	cause := unwind.CallError{Status: t.ev.Answer.Status, Class: why, Message: t.ev.Answer.Message}
	group := Fingerprint(t.plan, i, dir, cause)
	t.log(Entry{Kind: unwind.EntryDeadLettered, At: t.ev.At, Step: i, Dir: dir, Class: why, Status: cause.Status, Message: cause.Message, Group: group, Body: t.ev.Answer.Body})
	t.do(Effect{Kind: OpenDeadLetter, Step: i, Dir: dir, Error: cause, Group: group})
}
