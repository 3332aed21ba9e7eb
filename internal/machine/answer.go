package machine

import (
	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/planted"
)

// A verdict is what an answer means (the answer table of docs/guarantees.md).
type verdict struct {
	done     bool
	awaiting bool // an asynchronous call was accepted
	class    unwind.Class
	// executed: the attempt may have executed.
	executed bool
	// counted: the attempt counts against the policy.
	counted bool
	// final: the call will never be done.
	final bool
}

var (
	done         = verdict{done: true, executed: true, counted: true}
	awaiting     = verdict{awaiting: true, executed: true}
	inProgress   = verdict{class: unwind.ClassInProgress, executed: true}
	refused      = verdict{class: unwind.ClassRefused, counted: true, final: true}
	invalid      = verdict{class: unwind.ClassInvalid, counted: true, final: true}
	throttled429 = verdict{class: unwind.ClassThrottled}
	throttled503 = verdict{class: unwind.ClassThrottled, executed: true}
	serviceFault = verdict{class: unwind.ClassServiceFault}
	local        = verdict{class: unwind.ClassLocal}
	notSent      = verdict{class: unwind.ClassNotSent, counted: true}
	uncertain    = verdict{class: unwind.ClassUncertain, executed: true, counted: true}
)

// judge reads one answer. uncertainBefore: an earlier attempt may have executed,
// so that a 4xx no longer proves that nothing happened.
func judge(a Answer, async, uncertainBefore bool) verdict {
	switch a.Fault {
	case FaultNotSent:
		return notSent
	case FaultLocal:
		return local
	case FaultCertificate, FaultForbidden:
		return serviceFault
	case FaultTimeout, FaultBroken, FaultUnreadable:
		return uncertain
	}
	switch a.Outcome {
	case OutcomeDone:
		return done
	case OutcomeRefused:
		return refused
	case OutcomeInProgress:
		return inProgress
	}
	switch s := a.Status; {
	case s == 429 && planted.On(planted.CountThrottled):
		return verdict{class: unwind.ClassThrottled, counted: true}
	case s == 409 && planted.On(planted.TrustLateRefusal):
		return refused
	case s == 202 && async:
		return awaiting
	case s == 202 || s == 425 || s == 409 && uncertainBefore:
		return inProgress
	case s >= 200 && s < 300:
		return done
	case s == 409:
		return refused
	case s >= 300 && s < 400, s == 401, s == 403, s == 405, s == 407:
		return serviceFault
	case s == 429:
		return throttled429
	case s == 503:
		return throttled503
	case s >= 400 && s < 500:
		return invalid
	}
	return uncertain
}

// Class returns what an answer means to the lane it came through: the empty
// class where the call was done or accepted.
func (a Answer) Class(async bool) unwind.Class { return judge(a, async, false).class }
