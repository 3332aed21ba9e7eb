package engine

import "time"

// One round of a purge deletes at most so many of each kind. Where there may be more
// the next round comes after a pause, in which commits get their turn.
const (
	purgeBatch = 200
	purgePause = 50 * time.Millisecond
	purgeIdle  = time.Minute
)

// purgeLoop deletes what is past its retention.
func (e *Engine) purgeLoop() {
	defer e.workers.Done()
	if e.cfg.Retention < 0 {
		return
	}
	if !e.untilReleased() { // all of it may be wanted for a comparison
		return
	}
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-e.ctx.Done():
			return
		case <-e.stopped:
			return
		}
		if e.purge() {
			timer.Reset(purgePause)
		} else {
			timer.Reset(purgeIdle)
		}
	}
}

// purge deletes sagas and alerts past their retention, and frees the keys of sagas
// that are gone; true: there may be more.
func (e *Engine) purge() (more bool) {
	now := int64(e.clock.now())
	sagas, keys := now-int64(micros(e.cfg.Retention)), int64(0)
	if e.cfg.KeyRetention >= 0 {
		keys = now - int64(micros(e.cfg.KeyRetention))
	}
	for _, of := range []struct {
		doing string
		purge func() (int, error)
	}{
		{"deleting sagas past their retention", func() (int, error) { return e.store.Purge(e.ctx, e.epoch, sagas, keys, purgeBatch) }},
		{"freeing keys past their retention", func() (int, error) { return e.store.PurgeKeys(e.ctx, e.epoch, keys, purgeBatch) }},
		{"deleting alerts past their retention", func() (int, error) { return e.store.PurgeAlerts(e.ctx, e.epoch, sagas, purgeBatch) }},
	} {
		n, err := of.purge()
		if err != nil && e.ctx.Err() == nil {
			e.cfg.Logger.Error(of.doing, "error", err)
		}
		more = more || n == purgeBatch
	}
	return more
}
