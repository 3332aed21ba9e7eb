package memory

import (
	"bytes"
	"context"
	"maps"
	"slices"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

func (s *Store) setControl(c store.Control) {
	if c.Empty() {
		delete(s.controls, c.Scope)
		return
	}
	c.Settings = bytes.Clone(c.Settings)
	s.controls[c.Scope] = c
}

func (s *Store) setFlow(f store.FlowState) {
	if len(f.Body) == 0 {
		delete(s.flow, f.Scope)
		return
	}
	s.flow[f.Scope] = bytes.Clone(f.Body)
}

// Controls implements [store.Store].
func (s *Store) Controls(ctx context.Context) ([]store.Control, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	controls := make([]store.Control, 0, len(s.controls))
	for _, scope := range slices.SortedFunc(maps.Keys(s.controls), unwind.Scope.Compare) {
		c := s.controls[scope]
		c.Settings = bytes.Clone(c.Settings)
		controls = append(controls, c)
	}
	return controls, nil
}

// FlowStates implements [store.Store].
func (s *Store) FlowStates(ctx context.Context) ([]store.FlowState, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	states := make([]store.FlowState, 0, len(s.flow))
	for _, scope := range slices.SortedFunc(maps.Keys(s.flow), unwind.Scope.Compare) {
		states = append(states, store.FlowState{Scope: scope, Body: bytes.Clone(s.flow[scope])})
	}
	return states, nil
}
