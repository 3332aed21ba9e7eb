package participant_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unwindhq/unwind/participant"
)

// An answer is what a caller sees.
type answer struct {
	status     int
	outcome    string
	retryAfter string
	body       string
}

func (a answer) String() string { return fmt.Sprintf("%d %s %s", a.status, a.outcome, a.body) }

func call(t testing.TB, url, key, body string) answer {
	t.Helper()
	return do(t, newRequest(t, url, key, body))
}

func do(t testing.TB, r *http.Request) answer {
	t.Helper()
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header.Get(participant.HeaderOutcome), res.Header.Get("Retry-After"), string(body)}
}

// service serves /do, /undo and /status on a ledger.
func service(t testing.TB, l *ledger, act, undo participant.Func) string {
	mux := http.NewServeMux()
	mux.Handle("/do", l.barrier.Handler(act))
	mux.Handle("/undo", l.barrier.Handler(undo))
	mux.Handle("/status", l.barrier.Status())
	return serve(t, mux)
}

const (
	doKey   = "s1/step/action"
	undoKey = "s1/step/compensation"
)

func TestADuplicateIsGivenTheStoredAnswer(t *testing.T) {
	l := tempLedger(t)
	url := service(t, l, effect, effect)
	first := call(t, url+"/do", doKey, `{"n":1}`)
	second := call(t, url+"/do", doKey, `{"n":1}`)
	if first.status != 200 || first.outcome != "done" || first != second {
		t.Errorf("first %v, second %v", first, second)
	}
	if got := l.effects(t, "s1"); got != "action" {
		t.Errorf("effects: %s", got)
	}
	if reused := call(t, url+"/do", doKey, `{"n":2}`); reused.status != 422 || !strings.Contains(reused.body, "key-reused") {
		t.Errorf("another body: %v", reused)
	}
}

func TestACompensationWithoutItsActionSucceedsAndBlocksTheAction(t *testing.T) {
	l := tempLedger(t)
	url := service(t, l, effect, effect)
	for range 2 {
		if a := call(t, url+"/undo", undoKey, ``); a.status != 200 || a.outcome != "done" || a.body != "null" {
			t.Errorf("compensation: %v", a)
		}
		if a := call(t, url+"/do", doKey, ``); a.status != 409 || a.outcome != "refused" || !strings.Contains(a.body, "already-compensated") {
			t.Errorf("action: %v", a)
		}
	}
	if got := l.effects(t, "s1"); got != "" {
		t.Errorf("effects: %s", got)
	}
	var outcome string
	if err := l.db.QueryRow(`SELECT outcome FROM unwind_barrier WHERE direction = 'action'`).Scan(&outcome); err != nil || outcome != "blocked" {
		t.Errorf("the action's record is %q, %v", outcome, err)
	}
}

func TestACompensationIsGivenWhatItsActionRecorded(t *testing.T) {
	l := tempLedger(t)
	var recorded struct{ Did string }
	url := service(t, l, effect, func(ctx context.Context, tx *sql.Tx, c participant.Call) (any, error) {
		if err := c.DecodeRecorded(&recorded); err != nil {
			return nil, err
		}
		return effect(ctx, tx, c)
	})
	call(t, url+"/do", doKey, ``)
	// The engine never saw the answer: its output is null.
	if a := call(t, url+"/undo", undoKey, `{"saga":{"id":"s1"},"output":null,"may_have_executed":true}`); a.status != 200 {
		t.Errorf("compensation: %v", a)
	}
	if recorded.Did != doKey {
		t.Errorf("recorded: %+v", recorded)
	}
	if got := l.effects(t, "s1"); got != "action compensation" {
		t.Errorf("effects: %s", got)
	}
}

func TestACompensationOfALostRecordIsNotCalledEmpty(t *testing.T) {
	url := service(t, tempLedger(t), effect, effect)
	a := call(t, url+"/undo", undoKey, `{"saga":{"id":"s1"},"output":{"id":"ch-1"}}`)
	if a.status != 422 || !strings.Contains(a.body, "record-missing") {
		t.Errorf("got %v", a)
	}
}

