package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/client"
	"github.com/unwindhq/unwind/internal/demo"
	"github.com/unwindhq/unwind/sagatest/history"
)

var (
	crashCycles = flag.Int("crash.cycles", 40, "how often TestCrashLoop kills the server")
	crashSeed   = flag.Uint64("crash.seed", 0, "the seed of its faults and moments; 0: another every time")
	crashKeep   = flag.String("crash.keep", "", "keep the folder of its history here")
)

const crashConfig = `
services:
  inventory: {url: %s, timeout: 300ms, status: /status, forward: {concurrency: 16}, compensation: {rate: 300/s, concurrency: 100}}
  payments:  {url: %s, timeout: 300ms, status: /status, forward: {concurrency: 16}, compensation: {rate: 300/s, concurrency: 100}}
  shipping:  {url: %s, timeout: 300ms, status: /status, forward: {concurrency: 16}, compensation: {rate: 300/s, concurrency: 100}}
sagas:
  place-order:
    retry: {initial: 20ms, max: 200ms, attempts: 12}
    compensation_retry: {initial: 20ms, max: 200ms, attempts: 30}
    steps:
      - name: reserve-stock
        action:       {service: inventory, path: /reserve}
        compensation: {service: inventory, path: /release}
      - name: charge-payment
        action:       {service: payments, path: /charge}
        compensation: {service: payments, path: /refund, priority: money}
      - name: create-shipment
        action:       {service: shipping, path: /ship}
        compensation: {service: shipping, path: /cancel}
`

