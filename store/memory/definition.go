package memory

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/unwindhq/unwind/store"
)

// PutDefinition implements [store.Store].
func (s *Store) PutDefinition(ctx context.Context, epoch int64, d store.Definition, audit store.Audit) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(ctx, epoch); err != nil {
		return false, err
	}
	revisions := s.definitions[d.Name]
	if n := len(revisions); n > 0 && revisions[n-1].Version == d.Version {
		return false, nil
	}
	revisions = slices.DeleteFunc(revisions, func(r store.Definition) bool { return r.Version == d.Version })
	if s.definitions == nil {
		s.definitions = map[string][]store.Definition{}
	}
	d.Body = bytes.Clone(d.Body)
	s.definitions[d.Name] = append(revisions, d)
	s.addAudit(&audit)
	return true, nil
}

// Definition implements [store.Store].
func (s *Store) Definition(ctx context.Context, name, version string) (store.Definition, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return store.Definition{}, err
	}
	for _, d := range slices.Backward(s.definitions[name]) {
		if version == "" || version == d.Version {
			d.Body = bytes.Clone(d.Body)
			return d, nil
		}
	}
	return store.Definition{}, fmt.Errorf("finding version %q of the definition %q: %w", version, name, store.ErrNotFound)
}

// Definitions implements [store.Store].
func (s *Store) Definitions(ctx context.Context) ([]store.Definition, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	newest := make([]store.Definition, 0, len(s.definitions))
	for _, name := range slices.Sorted(maps.Keys(s.definitions)) {
		revisions := s.definitions[name]
		d := revisions[len(revisions)-1]
		d.Body = bytes.Clone(d.Body)
		newest = append(newest, d)
	}
	return newest, nil
}
