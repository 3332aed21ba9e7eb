package engine_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
	"github.com/unwindhq/unwind/store/memory"
)

// A shipper refuses to ship until it is open; then it notes when it is called.
type shipper struct {
	mu    sync.Mutex
	open  bool
	takes func(nth int) time.Duration // of the calls since it is open; nil: no time
	calls []time.Time
}

func (s *shipper) RoundTrip(r *http.Request) (*http.Response, error) {
	status, takes := http.StatusOK, time.Duration(0)
	if r.Body != nil {
		r.Body.Close()
	}
	if r.URL.Path == "/ship" {
		s.mu.Lock()
		if status = http.StatusConflict; s.open {
			s.calls = append(s.calls, time.Now())
			if status = http.StatusOK; s.takes != nil {
				takes = s.takes(len(s.calls))
			}
		}
		s.mu.Unlock()
	}
	time.Sleep(takes) //nolint:forbidigo // the bubble's clock
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: r}, nil
}

// busiest is the most calls in any span of this length.
func (s *shipper) busiest(span time.Duration) (most int) {
	first := 0
	for i, at := range s.calls {
		for at.Sub(s.calls[first]) >= span {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// What passed without anything being taken up, or was lost by a step that took long, is
// not made up for at once: the rate of an operation is how many a second at most.
func TestNoBurstOfAnOperationFollowsAWait(t *testing.T) {
	const letters, rate = 300, 100
	for _, c := range []struct {
		name   string
		canary int
		begin  func(*shipper, *faultyStore)
	}{
		{"for its canary", 5, func(s *shipper, _ *faultyStore) {
			s.takes = func(nth int) time.Duration {
				if nth <= 5 {
					return 3 * time.Second
				}
				return 0
			}
		}},
		{"for a slow disk", 0, func(s *shipper, st *faultyStore) {
			s.takes = func(nth int) time.Duration {
				switch nth {
				case 100:
					st.set(func(f *faultyStore) { f.delay = 2 * time.Second })
				case 101:
					st.set(func(f *faultyStore) { f.delay = 0 })
				}
				return 0
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shop, st := &shipper{}, &faultyStore{Store: memory.New()}
				e, err := engine.Open(t.Context(), engine.Config{
					Store: st, Transport: shop, Logger: slog.New(slog.DiscardHandler),
					Participants: map[string]unwind.Participant{"shop": {URL: "http://shop.test"}},
					Definitions: []unwind.Definition{{Name: "place-order", Steps: []unwind.Step{
						{Name: "charge", Pivot: true, Action: &unwind.Call{Service: "shop", Path: "/charge"}},
						{Name: "ship", Action: &unwind.Call{Service: "shop", Path: "/ship"}},
					}}},
				})
				if err != nil {
					t.Fatal(err)
				}
				w := &world{Engine: e, t: t}
				w.beginMany(letters)
				time.Sleep(time.Minute) //nolint:forbidigo // the bubble's clock
				shop.mu.Lock()
				shop.open = true
				c.begin(shop, st)
				shop.mu.Unlock()
				op := w.replayAll(func(r *unwind.OperationRequest) {
					r.Rate, r.Canary, r.Auto = &unwind.Rate{Calls: rate, Per: unwind.Second}, c.canary, c.canary > 0
				})
				time.Sleep(time.Minute) //nolint:forbidigo // the bubble's clock
				if got := w.operation(op.ID); got.State != unwind.OperationFinished || got.Counts.Succeeded != letters {
					t.Errorf("it came to %+v", got)
				}
				if n := shop.busiest(time.Second); n > rate*12/10 {
					t.Errorf("one second had %d calls, at a rate of %d", n, rate)
				}
				if n := shop.busiest(25 * time.Millisecond); n > rate/10+3 {
					t.Errorf("%d calls were made at once", n)
				}
				if err := e.Close(context.WithoutCancel(t.Context())); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