// TestCrashLoop kills the server with -9 again and again while customers place
// orders over a network that loses calls and answers. In the end everything must
// come to rest, the history of all three parties must keep every promise, and
// the participants' books must add up.
func TestCrashLoop(t *testing.T) {
	cycles, seed := *crashCycles, *crashSeed
	if testing.Short() {
		cycles = min(cycles, 4)
	}
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("%d cycles; this run again, but for the moments: -crash.seed %d", cycles, seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	dir := *crashKeep
	if dir == "" {
		dir = t.TempDir()
	}
	w := openTown(t, dir, rng)
	s := newCrashServer(t, dir, w)
	log, err := history.OpenRecorder(filepath.Join(dir, "client.jsonl"), "customers")
	if err != nil {
		t.Fatal(err)
	}
	c := &customers{t: t, client: s.client, log: log, orders: demo.Orders(60*cycles, seed)}
	shopping, closing := context.WithCancel(t.Context())
	var crowd sync.WaitGroup
	for range 4 {
		mine := rand.New(rand.NewPCG(rng.Uint64(), 2))
		crowd.Go(func() { c.shop(shopping, mine) })
	}
	for range cycles {
		s.start()
		// Half of the kills come as the server takes up what was unfinished.
		pause(time.Duration(rng.IntN(1+300*rng.IntN(2))) * time.Millisecond)
		s.process.kill()
	}
	s.start()
	closing()
	crowd.Wait()
	w.calm()
	s.settle(c)
	s.judge(dir, log)
	s.audit(w)
	s.process.signal(15)
	if code := s.process.wait(); code != 0 {
		t.Errorf("the server ends with %d", code)
	}
}

// A crashServer is the server under test, one process after another.
type crashServer struct {
	t       *testing.T
	args    []string
	url     string
	client  *client.Client
	process *child
}

func newCrashServer(t *testing.T, dir string, w *town) *crashServer {
	t.Helper()
	file := filepath.Join(dir, "unwind.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, crashConfig, w.urls[demo.Inventory], w.urls[demo.Payments], w.urls[demo.Shipping]), 0o600); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	cl, err := client.New(client.Config{URL: "http://" + address, Attempts: 1, HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	return &crashServer{t: t, url: "http://" + address, client: cl,
		args: []string{"serve", "--config", file, "--listen", address, "--store", "sqlite:" + filepath.Join(dir, "unwind.db")}}
}

func (s *crashServer) start() {
	s.t.Helper()
	s.process = launch(s.t, s.args...)
	eventuallyTrue(s.t, "the server", func() bool {
		select {
		case err := <-s.process.ended:
			s.t.Fatalf("the server ended: %v\n%s", err, s.process.stderr.String())
		default:
		}
		return ready(s.url)
	})
}

// settle waits until every saga is at rest, and has dead letters replayed until
// there is none.
func (s *crashServer) settle(c *customers) {
	s.t.Helper()
	replays := 0
	for begin := time.Now(); time.Since(begin) < 2*patience; pause(20 * time.Millisecond) {
		stats, err := s.client.Stats(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		if stats.Sagas[unwind.Running]+stats.Sagas[unwind.Compensating] > 0 {
			continue
		}
		dead, err := s.client.DeadLetters(s.t.Context(), unwind.DeadLetterFilter{State: unwind.DeadLetterOpen, Page: unwind.Page{Limit: 1000}})
		if err != nil {
			s.t.Fatal(err)
		}
		if len(dead.Items) == 0 {
			s.t.Logf("at rest: %v, after %d replays", stats.Sagas, replays)
			return
		}
		replays += len(dead.Items)
		for _, d := range dead.Items {
			_, err := c.told(s.t.Context(), history.Line{Op: history.OpReplay, Saga: d.SagaID, Step: d.Step, Direction: d.Direction}, func(ctx context.Context) (*unwind.Instance, error) {
				if _, err := s.client.Replay(ctx, d.ID, unwind.ReplayRequest{Reason: "the books are open again"}); err != nil {
					return nil, err
				}
				return &unwind.Instance{ID: d.SagaID}, nil
			})
			if err != nil {
				s.t.Errorf("replaying %s: %v", d.ID, err)
			}
		}
	}
	s.t.Fatal("not everything comes to rest")
}

// judge exports the journal and has the whole history checked.
func (s *crashServer) judge(dir string, log *history.Recorder) {
	s.t.Helper()
	if err := log.Close(); err != nil {
		s.t.Error(err)
	}
	x := launch(s.t, "--server", s.url, "export", dir, "--config", filepath.Join(dir, "unwind.yaml"), "--skew", "50ms")
	if code := x.wait(); code != 0 {
		s.t.Fatalf("the export ends with %d", code)
	}
	h, err := history.Load(dir)
	if err != nil {
		s.t.Fatal(err)
	}
	if !h.Options.Complete {
		s.t.Error("the export found sagas that are not at rest")
	}
	h.Options.InFlight = 2 * unwind.Second                     // the network holds calls for longer than they are waited for
	h.Options.Slack = unwind.Duration(2*crashTimeout) + 50*1e6 // and so they come in closer together than they left
	report, err := history.Check(h)
	if err != nil {
		s.t.Fatal(err)
	}
	var text strings.Builder
	if err := report.WriteText(&text); err != nil {
		s.t.Fatal(err)
	}
	s.t.Log(text.String())
	if !report.OK() {
		s.t.Errorf("%d violations", len(report.Violations)+report.Dropped)
	}
}

// audit compares the outcomes with the participants' books.
func (s *crashServer) audit(w *town) {
	s.t.Helper()
	var outcomes []demo.Outcome
	err := each(func(p unwind.Page) (unwind.List[unwind.Instance], error) {
		return s.client.List(s.t.Context(), unwind.Filter{Page: p})
	}, func(i *unwind.Instance) error {
		var o demo.Order
		err := json.Unmarshal(i.Input, &o)
		outcomes = append(outcomes, demo.Outcome{Order: o, Saga: i.ID, Status: string(i.Status)})
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	books := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	ledger, err := demo.Gather(s.t.Context(), books, w.urls[demo.Inventory], w.urls[demo.Payments], w.urls[demo.Shipping])
	if err != nil {
		s.t.Fatal(err)
	}
	report := demo.Audit(outcomes, ledger)
	for _, d := range report.Discrepancies {
		s.t.Error(d)
	}
	s.t.Logf("the books of %d orders add up: %d completed, %d undone", report.Orders, report.Completed, report.Compensated)
}
