package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/client"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
	"github.com/unwindhq/unwind/store/sqlite"
)

const operationConfig = `
compensation: {concurrency: 1000}
services:
  payments: {url: %s, timeout: 5s, forward: {concurrency: 16}, compensation: {rate: 2000/s, burst: 20, concurrency: 200}}
sagas:
  unused: {steps: [{name: charge, action: {service: payments, path: /charge}, compensation: none}]}
`

// A bank refunds, and writes down which calls it got.
type bank struct {
	mu      sync.Mutex
	calls   map[string]map[string]int // by key and attempt
	seconds map[int64]int             // calls in each
}

// busiest is how many calls a second came in the busiest n seconds on end.
func (b *bank) busiest(n int64) float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	most := 0
	for s := range b.seconds {
		sum := 0
		for at := s; at < s+n; at++ {
			sum += b.seconds[at]
		}
		most = max(most, sum)
	}
	return float64(most) / float64(n)
}

func (b *bank) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seconds[time.Now().Unix()]++
	key := r.Header.Get("Idempotency-Key")
	if b.calls[key] == nil {
		b.calls[key] = map[string]int{}
	}
	b.calls[key][r.Header.Get("Unwind-Attempt")]++
	w.WriteHeader(http.StatusOK)
}

// TestCrashOperation replays 100,000 dead letters through a service that takes
// 2,000 a second, and kills the server with -9 five times meanwhile. The
// participant's log is the judge: every dead letter was called again, and under one
// attempt only. (A call that was out when the process ended is made again under the
// same attempt and key: nobody knows whether it left.)
func TestCrashOperation(t *testing.T) {
	letters := 100_000
	if testing.Short() {
		letters = 4_000
	}
	b, s, keys, db := newGraveyard(t, letters)
	begin := time.Now()
	op := s.replayAll()
	t.Logf("frozen and begun in %v: %d items", time.Since(begin).Round(time.Millisecond), op.Counts.Total)
	begin = time.Now()
	for _, share := range []int64{5, 25, 45, 65, 85} {
		s.operationIs(op.ID, func(o *unwind.Operation) bool { return o.Counts.Done() >= share*int64(letters)/100 })
		s.process.kill()
		s.start()
	}
	s.operationIs(op.ID, func(o *unwind.Operation) bool { op = o; return o.State == unwind.OperationFinished })
	took := time.Since(begin)
	if c := op.Counts; c.Succeeded != int64(letters) || c.Total != int64(letters) {
		t.Errorf("it came to %+v", c)
	}
	s.process.signal(15)
	s.process.wait()
	resent := b.judge(t, keys)
	once := replayedOnce(t, db, letters)
	t.Logf("%d dead letters over 5 kills in %v: %.0f/s; the busiest second had %.0f calls; %d calls were made again after a kill; %d audit rows",
		letters, took.Round(time.Millisecond), float64(letters)/took.Seconds(), b.busiest(1), resent, once)
}

