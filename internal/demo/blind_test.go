package demo_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/demo"
)

// A willing service takes every order.
type willing struct{ unwind.Service }

func (willing) Control(context.Context, unwind.ControlRequest) (*unwind.ScopeState, error) {
	return nil, nil //nolint:nilnil // nobody reads it
}

func (willing) StartBatch(_ context.Context, reqs []unwind.StartRequest) ([]unwind.StartResult, error) {
	return make([]unwind.StartResult, len(reqs)), nil
}

// Payments that are gone for good are told of, and nothing waits for them but what
// waits for a person anyway.
func TestAnIncidentWhosePaymentsAreGoneSaysSo(t *testing.T) {
	for _, c := range []struct {
		name string
		part func(*demo.Incident, context.Context) error
		ends bool
	}{
		{"prepare", (*demo.Incident).Prepare, true},
		{"recover", (*demo.Incident).Recover, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var said []string
				in := &demo.Incident{
					Service: willing{}, Troupe: &demo.Troupe{}, Orders: demo.Undeliverable(3, 1), // no payments anywhere
					Say:   func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) },
					Watch: func(demo.Drain) { t.Error("it has seen something") },
				}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				begin := time.Now()
				err := c.part(in, ctx)
				took := time.Since(begin).Round(time.Second)
				if c.ends && (took != time.Minute || !strings.Contains(fmt.Sprint(err), "/books")) || !c.ends && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("after %s it ended with %v", took, err)
				}
				if len(said) != 1 || !strings.Contains(said[0], "for 10s") || !strings.Contains(said[0], "/books") {
					t.Errorf("it said %q", said)
				}
			})
		})
	}
}
