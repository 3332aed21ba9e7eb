package engine

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
)

// startCall makes a call beside the loop. Its answer comes back as an event: at
// the call's timeout at the latest. What the participant says after that, within
// the settle time, is journalled as a late answer.
func (e *Engine) startCall(c *node.Call) {
	select {
	case e.calls <- c: // somebody is free
	default:
		e.workers.Add(1)
		go e.callLoop(c)
	}
}

// callLoop makes one call, and then others as they come: a goroutine that has
// made a call has the stack for the next.
func (e *Engine) callLoop(c *node.Call) {
	defer e.workers.Done()
	for {
		e.makeCall(*c)
		if e.free.Add(1) > idleCallers {
			e.free.Add(-1)
			return
		}
		var more bool
		if c, more = <-e.calls; !more {
			return
		}
		e.free.Add(-1)
	}
}

func (e *Engine) makeCall(c node.Call) {
	pc := c.Plan.Call(c.Step, c.Dir)
	timeout := time.Duration(pc.Timeout) * time.Microsecond
	ctx, cancel := context.WithTimeout(e.ctx, timeout+time.Duration(pc.Settle)*time.Microsecond)
	defer cancel()
	begin := time.Now()
	var over atomic.Bool // somebody has reported the outcome
	timer := time.AfterFunc(timeout, func() {
		if over.CompareAndSwap(false, true) {
			e.callEnded(&c, machine.Answer{Fault: machine.FaultTimeout, Message: fmt.Sprintf("no answer within %s", timeout)}, begin)
		}
	})
	defer timer.Stop()
	var (
		a    machine.Answer
		rest *http.Response
	)
	switch {
	case c.Ask:
		a, rest = e.caller.ask(ctx, pc, &c) //nolint:bodyclose // drain closes it
	case pc.Call.Func != nil:
		a = callFunc(ctx, pc.Call.Func, &c)
	default:
		a, rest = e.caller.call(ctx, pc, &c) //nolint:bodyclose // drain closes it
	}
	defer drain(rest) // after the report: it may take until the call's end
	if over.CompareAndSwap(false, true) {
		e.callEnded(&c, a, begin)
		return
	}
	if a.Status != 0 || a.Fault == machine.NoFault {
		e.post(func(m node.Moment) { e.node.CallAnsweredLate(m, node.LateAnswer{Call: c, Answer: a}) })
	}
}

// localWait is how long a call waits at least that this machine had no room for.
const localWait = 200_000

func (e *Engine) callEnded(c *node.Call, a machine.Answer, begin time.Time) {
	if a.Fault == machine.FaultLocal {
		a.Hint = localWait
		e.lacking.Do(func() {
			e.cfg.Logger.Warn("no connection could be made, for want of descriptors or ports on this machine; the calls wait: raise RLIMIT_NOFILE (ulimit -n) and the range of local ports, or lower the services' concurrency",
				"service", c.Plan.Call(c.Step, c.Dir).Service, "error", a.Message)
		})
	}
	e.metrics.called(c, &a, time.Since(begin))
	e.post(func(m node.Moment) { e.node.CallEnded(m, c.ID, a) })
}

// callFunc calls a Go function as a participant. A panic is an uncertain answer.
func callFunc(ctx context.Context, f unwind.Func, c *node.Call) (a machine.Answer) {
	defer func() {
		if r := recover(); r != nil {
			a = machine.Answer{Fault: machine.FaultBroken, Message: cut(fmt.Sprintf("the Go function panicked: %v\n%s", r, debug.Stack()))}
		}
	}()
	output, err := f(ctx, unwind.Request{
		Key: c.Key, Saga: c.Saga.String(), Step: c.Plan.Steps[c.Step].Name, Direction: c.Dir, Attempt: int(c.Attempt), Body: c.Body,
	})
	var refusal *unwind.Refusal
	switch {
	case errors.As(err, &refusal):
		return machine.Answer{Outcome: machine.OutcomeRefused, Message: cut(refusal.Reason)}
	case err != nil:
		return machine.Answer{Fault: machine.FaultBroken, Message: cut(err.Error())}
	}
	return readable(machine.Answer{Outcome: machine.OutcomeDone}, output, c.Dir)
}
