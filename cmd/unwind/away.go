package main

import (
	"context"
	"errors"
	"time"

	"github.com/unwindhq/unwind"
)

const (
	// awayFirst and awayMost bound the waits between two looks for a server that is away.
	awayFirst = 500 * time.Millisecond
	awayMost  = 5 * time.Second
)

// A watch reads from a server again and again, and outlasts its absence: a restart, a
// deploy, a cable. The zero value has not reached it yet.
type watch struct {
	reached bool
	since   time.Time // it is away; zero: it is not
	wait    time.Duration
}

// read reads. Where the server is away it says so and reads anew, later and later, until it
// is back; fresh begins a line for that. A server that was never reached is an error at
// once: it may be the wrong one.
func (a *app) read(ctx context.Context, w *watch, fresh func(), read func() error) error {
	for {
		err := read()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			if !w.since.IsZero() {
				fresh()
				a.say("the server is back after %s", time.Since(w.since).Round(time.Second))
			}
			*w = watch{reached: true}
			return nil
		}
		if !w.reached || !mayComeBack(err) {
			return err
		}
		if w.since.IsZero() {
			w.since, w.wait = time.Now(), awayFirst
			fresh()
			a.say("the server is away; this goes on when it is back, and Ctrl-C ends it\n%v", err)
		}
		timer := time.NewTimer(w.wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		w.wait = min(2*w.wait, awayMost)
	}
}

// mayComeBack reports whether an error is one of a server that is away for now.
func mayComeBack(err error) bool {
	var u *unwind.Error
	if !errors.As(err, &u) {
		return false
	}
	return u.Code == unwind.Unreachable || u.Code == unwind.StoreUnavailable || u.Code == unwind.Overloaded
}