// newGraveyard is a server on a store of so many dead letters, and the bank that they
// are to be replayed to.
func newGraveyard(t *testing.T, letters int) (b *bank, s *crashServer, keys []string, db string) {
	t.Helper()
	b = &bank{calls: map[string]map[string]int{}, seconds: map[int64]int{}}
	shop := httptest.NewServer(b)
	t.Cleanup(shop.Close)
	dir := t.TempDir()
	file := filepath.Join(dir, "unwind.yaml")
	db = filepath.Join(dir, "unwind.db")
	if err := os.WriteFile(file, fmt.Appendf(nil, operationConfig, shop.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	keys = bury(t, db, shop.URL, letters)
	address := freeAddress(t)
	cl, err := client.New(client.Config{URL: "http://" + address, Attempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	s = &crashServer{t: t, url: "http://" + address, client: cl, args: []string{"serve", "--config", file, "--listen", address, "--store", "sqlite:" + db}}
	s.start()
	return b, s, keys, db
}

// replayAll begins an operation on every dead letter there is.
func (s *crashServer) replayAll() *unwind.Operation {
	s.t.Helper()
	op, err := s.client.StartOperation(s.t.Context(), unwind.OperationRequest{
		Kind: unwind.OperationReplay, Selection: &unwind.Selection{Saga: "place-order"}, Reason: "the bank is open", Key: "crash",
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return op
}

// A single operation fills the lane of its service, and leaves the machine room for
// others: what a replay costs is its reading, two commits, the call and its audit row.
// Ten seconds on end show it; in others the machine may have had other things to do.
func TestFigureAnOperationReachesTheRateOfItsLane(t *testing.T) {
	if testing.Short() {
		t.Skip("100,000 replays at 2,000 a second take a minute; make figures runs it")
	}
	const letters, rate, most = 100_000, 2000, 500 * time.Microsecond
	b, s, keys, db := newGraveyard(t, letters)
	op := s.replayAll()
	s.operationIs(op.ID, func(o *unwind.Operation) bool { op = o; return o.State == unwind.OperationFinished })
	s.process.signal(15)
	s.process.wait()
	took := op.EndedAt.Sub(op.CreatedAt.Time)
	usage := s.process.cmd.ProcessState
	each := (usage.UserTime() + usage.SystemTime()) / letters
	if b.judge(t, keys) != 0 || replayedOnce(t, db, letters) != letters || op.Counts.Succeeded != letters {
		t.Errorf("it came to %+v", op.Counts)
	}
	sustained := b.busiest(10)
	t.Logf("%d dead letters in %v: %.0f/s, %.0f/s of %d in its busiest ten seconds; %v of processor time for each",
		letters, took.Round(time.Millisecond), letters/took.Seconds(), sustained, rate, each)
	if each > most {
		t.Errorf("a replay takes %v of processor time; more than %v leaves two processors no room at %d a second", each, most, rate)
	}
	if sustained < 0.9*rate {
		t.Errorf("it reaches %.0f a second for ten seconds, and its lane bears %d", sustained, rate)
	}
}

// operationIs waits until the operation is so, while the server may be slow to answer.
func (s *crashServer) operationIs(id string, so func(*unwind.Operation) bool) {
	s.t.Helper()
	for begin := time.Now(); ; pause(100 * time.Millisecond) {
		op, err := s.client.Operation(s.t.Context(), id)
		if err == nil && so(op) {
			return
		}
		if time.Since(begin) > 2*patience {
			s.t.Fatalf("it is still %+v, error %v", op, err)
		}
	}
}

// judge: each key was called again, under the second attempt and no other.
func (b *bank) judge(t *testing.T, keys []string) (resent int) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	wrong := 0
	for _, key := range keys {
		calls := b.calls[key]
		if len(calls) != 1 || calls["2"] == 0 {
			if wrong++; wrong <= 10 {
				t.Errorf("%s was called %v", key, calls)
			}
			continue
		}
		resent += calls["2"] - 1
	}
	if wrong > 0 || len(b.calls) != len(keys) {
		t.Errorf("%d of %d keys were called otherwise than once; %d keys were called", wrong, len(keys), len(b.calls))
	}
	return resent
}

// bury writes a store of sagas whose refund is a dead letter, as the engine would
// have left them, and returns the keys of the refunds.
func bury(t *testing.T, path, url string, n int) (keys []string) {
	t.Helper()
	call := func(path string) *unwind.Call { return &unwind.Call{Service: "payments", Path: path} }
	def := unwind.Definition{Name: "place-order", Steps: []unwind.Step{
		{Name: "charge", Action: call("/charge"), Compensation: call("/refund")},
		{Name: "ship", Action: call("/ship"), Compensation: unwind.None},
	}}
	participants := map[string]unwind.Participant{"payments": {URL: url}}
	for _, f := range def.Validate(participants) {
		if !f.Warning {
			t.Fatal(f)
		}
	}
	plan, err := machine.Compile(&def, participants)
	if err != nil {
		t.Fatal(err)
	}
	st, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	epoch, err := st.Join(t.Context(), "grave")
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(&def)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UnixMicro()
	if _, err := st.PutDefinition(t.Context(), epoch, store.Definition{Name: def.Name, Version: def.Digest(), Body: body, CreatedAt: now}, store.Audit{Action: "put"}); err != nil {
		t.Fatal(err)
	}
	ids := id.NewSource(nil, nil)
	for len(keys) < n {
		batch := &store.Batch{Epoch: epoch, Node: "grave", At: now}
		for range min(1000, n-len(keys)) {
			tr, key := buried(t, plan, ids.New(0), def.Digest(), machine.Micros(now))
			batch.Transitions, keys = append(batch.Transitions, tr), append(keys, key)
		}
		if _, err := st.Commit(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	return keys
}

// buried is a saga's whole way to its dead letter, as one transition.
func buried(t *testing.T, plan *machine.Plan, saga id.ID, version string, at machine.Micros) (store.Transition, string) {
	t.Helper()
	state, entries := machine.State{}, []machine.Entry(nil)
	var died machine.Effect
	for _, ev := range []machine.Event{
		{Kind: machine.Started},
		{Kind: machine.Answered, Step: 0, Dir: unwind.Action, Attempt: 1, Answer: machine.Answer{Status: 200}},
		{Kind: machine.Answered, Step: 1, Dir: unwind.Action, Attempt: 1, Answer: machine.Answer{Status: 409}},
		{Kind: machine.Answered, Step: 0, Dir: unwind.Compensation, Attempt: 1, Answer: machine.Answer{Status: 422, Message: "the bank is closed"}},
	} {
		ev.At = at
		next, err := machine.Next(plan, state, ev)
		if err != nil {
			t.Fatal(err)
		}
		state, entries = next.State, append(entries, next.Entries...)
		for _, e := range next.Effects {
			if e.Kind == machine.OpenDeadLetter {
				died = e
			}
		}
	}
	state.Version = 1
	key := machine.Key(saga.String(), "charge", unwind.Compensation, 0)
	return store.Transition{
		Saga: saga, Start: &store.Start{Name: plan.Name, Version: version, Input: []byte("{}")}, Version: 1, Phase: uint8(state.Phase),
		State: machine.AppendState(nil, &state), Due: store.AtRest, SetDue: true, At: int64(at), Journal: machine.AppendEntries(nil, entries),
		DeadLetters: []store.DeadLetterChange{{Open: &store.DeadLetter{
			DeadLetterID: store.DeadLetterID{Saga: saga, Step: 0, Direction: unwind.Compensation}, SagaType: plan.Name, StepName: "charge", Service: "payments",
			Key: key, Attempts: 1, FirstAt: int64(at), DeadAt: int64(at), UpdatedAt: int64(at), Error: died.Error, Group: died.Group, State: unwind.DeadLetterOpen,
		}}},
	}, key
}

// replayedOnce counts the audit's replays: one for each dead letter.
func replayedOnce(t *testing.T, path string, letters int) int {
	t.Helper()
	st, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	targets, rows := map[string]bool{}, 0
	for cursor := ""; ; {
		page, next, err := st.Audit(t.Context(), store.AuditFilter{Cursor: cursor, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for i := range page {
			if page[i].Action == "replay" {
				targets[page[i].Target], rows = true, rows+1
			}
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	if rows != letters || len(targets) != letters {
		t.Errorf("%d audit rows tell of replays of %d dead letters; there are %d", rows, len(targets), letters)
	}
	return rows
}
