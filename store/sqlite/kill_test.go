package sqlite

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	osexec "os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/planted"
	"github.com/unwindhq/unwind/store"
)

var crashKills = flag.Int("crash.kills", 20, "how many times to kill a writing process")

// victimDir in the environment makes this test binary a process that writes until
// it is killed, and prints what it was told is durable.
const (
	victimDir = "UNWIND_TEST_VICTIM"
	victimBug = "UNWIND_TEST_VICTIM_BUG"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(victimDir); dir != "" {
		plant(planted.Bug(os.Getenv(victimBug)))
		fmt.Fprintln(os.Stderr, victim(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// victim writes until it is killed.
func victim(dir string) error {
	ctx := context.Background()
	s, err := open(ctx, tightConfig(dir), tightBuckets)
	if err != nil {
		return err
	}
	epoch, err := s.Join(ctx, "victim")
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(rand.Uint64(), 0))
	w := &walker{ids: id.NewSource(nil, nil), r: r, epoch: epoch}
	out := bufio.NewWriter(os.Stdout)
	for {
		b := w.batch(1 + r.IntN(30))
		if _, err := s.Commit(ctx, b); err != nil {
			return err
		}
		for i := range b.Transitions {
			t := &b.Transitions[i]
			fmt.Fprintf(out, "%s %d %s\n", t.Saga, t.Version, w.keys[t.Saga])
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
}

// TestCrashKill kills a writing process, again and again, on one file.
func TestCrashKill(t *testing.T) {
	kills := *crashKills
	if testing.Short() {
		kills /= 5
	}
	if err := killsHold(t, kills, ""); err != nil {
		t.Error(err)
	}
}

func killsHold(t *testing.T, kills int, bug planted.Bug) error {
	dir := t.TempDir()
	told := &record{ended: map[id.ID]bool{}}
	r := rand.New(rand.NewPCG(rand.Uint64(), 0))
	for kill := range kills {
		before := len(told.acks)
		if err := killVictim(t, dir, bug, 1+r.IntN(2000), told); err != nil {
			return err
		}
		if err := recovered(t.Context(), dir, told, 0); err != nil {
			return fmt.Errorf("after kill %d and %d acknowledgements: %w", kill, len(told.acks)-before, err)
		}
	}
	t.Logf("%d transitions were acknowledged over %d kills", len(told.acks), kills)
	return nil
}

// killVictim starts a victim, kills it after so many acknowledgements, and takes
// down those that it had still written.
func killVictim(t *testing.T, dir string, bug planted.Bug, after int, told *record) error {
	cmd := osexec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), victimDir+"="+dir, victimBug+"="+string(bug))
	said := &strings.Builder{}
	cmd.Stderr = said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewReader(out)
	for n := 0; ; n++ {
		if n == after {
			if err := cmd.Process.Kill(); err != nil {
				return err
			}
		}
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			break // the last line may be half of one
		}
		if err != nil {
			return err
		}
		a, err := parseAcknowledged(line)
		if err != nil {
			return err
		}
		told.acks = append(told.acks, a)
	}
	if err := cmd.Wait(); cmd.ProcessState.Exited() {
		return fmt.Errorf("the victim ended by itself: %w: %s", err, said)
	}
	return nil
}

func parseAcknowledged(line string) (a acknowledged, err error) {
	fields := strings.Fields(line)
	if len(fields) != 3 {
		return a, fmt.Errorf("the victim wrote %q", line)
	}
	if a.saga, err = id.Parse(fields[0]); err != nil {
		return a, err
	}
	a.version, err = strconv.ParseUint(fields[1], 10, 64)
	a.key = fields[2]
	return a, err
}

// A failed fsync is never tried again: the store ends.
func TestFailedFsyncIsFatal(t *testing.T) {
	d := newDisk(t)
	s := opened(t, d.dir)
	l := newLoad(t, s)
	l.step(10)
	d.refuseSyncs()
	before := d.syncs
	b := &store.Batch{Epoch: l.epoch, Node: "node-a", Transitions: l.batch[:0]}
	b.Alerts = []store.Alert{{Kind: "dead_letter"}}
	_, err := s.Commit(t.Context(), b)
	if !errors.Is(err, store.ErrFatal) {
		t.Fatalf("committing while the disk fails to sync: %v", err)
	}
	if d.syncs != before+1 {
		t.Fatalf("it was synced %d times; once is all that is safe", d.syncs-before)
	}
	if _, err := s.Commit(t.Context(), b); !errors.Is(err, store.ErrFatal) {
		t.Fatalf("committing after a failed fsync: %v", err)
	}
	if _, err := s.Stats(t.Context()); !errors.Is(err, store.ErrFatal) {
		t.Fatalf("reading after a failed fsync: %v", err)
	}
	if d.syncs != before+1 {
		t.Fatalf("it was synced %d times in all", d.syncs-before)
	}
	_ = s.Close() // its checkpoint fails as well
}

// The checkpoint's fsync is as good as a commit's: SQLite would forget it.
func TestFailedFsyncOfACheckpointIsFatal(t *testing.T) {
	d := newDisk(t)
	s := opened(t, d.dir)
	l := newLoad(t, s)
	l.step(100)
	d.refuseSyncs()
	if err := s.failed(checkpoint(s.checkpoints.conn)); !errors.Is(err, store.ErrFatal) {
		t.Fatalf("the checkpoint: %v", err)
	}
	if _, err := s.Commit(t.Context(), &store.Batch{Epoch: l.epoch}); !errors.Is(err, store.ErrFatal) {
		t.Fatalf("committing after it: %v", err)
	}
	_ = s.Close()
}

// Every commit is one fsync.
func TestCommitIsOneFsync(t *testing.T) {
	d := newDisk(t)
	s := opened(t, d.dir)
	defer closed(t, s)
	l := newLoad(t, s)
	for _, size := range []int{1, 10, 500} {
		l.step(size)
		before := d.syncs
		l.step(size)
		if d.syncs != before+1 {
			t.Errorf("a batch of %d took %d fsyncs", size, d.syncs-before)
		}
	}
}
