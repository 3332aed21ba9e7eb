package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/store"
)

// Bounds of one answer of Reconcile.
const (
	reconcileTime  = 5 * time.Second // after it nothing more is asked
	reconcileCalls = 500
	mostReconcile  = 5000
	reconcileSagas = 16 // in memory at once
	questionsOut   = 64 // that wait for their grants or answers at once
)

// A comparison is one call of Reconcile.
type comparison struct {
	e         *Engine
	req       unwind.ReconcileRequest
	onHold    bool
	pace      *rate.Limiter
	out       *unwind.Reconciliation
	unchecked map[unwind.Unchecked]int64
	seen      int // calls
}

// A compared call is one that is to be asked about.
type compared struct {
	at      place // where it stands
	saga    *node.Snapshot
	step    int
	dir     unwind.Direction
	service string
	word    unwind.JournalWord
	said    said // with a reason from the start where nobody can be asked
}

// Reconcile implements unwind.Service.
func (e *Engine) Reconcile(ctx context.Context, req unwind.ReconcileRequest) (*unwind.Reconciliation, error) {
	at, err := e.validReconcile(ctx, &req)
	if err != nil {
		return nil, err
	}
	c := &comparison{e: e, req: req, onHold: e.OnHold(), pace: rate.NewLimiter(rate.Inf, 1), unchecked: map[unwind.Unchecked]int64{},
		out: &unwind.Reconciliation{Items: []unwind.Difference{}, NotChecked: []unwind.Unchecked{}}}
	if req.Rate != nil {
		c.pace = rate.NewLimiter(rate.Limit(req.Rate.CallsPerSecond()), 1)
		c.pace.Allow() // so that many answers are no faster than one
	}
	asking, cancel := context.WithTimeout(ctx, reconcileTime)
	defer cancel()
	for more := true; more; {
		if at, more, err = c.next(ctx, asking, at); err != nil {
			return nil, err
		}
	}
	c.out.NextCursor = at.String()
	for u, n := range c.unchecked {
		u.Calls = n
		c.out.NotChecked = append(c.out.NotChecked, u)
	}
	slices.SortFunc(c.out.NotChecked, func(a, b unwind.Unchecked) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Reason, b.Reason))
	})
	return c.out, nil
}

func (e *Engine) validReconcile(ctx context.Context, req *unwind.ReconcileRequest) (place, error) {
	const doing = "comparing with the services"
	at, ok := parsePlace(req.Cursor)
	_, known := e.cfg.Participants[req.Service]
	switch {
	case !ok:
		return at, invalid(doing, "/cursor", "it is not one that a comparison gave; take next_cursor as it is")
	case req.Service != "" && !known:
		return at, unwind.Errorf(unwind.NotFound, "there is no service %q; GET /v1/services lists them", req.Service)
	case req.Rate != nil && req.Rate.CallsPerSecond() < 1:
		return at, invalid(doing, "/rate", "write 1/s or more, as in 50/s")
	case req.Calls < 0 || req.Calls > mostReconcile:
		return at, invalid(doing, "/calls", fmt.Sprintf("write 1 to %d", mostReconcile))
	}
	req.Calls = cmp.Or(req.Calls, reconcileCalls)
	if req.Saga != "" {
		if _, err := e.plans.get(ctx, req.Saga, ""); err != nil {
			return at, err
		}
	}
	return at, nil
}

// next compares some sagas from a place on, and returns where to go on; more: in
// this answer still.
func (c *comparison) next(ctx, asking context.Context, at place) (place, bool, error) {
	f := store.Filter{Name: c.req.Saga, Cursor: at.list, Limit: reconcileSagas}
	if !c.req.Since.IsZero() {
		f.Since = c.req.Since.UnixMicro()
	}
	rows, after, err := c.e.store.List(ctx, f)
	if err != nil {
		return at, false, failed("listing sagas", err)
	}
	var calls []compared
	var ends []int // of each saga's calls
	for i := range rows {
		if at.saga != (id.ID{}) && rows[i].ID.Sequence() > at.saga.Sequence() {
			continue // the answer before has it, or it began since
		}
		of, err := c.calls(ctx, at.list, &rows[i])
		if err != nil {
			return at, false, err
		}
		if rows[i].ID == at.saga {
			of = of[min(at.calls, len(of)):]
		}
		calls = append(calls, of...)
		ends = append(ends, len(calls))
	}
	room := c.req.Calls - c.seen
	done := c.ask(ctx, asking, calls[:min(room, len(calls))])
	if err := ctx.Err(); err != nil {
		return at, false, failed("comparing with the services", err)
	}
	if err := c.tell(ctx, calls[:done]); err != nil {
		return at, false, err
	}
	for _, end := range ends {
		if end <= done {
			c.out.Sagas++
		}
	}
	if done < len(calls) {
		return calls[done].at, false, nil
	}
	return place{list: after}, after != "" && c.seen < c.req.Calls && asking.Err() == nil, nil
}

