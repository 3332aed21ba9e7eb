package node

import (
	"encoding/json"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
)

// Instance is the snapshot as users see it.
func (s *Snapshot) Instance() *unwind.Instance {
	inst := &unwind.Instance{
		ID: s.Facts.ID, Saga: s.Plan.Name, Version: s.Plan.Version, Tenant: s.Tenant, Key: s.Key,
		Status: s.State.Phase.Status(), Input: orNull(s.Input),
		Steps:     make([]unwind.StepInstance, len(s.State.Steps)),
		CreatedAt: at(s.State.CreatedAt), UpdatedAt: at(s.State.UpdatedAt), Cancelled: s.Cancelled,
	}
	for i := range s.State.Steps {
		inst.Steps[i] = s.step(i)
	}
	return inst
}

func (s *Snapshot) step(i int) unwind.StepInstance {
	st, ps := &s.State.Steps[i], &s.Plan.Steps[i]
	v := unwind.StepInstance{
		Name: ps.Name, Status: st.Status.Status(), Attempts: int(st.Action.Attempts), Throttled: int(st.Action.Throttled), AttemptLimit: int(st.Action.Allowed),
		Uncertain: st.Action.Uncertain, Output: json.RawMessage("null"), Error: s.Errors[i].Action,
		StartedAt: atOrNil(st.StartedAt), EndedAt: atOrNil(st.EndedAt),
	}
	if st.Status == machine.StepSucceeded {
		v.Output = orNull(s.Outputs[i])
	}
	if s.State.Phase == machine.Running && (st.Action.Ordered || st.Status == machine.StepAwaiting) {
		v.NextAt = atOrNil(st.Action.NotBefore)
	}
	if st.Status == machine.StepAwaiting {
		switch ps.Kind {
		case unwind.SignalStep:
			v.WaitingFor = "a signal"
		case unwind.DelayStep:
			v.WaitingFor = "the end of its delay"
		default:
			v.WaitingFor = "the participant to complete the call"
			v.CallToken = machine.Token(s.Facts.ID, i, unwind.Action, st.Action.Generation)
		}
	}
	if !ps.Undo.Exists {
		v.Compensation = &unwind.CompensationInstance{Status: unwind.CompensationNone}
		return v
	}
	c := &unwind.CompensationInstance{
		Status: st.Comp.Status(), Attempts: int(st.Undo.Attempts), Throttled: int(st.Undo.Throttled), AttemptLimit: int(st.Undo.Allowed),
		Uncertain: st.Undo.Uncertain, Error: s.Errors[i].Undo,
	}
	if st.Undo.Ordered {
		c.NextAt = atOrNil(st.Undo.NotBefore)
	}
	if st.Comp == machine.CompAwaiting {
		c.CallToken = machine.Token(s.Facts.ID, i, unwind.Compensation, st.Undo.Generation)
	}
	v.Compensation = c
	return v
}

func orNull(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("null")
	}
	return raw
}

func at(t machine.Micros) unwind.Time { return unwind.TimeFromMicros(int64(t)) }

func atOrNil(t machine.Micros) *unwind.Time {
	if t == 0 {
		return nil
	}
	v := at(t)
	return &v
}
