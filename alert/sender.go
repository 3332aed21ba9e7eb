package alert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
)

// A Sender delivers alerts. Make one with New, then Run it.
type Sender struct {
	cfg   Config
	sinks []*sink
}

// A sink is one that is told; without a speaker it is the log.
type sink struct {
	name    string
	url     string
	place   string // in logs
	speaker speaker
	refresh refresher // nil: it keeps what it was told
	client  *http.Client
}

// A refresher is told again and again what fires.
type refresher interface {
	firing(alerts []unwind.Alert) (*message, error)
}

const (
	// batch is how many notices are read at once.
	batch = 100
	// maxHint bounds a Retry-After.
	maxHint = 5 * time.Minute
)

// Run delivers until ctx ends. Failures are logged and tried again.
func (s *Sender) Run(ctx context.Context) {
	names := make([]string, len(s.sinks))
	for i, k := range s.sinks {
		names[i] = k.name
	}
	for {
		err := s.cfg.Source.AlertSinks(ctx, names)
		if err == nil {
			break
		}
		s.trouble(ctx, "naming the sinks of alerts", err)
		if !pause(ctx, s.cfg.MaxWait) {
			return
		}
	}
	var sinks sync.WaitGroup
	for _, k := range s.sinks {
		sinks.Go(func() { s.serve(ctx, k) })
	}
	sinks.Wait()
}

// serve tells one sink, one notice after another.
func (s *Sender) serve(ctx context.Context, k *sink) {
	if k.client != nil {
		defer k.client.CloseIdleConnections()
	}
	refreshed := time.Now()
	for {
		for s.round(ctx, k) {
		}
		if k.refresh != nil && time.Since(refreshed) >= s.cfg.Refresh {
			s.refreshFiring(ctx, k)
			refreshed = time.Now()
		}
		if !pause(ctx, s.cfg.Poll) {
			return
		}
	}
}

// round delivers one batch; true: there may be more.
func (s *Sender) round(ctx context.Context, k *sink) bool {
	notices, err := s.cfg.Source.PendingAlerts(ctx, k.name, batch)
	if err != nil {
		s.trouble(ctx, "reading the alerts to be delivered", err)
		return false
	}
	for i := range notices {
		if err := s.tell(ctx, k, &notices[i]); err != nil {
			return false // ctx is done
		}
		if err := s.cfg.Source.AlertsDelivered(ctx, k.name, notices[i].Seq); err != nil {
			s.trouble(ctx, "recording that an alert was delivered; it will be sent again", err)
			return false
		}
	}
	return len(notices) == batch
}

// tell makes the call that tells of a notice until it is acknowledged or ctx ends.
func (s *Sender) tell(ctx context.Context, k *sink, n *engine.Notice) error {
	if k.speaker == nil {
		what := "alert"
		if n.Ended {
			what = "alert is over"
		}
		s.cfg.Logger.Warn(what, "kind", n.Kind, "service", n.Service, "saga", n.SagaID, "message", n.Message, "runbook", n.Runbook, "link", n.Link)
		return nil
	}
	policy := retrypolicy.NewBuilder[any]().WithMaxRetries(-1).
		WithBackoff(s.cfg.Wait, s.cfg.MaxWait).WithJitterFactor(0.1).
		WithDelayFunc(func(at failsafe.ExecutionAttempt[any]) time.Duration {
			var r *refusal
			if errors.As(at.LastError(), &r) && r.after > 0 {
				return r.after + r.after/8 // the jitter may take as much away
			}
			return -1 // the backoff's
		}).
		OnRetryScheduled(func(e failsafe.ExecutionScheduledEvent[any]) {
			s.cfg.Logger.Error("delivering an alert; it will be tried again", "sink", k.place, "alert", n.ID, "again_in", e.Delay.Round(time.Millisecond), "error", e.LastError())
		}).Build()
	return failsafe.With(policy).WithContext(ctx).Run(func() error { //nolint:wrapcheck // it only says that ctx is done
		m, err := k.speaker.say(n)
		if err != nil {
			return fmt.Errorf("writing the alert: %w", err)
		}
		return s.post(ctx, k, m)
	})
}

// refreshFiring tells a sink what fires, once: the next refresh makes up for a failure.
func (s *Sender) refreshFiring(ctx context.Context, k *sink) {
	f := unwind.AlertFilter{Firing: true, Page: unwind.Page{Limit: batch}}
	for {
		list, err := s.cfg.Source.Alerts(ctx, f)
		if err == nil && len(list.Items) > 0 {
			var m *message
			if m, err = k.refresh.firing(list.Items); err == nil {
				err = s.post(ctx, k, m)
			}
		}
		if err != nil {
			s.trouble(ctx, "telling "+k.place+" what fires", err)
			return
		}
		if f.Cursor = list.NextCursor; f.Cursor == "" {
			return
		}
	}
}

// A refusal is an answer that does not acknowledge.
type refusal struct {
	status string
	after  time.Duration
}

func (r *refusal) Error() string {
	return "the sink answered " + r.status + "; it must answer 2xx to acknowledge"
}

func (s *Sender) post(ctx context.Context, k *sink, m *message) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, k.url, bytes.NewReader(m.body))
	if err != nil {
		return fmt.Errorf("calling the sink: %w", withoutURL(err))
	}
	for name, v := range m.header {
		req.Header[name] = v
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "unwind")
	resp, err := k.client.Do(req)
	if err != nil {
		return fmt.Errorf("calling the sink: %w", withoutURL(err))
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return &refusal{resp.Status, hint(resp)}
	}
	return nil
}

// hint reads Retry-After: seconds or a date, bounded; 0: there is none.
func hint(resp *http.Response) time.Duration {
	text := resp.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(min(max(seconds, 0), int(maxHint/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(time.Until(at), 0), maxHint)
	}
	return 0
}

// trouble logs what failed, unless it is the end.
func (s *Sender) trouble(ctx context.Context, doing string, err error) {
	if ctx.Err() == nil {
		s.cfg.Logger.Error(doing, "error", err)
	}
}

// pause waits; false: ctx is done.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// withoutURL takes the address off an error of net/http or net/url.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
