// Package storetest holds every [store.Store] to the same behaviour.
//
// [Run] plays the contract through, behaviour by behaviour, each under the
// guarantee it holds (docs/guarantees.md); [RunReopen] adds what a store on disk
// owes across a restart; [Differential] replays random operations against two
// stores and compares every answer. The behaviours read as the specification:
// suite.go lists them.
package storetest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

// Run holds the stores that open makes to the contract. Each behaviour opens an
// empty store and closes it.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, b := range suite {
		t.Run(b.String(), func(t *testing.T) {
			b.test(newScene(t, open(t)))
		})
	}
}

// A behaviour is one promise of the contract and the test that holds it.
type behaviour struct {
	guarantee string // as docs/guarantees.md names it; Store where it is the interface's own
	name      string
	test      func(*scene)
}

func (b behaviour) String() string { return titled(b.guarantee, b.name) }

func titled(guarantee, name string) string {
	return guarantee + "/" + strings.ReplaceAll(name, " ", "-")
}

// A scene is one store that one writer has joined.
type scene struct {
	*testing.T
	store.Store
	epoch int64
	now   int64 // microseconds; each transition and row takes the next second
	ids   *id.Source
}

const second = 1_000_000

// begin is when scenes begin: 2026-01-01.
const begin = 1_767_225_600 * second

func newScene(t *testing.T, st store.Store) *scene {
	t.Helper()
	s := &scene{T: t, Store: &closeOnce{Store: st}, now: begin}
	t.Cleanup(s.closed)
	s.ids = newIDs(func() int64 { return s.now })
	s.join()
	return s
}

// reopened is the scene on a store that holds what the last one left, as the
// next process finds it: nobody has joined yet.
func (s *scene) reopened(st store.Store) *scene {
	next := &scene{T: s.T, Store: &closeOnce{Store: st}, epoch: s.epoch, now: s.now}
	next.Cleanup(next.closed)
	next.ids = newIDs(func() int64 { return next.tick() })
	return next
}

func (s *scene) closed() {
	if err := s.Close(); err != nil {
		s.Errorf("closing the store: %v", err)
	}
}

// closeOnce lets a behaviour close its store early.
type closeOnce struct {
	store.Store
	once sync.Once
	err  error
}

func (c *closeOnce) Close() error {
	c.once.Do(func() { c.err = c.Store.Close() })
	return c.err
}

// newIDs makes ids on a clock in microseconds, the same ones in every run.
func newIDs(now func() int64) *id.Source {
	random := rand.New(rand.NewPCG(1, 2))
	return id.NewSource(func() time.Time { return time.UnixMicro(now()) }, random.Uint64)
}

func (s *scene) join() {
	s.Helper()
	epoch, err := s.Join(s.Context(), "node-a")
	if err != nil {
		s.Fatalf("joining: %v", err)
	}
	s.epoch = epoch
}

// tick returns the next second.
func (s *scene) tick() int64 {
	s.now += second
	return s.now
}

// start returns a new saga's first transition.
func (s *scene) start(name, tenant, key, input string) store.Transition {
	at := s.tick()
	return store.Transition{
		Saga: s.ids.New(id.SlotOf(id.KeyHash(tenant, name, key))),
		Start: &store.Start{
			Name: name, Version: "sha256:" + name, Tenant: tenant, Key: key,
			KeyHash: id.KeyHash(tenant, name, key), Input: []byte(input), InputDigest: sha256.Sum256([]byte(input)),
		},
		Version: 1, State: []byte("state 1"), Due: store.Active, SetDue: true, At: at, Journal: []byte(`[{"k":"saga_started"}]`),
	}
}

// anonymous returns a start without a key.
func (s *scene) anonymous() store.Transition { return s.start("place-order", "", "", `{}`) }

// then returns the transition that follows.
func (s *scene) then(after store.Transition) store.Transition {
	v := after.Version + 1
	return store.Transition{
		Saga: after.Saga, Version: v, Phase: after.Phase, At: s.tick(),
		State: fmt.Appendf(nil, "state %d", v), Journal: fmt.Appendf(nil, `[{"k":"step","n":%d}]`, v),
	}
}

// commit writes the transitions in one batch and returns their outcomes.
func (s *scene) commit(ts ...store.Transition) []store.Result {
	s.Helper()
	return s.write(&store.Batch{Transitions: ts})
}

// write commits the batch under the scene's epoch, node and clock.
func (s *scene) write(b *store.Batch) []store.Result {
	s.Helper()
	b.Epoch, b.Node, b.At = s.epoch, "node-a", s.now
	results, err := s.Commit(s.Context(), b)
	if err != nil {
		s.Fatalf("committing %d transitions: %v", len(b.Transitions), err)
	}
	if len(results) != len(b.Transitions) {
		s.Fatalf("%d transitions got %d answers", len(b.Transitions), len(results))
	}
	return results
}

// committed writes one transition, which must not conflict, and returns it.
func (s *scene) committed(t store.Transition) store.Transition {
	s.Helper()
	s.is("the outcome", s.commit(t)[0], store.Result{Outcome: store.Committed})
	return t
}

func (s *scene) load(saga id.ID) store.Saga {
	s.Helper()
	return must(s.Load(s.Context(), saga))(s)
}

// is fails unless both render alike.
func (s *scene) is(what string, got, want any) {
	s.Helper()
	if d := difference(render(got), render(want)); d != "" {
		s.Fatalf("%s is not what it should be (- got, + want):\n%s", what, d)
	}
}

// must fails on the error of a call and returns its result.
func must[T any](v T, err error) func(s *scene) T {
	return func(s *scene) T {
		s.Helper()
		if err != nil {
			s.Fatal(err)
		}
		return v
	}
}

// mustPage is must for calls that answer with a cursor.
func mustPage[T any](rows []T, next string, err error) func(s *scene) ([]T, string) {
	return func(s *scene) ([]T, string) {
		s.Helper()
		if err != nil {
			s.Fatal(err)
		}
		return rows, next
	}
}

// pages follows the cursors of a list to its end, in pages of the given size.
func pages[T any](s *scene, size int, page func(cursor string, limit int) ([]T, string, error)) []T {
	s.Helper()
	var all []T
	for cursor := ""; ; {
		rows, next := mustPage(page(cursor, size))(s)
		if len(rows) > size {
			s.Fatalf("a page of %d rows was asked for and %d came", size, len(rows))
		}
		if all = append(all, rows...); next == "" {
			return all
		}
		if len(rows) < size {
			s.Fatalf("a page of %d rows was not the last and held %d", size, len(rows))
		}
		cursor = next
	}
}

// cancelled returns a context that is done.
func (s *scene) cancelled() context.Context {
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	return ctx
}

func sagaIDs(sagas []store.Saga) []id.ID {
	ids := make([]id.ID, len(sagas))
	for i := range sagas {
		ids[i] = sagas[i].ID
	}
	return ids
}

func idsOf(ts []store.Transition) []id.ID {
	ids := make([]id.ID, len(ts))
	for i := range ts {
		ids[i] = ts[i].Saga
	}
	return ids
}
