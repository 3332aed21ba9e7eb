package engine

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
)

// A question that gets no usable answer is asked again, so often, and no sooner than
// the wait, which doubles. A throttled one costs no try.
const (
	questionTries = 3
	questionWait  = 200 * time.Millisecond
)

// A said is what came of a question.
type said struct {
	outcome unwind.StatusOutcome // empty: no usable answer
	reason  string               // why there is none
	asked   bool                 // and it was asked
	waiting string               // what it was waiting for when the time was over
	over    bool
}

// inquire asks a service's status path what became of a call. When asking is over,
// nothing more is asked; what is in flight is awaited.
func (e *Engine) inquire(ctx, asking context.Context, q node.Question) (s said) {
	wait := questionWait
	for try := 1; ; {
		a, waiting, err := e.question(ctx, asking, q)
		switch {
		case asking.Err() != nil && err != nil:
			return said{over: true, waiting: waiting}
		case err != nil:
			return said{reason: err.Error(), asked: true}
		}
		switch a.Outcome {
		case machine.OutcomeDone:
			return said{outcome: unwind.StatusDone}
		case machine.OutcomeRefused:
			return said{outcome: unwind.StatusNotDone}
		case machine.OutcomeInProgress:
			return said{outcome: unwind.StatusInProgress}
		}
		throttled := a.Status == http.StatusTooManyRequests || a.Status == http.StatusServiceUnavailable
		if !throttled {
			try++
		}
		if final := a.Status >= 200 && a.Status < 500 && !throttled; final || try > questionTries {
			return said{reason: unusable(a), asked: true}
		}
		select {
		case <-time.After(max(wait, time.Duration(a.Hint)*time.Microsecond)):
		case <-asking.Done():
			return said{over: true, waiting: "service " + q.Plan.Call(q.Step, q.Dir).Service + ": " + a.Message}
		}
		wait *= 2
	}
}

func unusable(a machine.Answer) string {
	if a.Status == 0 {
		return "its status path does not answer: " + a.Message
	}
	return fmt.Sprintf("its status path answers %d and no outcome: %s", a.Status, a.Message)
}

// question puts one question and waits for its answer. Where the time is over before
// it is sent, it is taken back, and waiting says what it waited for.
func (e *Engine) question(ctx, asking context.Context, q node.Question) (a machine.Answer, waiting string, err error) {
	ch, token, err := e.begin(func(m node.Moment, t node.Token) {
		q.Token = t
		e.node.Ask(m, q)
	})
	if err != nil {
		return a, "", err
	}
	select {
	case r := <-ch:
		return r.Answer, "", r.Err
	case <-e.stopped:
		r, err := e.afterStop(ch)
		return r.Answer, "", err
	case <-asking.Done():
	}
	inFlight := false
	withdraw := func(even bool) {
		_ = e.look(context.WithoutCancel(ctx), "", func(m node.Moment) { // an engine that has stopped needs no word
			var n note
			if x, ok := e.node.Flow().Explain(node.QuestionKey(*token), int64(m.Now)*1000); ok {
				n = explained(x)
			}
			if waiting, inFlight = n.waiting, n.inFlight; inFlight && !even {
				return
			}
			e.node.Unask(m, *token)
			delete(e.waiting, *token)
		})
	}
	if withdraw(false); inFlight {
		select {
		case r := <-ch:
			return r.Answer, "", r.Err
		case <-e.stopped:
		case <-ctx.Done():
			withdraw(true)
		}
	}
	return a, waiting, asking.Err()
}
