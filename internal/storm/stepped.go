package storm

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/unwindhq/unwind"
)

// A stepped subject is an engine whose machine's clock steps while it is
// restarted. That it steps while the engine runs is of no effect: an engine
// reads it when it opens, and counts on evenly from there.
type stepped struct {
	open  func(clock func() time.Time) (subject, error)
	steps []step
	unit  time.Duration

	cancel context.CancelFunc
	loose  chan struct{}
	keeper sync.WaitGroup

	mu      sync.RWMutex // over the one that is open; held while there is none
	now     subject
	failure error
}

// A step sets the clock off by so much, so many units after the begin.
type step struct {
	at  int
	off time.Duration
}

func openStepped(ctx context.Context, steps []step, unit time.Duration, open func(clock func() time.Time) (subject, error)) (subject, error) {
	s := &stepped{open: open, steps: steps, unit: unit, loose: make(chan struct{})}
	var err error
	if s.now, err = open(time.Now); err != nil {
		return nil, err
	}
	ctx, s.cancel = context.WithCancel(ctx)
	s.keeper.Go(func() { s.keep(ctx) })
	return s, nil
}

func (s *stepped) keep(ctx context.Context) {
	select {
	case <-s.loose:
	case <-ctx.Done():
		return
	}
	begin := time.Now()
	for _, st := range s.steps {
		timer := time.NewTimer(time.Until(begin.Add(units(time.Duration(st.at), s.unit))))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		s.restart(st.off)
	}
}

func (s *stepped) restart(off time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.now.close()
	next, opening := s.open(func() time.Time { return time.Now().Add(off) })
	if opening == nil {
		s.now = next
	}
	s.failure = errors.Join(s.failure, err, opening)
}

func (s *stepped) begun()     { close(s.loose) }
func (s *stepped) over()      {}
func (s *stepped) kills() int { return 0 }

func (s *stepped) close() error {
	s.cancel()
	s.keeper.Wait()
	return errors.Join(s.failure, s.now.close())
}

// with lets f use the engine that is open.
func with[T any](s *stepped, f func(subject) (T, error)) (T, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return f(s.now)
}

func (s *stepped) StartBatch(ctx context.Context, reqs []unwind.StartRequest) ([]unwind.StartResult, error) {
	return with(s, func(e subject) ([]unwind.StartResult, error) { return e.StartBatch(ctx, reqs) })
}

func (s *stepped) List(ctx context.Context, f unwind.Filter) (unwind.List[unwind.Instance], error) {
	return with(s, func(e subject) (unwind.List[unwind.Instance], error) { return e.List(ctx, f) })
}

func (s *stepped) Stats(ctx context.Context) (unwind.Stats, error) {
	return with(s, func(e subject) (unwind.Stats, error) { return e.Stats(ctx) })
}

func (s *stepped) Participants(ctx context.Context) ([]unwind.ServiceState, error) {
	return with(s, func(e subject) ([]unwind.ServiceState, error) { return e.Participants(ctx) })
}

func (s *stepped) Alerts(ctx context.Context, f unwind.AlertFilter) (unwind.List[unwind.Alert], error) {
	return with(s, func(e subject) (unwind.List[unwind.Alert], error) { return e.Alerts(ctx, f) })
}

func (s *stepped) Control(ctx context.Context, req unwind.ControlRequest) (*unwind.ScopeState, error) {
	return with(s, func(e subject) (*unwind.ScopeState, error) { return e.Control(ctx, req) })
}
