package engine_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
	"github.com/unwindhq/unwind/store"
	"github.com/unwindhq/unwind/store/memory"
)

// A bank does what it is asked, and says at /status what it has done.
type bank struct {
	*httptest.Server
	mu      sync.Mutex
	done    map[string]string // by key: what its status path says
	calls   int               // but for questions
	refuses map[string]int    // by path: a status
	asked   chan string       // paths that were called
	gate    chan struct{}     // /ship waits for it
}

func newBank(t *testing.T) *bank {
	b := &bank{done: map[string]string{}, refuses: map[string]int{}, asked: make(chan string, 1000), gate: make(chan struct{})}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	return b
}

func (b *bank) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/status" {
		b.mu.Lock()
		defer b.mu.Unlock()
		says := b.done[r.URL.Query().Get("key")]
		if says == "broken" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if says == "" {
			says = "not_done"
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"outcome": says})
		return
	}
	b.asked <- r.URL.Path
	if r.URL.Path == "/ship" {
		<-b.gate
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	if status := b.refuses[r.URL.Path]; status != 0 {
		w.WriteHeader(status)
		return
	}
	b.done[r.Header.Get("Idempotency-Key")] = "done"
}

func (b *bank) says(key, outcome string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done[key] = outcome
}

func (b *bank) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls
}

func (b *bank) refuse(path string, status int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refuses[path] = status
}

func (b *bank) config(st store.Store) engine.Config {
	call := func(service, path string) *unwind.Call { return &unwind.Call{Service: service, Path: path} }
	return engine.Config{
		Store: st,
		Participants: map[string]unwind.Participant{
			"bank": {URL: b.URL, Status: "/status"}, "mute": {URL: b.URL},
		},
		Definitions: []unwind.Definition{{Name: "order", Amount: "input.amount", Steps: []unwind.Step{
			{Name: "note", Action: call("mute", "/note"), Compensation: unwind.None},
			{Name: "charge", Action: call("bank", "/charge"), Compensation: call("bank", "/refund")},
			{Name: "ship", Action: call("bank", "/ship"), Compensation: unwind.None},
		}}},
	}
}

func startOrder(t *testing.T, s unwind.Service, key string, wait unwind.Duration) *unwind.Instance {
	t.Helper()
	inst, _, err := s.Start(t.Context(), unwind.StartRequest{Saga: "order", Key: key, Input: json.RawMessage(`{"amount":12345678901234567.89}`), Wait: wait})
	if err != nil {
		t.Fatal(err)
	}
	return inst
}