func TestWhatAHandlersErrorIsAnswered(t *testing.T) {
	for name, test := range map[string]struct {
		err     error
		want    answer
		sticky  bool
		message string
	}{
		"refused":            {participant.Refuse("out of stock"), answer{status: 409, outcome: "refused"}, true, "out of stock"},
		"refused, wrapped":   {fmt.Errorf("reserve: %w", participant.Refuse("out of stock")), answer{status: 409, outcome: "refused"}, true, "out of stock"},
		"invalid":            {participant.Invalid("no such article"), answer{status: 422}, true, "no such article"},
		"throttled":          {participant.Throttle(1500*time.Millisecond, "slow down"), answer{status: 429, retryAfter: "2"}, false, "slow down"},
		"throttled, no hint": {participant.Throttle(0, "slow down"), answer{status: 429}, false, "slow down"},
		"in progress":        {participant.InProgress(time.Second, "the bank is at it"), answer{status: 425, outcome: "in_progress", retryAfter: "1"}, false, "the bank"},
		"anything else":      {errors.New("password=hunter2"), answer{status: 500}, false, "log says why"},
	} {
		t.Run(name, func(t *testing.T) {
			l := tempLedger(t)
			quiet(t, l)
			var healed atomic.Bool
			url := service(t, l, func(ctx context.Context, tx *sql.Tx, c participant.Call) (any, error) {
				output, err := effect(ctx, tx, c)
				if !healed.Load() {
					return nil, test.err
				}
				return output, err
			}, effect)
			a := call(t, url+"/do", doKey, ``)
			body := a.body
			a.body = ""
			if a != test.want || !strings.Contains(body, test.message) || strings.Contains(body, "hunter2") {
				t.Errorf("got %v %s, want %v", a, body, test.want)
			}
			if got := l.effects(t, "s1"); got != "" {
				t.Errorf("effects after the error: %s", got)
			}
			healed.Store(true)
			again := call(t, url+"/do", doKey, ``)
			if test.sticky != (again.status == a.status) {
				t.Errorf("again: %v", again)
			}
		})
	}
}

// quiet gives the ledger a barrier that logs nowhere.
func quiet(t testing.TB, l *ledger) {
	t.Helper()
	b, err := participant.New(l.db, participant.Options{Timeout: 5 * time.Minute, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	l.barrier = b
}

func TestARefusedCompensationCanBeSentAgain(t *testing.T) {
	l := tempLedger(t)
	var healed atomic.Bool
	url := service(t, l, effect, func(ctx context.Context, tx *sql.Tx, c participant.Call) (any, error) {
		if !healed.Load() {
			return nil, participant.Refuse("the account is closed")
		}
		return effect(ctx, tx, c)
	})
	call(t, url+"/do", doKey, ``)
	if a := call(t, url+"/undo", undoKey, ``); a.status != 409 {
		t.Errorf("first: %v", a)
	}
	healed.Store(true)
	if a := call(t, url+"/undo", undoKey, ``); a.status != 200 {
		t.Errorf("again: %v", a)
	}
}

func TestBadCallsGetAClearAnswer(t *testing.T) {
	l := tempLedger(t)
	b, err := participant.New(l.db, participant.Options{MaxBody: 64, MaxOutput: 16, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	l.barrier = b
	url := service(t, l, func(context.Context, *sql.Tx, participant.Call) (any, error) { return strings.Repeat("x", 17), nil }, effect)
	for name, test := range map[string]struct {
		request *http.Request
		status  int
		detail  string
	}{
		"no key":               {newRequest(t, url+"/do", "", ``), 400, "Idempotency-Key is missing"},
		"not JSON":             {newRequest(t, url+"/do", doKey, `{`), 400, "not JSON"},
		"too large":            {newRequest(t, url+"/do", doKey, `"`+strings.Repeat("x", 64)+`"`), 413, "at most 64 bytes"},
		"too large an output":  {newRequest(t, url+"/do", doKey, ``), 500, "log says why"},
		"a status without key": {newGet(t, url+"/status"), 400, "parameter key is missing"},
		"a status of nonsense": {newGet(t, url+"/status?key=x"), 400, "want <saga>/<step>"},
		"GET of a call":        {newGet(t, url+"/do"), 405, "calls are POST"},
		"POST of the status":   {newRequest(t, url+"/status?key="+doKey, "", ``), 405, "read with GET"},
	} {
		t.Run(name, func(t *testing.T) {
			a := do(t, test.request)
			var problem struct {
				Type, Title, Detail string
				Status              int
			}
			if err := json.Unmarshal([]byte(a.body), &problem); err != nil {
				t.Fatalf("%v: %v", a, err)
			}
			if a.status != test.status || problem.Status != test.status || problem.Title == "" ||
				!strings.HasPrefix(problem.Type, "urn:unwind:problem:") || !strings.Contains(problem.Detail, test.detail) {
				t.Errorf("got %v", a)
			}
		})
	}
}

func TestADatabaseThatIsGoneAnswers503(t *testing.T) {
	l := tempLedger(t)
	quiet(t, l)
	url := service(t, l, effect, effect)
	l.db.Close()
	if a := call(t, url+"/do", doKey, ``); a.status != 503 || a.retryAfter != "1" || strings.Contains(a.body, "closed") {
		t.Errorf("call: %v", a)
	}
	if a := get(t, url+"/status?key="+doKey); a.status != 503 {
		t.Errorf("status: %v", a)
	}
}

func newGet(t testing.TB, url string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func get(t testing.TB, url string) answer {
	t.Helper()
	return do(t, newGet(t, url))
}
