package sim

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	oneSeed   = flag.Uint64("sim.seed", 0, "run the schedule of this seed alone, with its trace")
	schedules = flag.Int("sim.schedules", 1500, "how many schedules are run")
	baseSeed  = flag.Uint64("sim.base", 0, "the first seed; 0: one that no run had before")
	noFaults  = flag.Bool("sim.nofaults", false, "take all faults out of the schedules")
)

// TestSimulation holds G1 to G14 and liveness over random schedules.
func TestSimulation(t *testing.T) {
	if *oneSeed != 0 {
		s := NewSchedule(*oneSeed)
		if *noFaults {
			s.Swarm = 0
		}
		r, trace := Trace(s, 1<<20)
		for _, l := range trace {
			t.Log(l)
		}
		if r.Failed() {
			t.Error(explain(s, &r))
		}
		return
	}
	base := *baseSeed
	if base == 0 {
		base = uint64(time.Now().UnixNano())
	}
	known := corpus(t)
	next := func(i int) uint64 {
		if i < len(known) {
			return known[i]
		}
		return base + uint64(i-len(known))
	}
	total := explore(len(known)+*schedules, next, 5, func(*Schedule) {})
	t.Logf("base seed %d: %s", base, total)
	for i := range total.failed {
		f := &total.failed[i]
		shrunk := Shrink(f.schedule, f.result.Violations[0].Guarantee, 400)
		r, trace := Trace(shrunk, 120)
		t.Errorf("%s\nshrunk to:\n%s\nits last decisions:\n%s\nreproduce: go test ./sim -run TestSimulation -sim.seed=%d -v",
			explain(f.schedule, &f.result), explain(shrunk, &r), strings.Join(trace, "\n"), f.schedule.Seed)
	}
}

// TestSameSeedSameRun: a schedule has one outcome, or nothing could be reproduced.
func TestSameSeedSameRun(t *testing.T) {
	for seed := range uint64(40) {
		a, one := Trace(NewSchedule(seed+1), 1<<20)
		b, two := Trace(NewSchedule(seed+1), 1<<20)
		if a.Events != b.Events || strings.Join(one, "\n") != strings.Join(two, "\n") {
			t.Fatalf("seed %d ran in two ways", seed+1)
		}
	}
}

// corpus are seeds that failed once.
func corpus(t testing.TB) (seeds []uint64) {
	t.Helper()
	f, err := os.Open("testdata/seeds.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		text, _, _ := strings.Cut(lines.Text(), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("reading testdata/seeds.txt: %v", err)
		}
		seeds = append(seeds, seed)
	}
	return seeds
}

func explain(s *Schedule, r *Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s", s)
	for i := range r.Violations {
		v := &r.Violations[i]
		fmt.Fprintf(&b, "%s saga %s: %s\n", v.Guarantee, v.Saga, v.Message)
		for _, p := range v.Proof {
			fmt.Fprintf(&b, "    %s\n", p)
		}
	}
	return b.String()
}

// A tally is what came of many schedules.
type tally struct {
	schedules, events, small int64
	faults                   Counts
	failed                   []failure
	took                     time.Duration
}

type failure struct {
	schedule *Schedule
	result   Result
}

// explore runs schedules on all processors until all are done or some have failed.
func explore(n int, seed func(i int) uint64, enough int, change func(*Schedule)) (total tally) {
	begin := time.Now()
	var at atomic.Int64
	var mu sync.Mutex
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			var mine tally
			for {
				i := int(at.Add(1)) - 1
				mu.Lock()
				stop := i >= n || len(total.failed) >= enough
				mu.Unlock()
				if stop {
					break
				}
				s := NewSchedule(seed(i))
				if *noFaults {
					s.Swarm = 0
				}
				change(s)
				r := Run(s)
				mine.schedules++
				mine.events += int64(r.Events)
				mine.faults.add(&r.Faults)
				if r.Events < 20 || r.Faults.Total() == 0 {
					mine.small++
				}
				if r.Failed() {
					mu.Lock()
					total.failed = append(total.failed, failure{s, r})
					mu.Unlock()
				}
			}
			mu.Lock()
			defer mu.Unlock()
			total.schedules += mine.schedules
			total.events += mine.events
			total.small += mine.small
			total.faults.add(&mine.faults)
		})
	}
	all.Wait()
	total.took = time.Since(begin)
	return total
}

func (t tally) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d schedules (%d without a fault or with fewer than 20 events), %d events each, %d violations, %.0f schedules/s\nfaults:",
		t.schedules, t.small, t.events/max(t.schedules, 1), len(t.failed), float64(t.schedules)/t.took.Seconds())
	for f := range faults {
		fmt.Fprintf(&b, " %s %d,", f, t.faults[f])
	}
	return strings.TrimSuffix(b.String(), ",")
}
