package sqlite

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

var (
	crashImages = flag.Int("crash.images", 150, "how many crash images to open")
	crashSeed   = flag.Uint64("crash.seed", 0, "the seed of crash images; 0: a new one")
)

// An acknowledged transition, and how many ops of the disk came before its
// acknowledgement.
type acknowledged struct {
	saga    id.ID
	version uint64
	key     string
	ops     int
}

// A record is what a writer was told.
type record struct {
	acks  []acknowledged
	ended map[id.ID]bool // these may have been purged since
}

// TestCrashImages cuts the power at any write and opens what the disk could hold.
func TestCrashImages(t *testing.T) {
	images := *crashImages
	if testing.Short() {
		images /= 10
	}
	if err := crashImagesHold(t, images); err != nil {
		t.Error(err)
	}
}

// crashImagesHold writes a history, and then opens images of its disk until one
// is not what was promised.
func crashImagesHold(t *testing.T, images int) error {
	seed := *crashSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-crash.seed=%d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	d := newDisk(t)
	told := writeHistory(t, d, r)
	for i := range images {
		n := r.IntN(len(d.ops) + 1)
		dir := t.TempDir()
		d.powerCut(t, dir, n, r)
		if err := recovered(t.Context(), dir, told, n); err != nil {
			return fmt.Errorf("image %d, after %d of %d writes: %w", i, n, len(d.ops), err)
		}
	}
	return nil
}

// tightConfig makes everything that is rare happen often.
func tightConfig(dir string) Config {
	return Config{Path: filepath.Join(dir, "unwind.db"), ReadConns: 1, CacheMiB: 1, CheckpointPages: 40, RecentSagas: 30}
}

const tightBuckets = 40

func writeHistory(t *testing.T, d *disk, r *rand.Rand) *record {
	s, err := open(t.Context(), tightConfig(d.dir), tightBuckets)
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	epoch, err := s.Join(t.Context(), "node-a")
	if err != nil {
		t.Fatal(err)
	}
	told := &record{ended: map[id.ID]bool{}}
	w := &walker{ids: id.NewSource(nil, r.Uint64), r: r, epoch: epoch}
	for range 120 {
		b := w.batch(1 + r.IntN(12))
		if _, err := s.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		for i := range b.Transitions {
			told.add(&b.Transitions[i], w.keys[b.Transitions[i].Saga], d.recorded())
		}
		if r.IntN(40) == 0 {
			// What is purged was acknowledged and is rightly gone, but for its key.
			if _, err := s.Purge(t.Context(), epoch, w.at-200, 0, 3); err != nil {
				t.Fatal(err)
			}
		}
	}
	return told
}

// A walker makes batches that all commit.
type walker struct {
	ids   *id.Source
	r     *rand.Rand
	epoch int64
	at    int64
	live  []moving
	n     int
	keys  map[id.ID]string
}

// joined walks as a node that has just joined the store.
func joined(t *testing.T, s *Store) *walker {
	t.Helper()
	epoch, err := s.Join(t.Context(), "node-a")
	if err != nil {
		t.Fatal(err)
	}
	return &walker{ids: id.NewSource(nil, nil), r: random(), epoch: epoch}
}

func (w *walker) batch(size int) *store.Batch {
	if w.keys == nil {
		w.keys = map[id.ID]string{}
	}
	b := &store.Batch{Epoch: w.epoch, Node: "node-a", At: w.at}
	for range size {
		w.at++
		t := store.Transition{At: w.at, State: make([]byte, w.r.IntN(90)), Journal: make([]byte, w.r.IntN(900))}
		if len(w.live) == 0 || w.r.IntN(3) == 0 {
			w.n++
			key := fmt.Sprintf("%x-%d", w.r.Uint32(), w.n)
			t.Saga, t.Version = w.ids.New(0), 1
			t.Start = &store.Start{Name: "place-order", Version: "1", Key: key, KeyHash: id.KeyHash("", "place-order", key), Input: make([]byte, w.r.IntN(200))}
			w.keys[t.Saga] = key
			w.live = append(w.live, moving{t.Saga, 1})
		} else {
			i := w.r.IntN(len(w.live))
			m := &w.live[i]
			m.version++
			t.Saga, t.Version = m.saga, m.version
			if t.Version > 3 && w.r.IntN(3) == 0 {
				t.Phase, t.SetDue, t.Due = uint8(machine.Completed), true, store.AtRest
				w.live = append(w.live[:i], w.live[i+1:]...)
			}
		}
		b.Transitions = append(b.Transitions, t)
	}
	return b
}

func (r *record) add(t *store.Transition, key string, ops int) {
	r.acks = append(r.acks, acknowledged{t.Saga, t.Version, key, ops})
	if t.Phase == uint8(machine.Completed) {
		r.ended[t.Saga] = true
	}
}

// recovered opens a store and holds it against what its writer was told before
// the first n writes: G1.
func recovered(ctx context.Context, dir string, told *record, n int) (err error) {
	s, err := open(ctx, tightConfig(dir), tightBuckets)
	if err != nil {
		return fmt.Errorf("opening: %w", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.read(ctx, whole); err != nil {
		return err
	}
	last := map[id.ID]acknowledged{}
	for _, a := range told.acks {
		if a.ops <= n {
			last[a.saga] = a
		}
	}
	for _, a := range last {
		saga, err := s.Load(ctx, a.saga)
		purged := errors.Is(err, store.ErrNotFound) && told.ended[a.saga]
		if err != nil && !purged {
			return fmt.Errorf("saga %s was acknowledged at version %d: %w", a.saga, a.version, err)
		}
		if saga.Version < a.version && !purged {
			return fmt.Errorf("saga %s was acknowledged at version %d and is at %d", a.saga, a.version, saga.Version)
		}
		if found, err := s.FindKey(ctx, "", "place-order", a.key); err != nil || found.Saga != a.saga || found.Purged != purged {
			return fmt.Errorf("the key of saga %s finds %+v: %w", a.saga, found, err)
		}
	}
	return nil
}

// whole checks the file, and the counts against what they count.
func whole(conn *sqlite.Conn) error {
	err := each(conn, "PRAGMA integrity_check", func(s *sqlite.Stmt) error {
		if text := s.ColumnText(0); text != "ok" {
			return errors.New(text)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("the file is damaged: %w", err)
	}
	wrong, err := queryInt(conn, `SELECT count(*) FROM meta WHERE running <> (SELECT count(*) FROM saga WHERE phase = 0)
		OR completed <> (SELECT count(*) FROM saga WHERE phase = 2)`)
	if err == nil && wrong != 0 {
		err = errors.New("the counts of sagas are wrong")
	}
	return err
}