// reconciled follows the cursors to the end and returns what differs in short.
func reconciled(t *testing.T, s unwind.Service, req unwind.ReconcileRequest) (found []string, whole unwind.Reconciliation) {
	t.Helper()
	for range 1000 {
		part, err := s.Reconcile(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range part.Items {
			found = append(found, d.Step+" "+string(d.Direction)+": "+string(d.Journal)+", "+string(d.Answer))
		}
		whole.Items = append(whole.Items, part.Items...)
		whole.Sagas, whole.Calls = whole.Sagas+part.Sagas, whole.Calls+part.Calls
		whole.NotChecked = append(whole.NotChecked, part.NotChecked...)
		if req.Cursor = part.NextCursor; req.Cursor == "" {
			return found, whole
		}
	}
	t.Fatal("it never ends")
	return nil, whole
}

func TestARestoredBackupRepeatsNothingBeforeItIsReleased(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	st := memory.New()
	before := open(t, b.config(st))
	saga := startOrder(t, before, "o-1", 0)
	for path := ""; path != "/ship"; path = <-b.asked {
	}
	backup := st.Clone()
	close(b.gate)
	if got := startOrder(t, before, "o-1", eventually); got.Status != unwind.Completed {
		t.Fatalf("the saga is %s", got.Status)
	}
	calls := b.count()

	cfg := b.config(backup)
	cfg.Hold = true
	e := open(t, cfg)
	if !e.OnHold() {
		t.Error("it is not on hold")
	}
	for name, err := range map[string]error{
		"a start":      errOfTwo(e.Start(t.Context(), unwind.StartRequest{Saga: "order", Key: "o-2"})),
		"a cancel":     errOf(e.Cancel(t.Context(), saga.ID, unwind.CancelRequest{Reason: "x"})),
		"a completion": e.Complete(t.Context(), saga.ID+".0.a.0", unwind.Completion{Outcome: "done"}),
	} {
		if code := unwind.CodeOf(err); code != unwind.Held && name != "a completion" || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, err := e.Get(t.Context(), saga.ID); err != nil || got.Status != unwind.Running {
		t.Errorf("the saga is %+v, %v", got, err)
	}
	found, whole := reconciled(t, e, unwind.ReconcileRequest{})
	if want := []string{"ship action: ordered, done"}; !slices.Equal(found, want) {
		t.Errorf("what differs on hold is %q, want %q", found, want)
	}
	if a := string(whole.Items[0].Amount); a != "12345678901234567.89" {
		t.Errorf("the amount is %s", a)
	}
	if n := b.count(); n != calls {
		t.Errorf("%d calls were made on hold", n-calls)
	}

	if err := e.Release(t.Context(), unwind.ReleaseRequest{}); unwind.CodeOf(err) != unwind.InvalidRequest {
		t.Errorf("a release without a reason: %v", err)
	}
	if err := e.Release(t.Context(), unwind.ReleaseRequest{Reason: "compared", Actor: "ada"}); err != nil {
		t.Fatal(err)
	}
	if got := startOrder(t, e, "o-1", eventually); got.Status != unwind.Completed || got.ID != saga.ID {
		t.Errorf("after the release the saga is %+v", got)
	}
	if err := e.Release(t.Context(), unwind.ReleaseRequest{Reason: "again"}); unwind.CodeOf(err) != unwind.Conflict {
		t.Errorf("a second release: %v", err)
	}
	audit, err := e.Audit(t.Context(), unwind.AuditFilter{Page: unwind.Page{Limit: 1}})
	if err != nil || audit.Items[0].Action != "release" || audit.Items[0].Actor != "ada" || audit.Items[0].Reason != "compared" {
		t.Errorf("the audit says %+v, %v", audit.Items, err)
	}
}

func errOf[T any](_ T, err error) error            { return err }
func errOfTwo[T, U any](_ T, _ U, err error) error { return err }

func TestWhatTheJournalAndTheServicesSayIsCompared(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	close(b.gate)
	e := open(t, b.config(memory.New()))
	done := startOrder(t, e, "done", eventually)
	b.refuse("/ship", 409)
	undone := startOrder(t, e, "undone", eventually)
	b.refuse("/refund", 422)
	dead := startOrder(t, e, "dead", eventually)
	if done.Status != unwind.Completed || undone.Status != unwind.Compensated || dead.Status != unwind.DeadLettered {
		t.Fatalf("the sagas are %s, %s, %s", done.Status, undone.Status, dead.Status)
	}
	found, whole := reconciled(t, e, unwind.ReconcileRequest{})
	mute := []unwind.Unchecked{{Service: "mute", Reason: "it has no status path", Calls: 3}}
	if len(found) > 0 || whole.Sagas != 3 || whole.Calls != 6 || !slices.Equal(whole.NotChecked, mute) {
		t.Errorf("when all agree: %q, %+v", found, whole)
	}

	b.says(done.ID+"/charge/action", "not_done")
	b.says(done.ID+"/ship/action", "in_progress")
	b.says(undone.ID+"/charge/compensation", "not_done")
	b.says(dead.ID+"/charge/compensation", "done")
	want := []string{"charge compensation: dead, done", "charge compensation: undone, not_done", "charge action: done, not_done", "ship action: done, in_progress"}
	found, _ = reconciled(t, e, unwind.ReconcileRequest{})
	if !slices.Equal(found, want) {
		t.Errorf("what differs is %q, want %q", found, want)
	}
	for _, calls := range []int{1, 2, 3, 5} {
		parts, inParts := reconciled(t, e, unwind.ReconcileRequest{Calls: calls, Saga: "order"})
		slices.SortFunc(inParts.NotChecked, func(a, b unwind.Unchecked) int { return strings.Compare(a.Reason, b.Reason) })
		n := int64(0)
		for _, u := range inParts.NotChecked {
			n += u.Calls
		}
		if !slices.Equal(parts, want) || inParts.Calls != 6 || inParts.Sagas != 3 || n != 3 {
			t.Errorf("in parts of %d: %q, %+v", calls, parts, inParts)
		}
	}
	if found, _ := reconciled(t, e, unwind.ReconcileRequest{Service: "mute"}); len(found) > 0 {
		t.Errorf("of another service: %q", found)
	}
	if found, _ := reconciled(t, e, unwind.ReconcileRequest{Since: unwind.Time{Time: time.Now().Add(time.Hour)}}); len(found) > 0 {
		t.Errorf("of sagas to come: %q", found)
	}

	b.says(done.ID+"/charge/action", "broken")
	_, whole = reconciled(t, e, unwind.ReconcileRequest{Service: "bank"})
	if len(whole.NotChecked) != 1 || !whole.NotChecked[0].Asked || whole.NotChecked[0].Calls != 1 || !strings.Contains(whole.NotChecked[0].Reason, "answers 404") {
		t.Errorf("what was not checked is %+v", whole.NotChecked)
	}
}

// A lane that is paused holds questions too; the answer says so and where to go on.
func TestAQuestionWaitsForItsLane(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	close(b.gate)
	e := open(t, b.config(memory.New()))
	startOrder(t, e, "o-1", eventually)
	paused := true
	scope := unwind.Scope{Kind: unwind.ScopeForward, Name: "bank"}
	if _, err := e.Control(t.Context(), unwind.ControlRequest{Scope: scope, Paused: &paused, Reason: "quiet"}); err != nil {
		t.Fatal(err)
	}
	part, err := e.Reconcile(t.Context(), unwind.ReconcileRequest{})
	if err != nil || part.Calls != 0 || part.NextCursor == "" || !strings.Contains(part.WaitingFor, "paused (quiet)") {
		t.Fatalf("with a paused lane: %+v, %v", part, err)
	}
	paused = false
	if _, err := e.Control(t.Context(), unwind.ControlRequest{Scope: scope, Paused: &paused, Reason: "go on"}); err != nil {
		t.Fatal(err)
	}
	if found, whole := reconciled(t, e, unwind.ReconcileRequest{Cursor: part.NextCursor, Rate: rateOf(50)}); len(found) > 0 || whole.Calls != 2 || whole.Sagas != 1 {
		t.Errorf("gone on: %q, %+v", found, whole)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Reconcile(ctx, unwind.ReconcileRequest{}); err == nil {
		t.Error("nobody waits, and it goes on")
	}
	for _, bad := range []unwind.ReconcileRequest{{Cursor: "x/y/z"}, {Cursor: "s1/2"}, {Cursor: "nonsense"}, {Rate: &unwind.Rate{Calls: 1, Per: unwind.Hour}}, {Calls: -1}} {
		if _, err := e.Reconcile(t.Context(), bad); unwind.CodeOf(err) != unwind.InvalidRequest {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func rateOf(n int64) *unwind.Rate {
	r := unwind.PerSecond(n)
	return &r
}
