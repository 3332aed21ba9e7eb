package sqlite

import (
	"context"
	"errors"
	"fmt"
)

// Join implements [store.Store]. The node's name is written with its first batch.
func (s *Store) Join(ctx context.Context, _ string) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return 0, err
	}
	w := s.writer
	epoch, err := w.raise()
	if err != nil {
		return 0, fmt.Errorf("joining the store: %w", s.failed(errors.Join(err, w.abort())))
	}
	return epoch, nil
}

// raise begins an epoch, and reads what others have written until then.
func (w *writer) raise() (int64, error) {
	if err := w.finishPending(); err != nil {
		return 0, err
	}
	if err := exec(w.begin); err != nil {
		return 0, err
	}
	if err := w.load(); err != nil {
		return 0, err
	}
	if err := exec(w.join); err != nil {
		return 0, err
	}
	epoch, err := queryInt(w.conn, "SELECT epoch FROM meta")
	if err != nil {
		return 0, err
	}
	if err := exec(w.commit); err != nil {
		return 0, commitError{err}
	}
	return epoch, nil
}