// calls are those of a saga that are to be compared.
func (c *comparison) calls(ctx context.Context, list string, row *store.Saga) (calls []compared, err error) {
	var saga *node.Snapshot
	if err = row.Damage; err == nil {
		saga, err = c.e.restore(ctx, row)
	}
	if err != nil {
		if err = failed("reading saga "+row.ID.String(), err); unwind.CodeOf(err) == unwind.StoreUnavailable {
			return nil, err
		}
		return []compared{{at: place{list, row.ID, 0}, said: said{reason: err.Error()}}}, nil
	}
	for i := range saga.Plan.Steps {
		for _, dir := range [...]unwind.Direction{unwind.Action, unwind.Compensation} {
			call := saga.Plan.Call(i, dir)
			word := unwind.JournalWord("")
			if call.Exists && call.Call != nil && (c.req.Service == "" || c.req.Service == call.Service) {
				word = journalWord(&saga.State, i, dir, c.onHold)
			}
			if word != "" {
				calls = append(calls, compared{at: place{list, row.ID, len(calls)}, saga: saga, step: i, dir: dir, service: call.Service, word: word,
					said: said{reason: c.mute(call)}})
			}
		}
	}
	return calls, nil
}

// mute says why nobody can be asked about a call.
func (c *comparison) mute(call *machine.PlanCall) string {
	p, known := c.e.cfg.Participants[call.Service]
	switch {
	case call.Service == "":
		return "Go functions have no status path"
	case !known:
		return "it is not declared any more"
	case p.Status == "":
		return "it has no status path"
	}
	return ""
}

// ask asks about calls and returns how many of the first are settled.
func (c *comparison) ask(ctx, asking context.Context, calls []compared) (done int) {
	var asked sync.WaitGroup
	places := make(chan struct{}, questionsOut)
	for i := range calls {
		if calls[i].said.reason != "" {
			continue
		}
		calls[i].said.over = true
		if asking.Err() != nil || c.pace.Wait(asking) != nil {
			break
		}
		places <- struct{}{} // each is given back when the time is over, at the latest
		asked.Go(func() {
			k := &calls[i]
			k.said = c.e.inquire(ctx, asking, node.Question{Plan: k.saga.Plan, Saga: k.saga.ID, Step: k.step, Dir: k.dir, Generation: k.saga.State.Side(k.step, k.dir).Generation})
			<-places
		})
	}
	asked.Wait()
	for ; done < len(calls) && !calls[done].said.over; done++ {
	}
	if done < len(calls) && ctx.Err() == nil {
		c.out.WaitingFor = cmp.Or(calls[done].said.waiting, "the rate of this comparison")
	}
	return done
}

// tell counts calls that are settled and keeps the differences.
func (c *comparison) tell(ctx context.Context, calls []compared) error {
	for i := range calls {
		k := &calls[i]
		c.seen++
		if k.said.outcome == "" {
			c.unchecked[unwind.Unchecked{Service: k.service, Reason: k.said.reason, Asked: k.said.asked}]++
			continue
		}
		c.out.Calls++
		meaning := meaningOf(k.word, k.dir, k.said.outcome)
		if meaning == "" {
			continue
		}
		stands, err := c.stands(ctx, k)
		if err != nil {
			return err
		}
		if stands {
			c.out.Items = append(c.out.Items, k.difference(meaning))
		}
	}
	return nil
}

// stands reports whether the journal still says what it said before the service was
// asked.
func (c *comparison) stands(ctx context.Context, k *compared) (bool, error) {
	if c.onHold {
		return true, nil
	}
	now, err := c.e.snapshot(ctx, k.saga.ID)
	switch {
	case unwind.CodeOf(err) == unwind.NotFound:
		return false, nil
	case err != nil:
		return false, err
	}
	return journalWord(&now.State, k.step, k.dir, false) == k.word, nil
}

func (k *compared) difference(meaning string) unwind.Difference {
	s := k.saga
	name := s.Plan.Steps[k.step].Name
	return unwind.Difference{
		SagaID: s.Facts.ID, Saga: s.Plan.Name, Tenant: s.Tenant, Status: s.State.Phase.Status(), Step: name, Direction: k.dir, Service: k.service,
		Key:     machine.Key(s.Facts.ID, name, k.dir, s.State.Side(k.step, k.dir).Generation),
		Journal: k.word, Answer: k.said.outcome, Meaning: meaning, Amount: machine.Amount(s.Plan, s.Input),
	}
}
