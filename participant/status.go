package participant

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
)

// The outcomes that [Barrier.Outcome] gives.
const (
	OutcomeDone       = "done"
	OutcomeNotDone    = "not_done"
	OutcomeInProgress = "in_progress"
)

// Status is [Barrier.Status] of a barrier of default [Options]; a nil database
// panics.
func Status(db *sql.DB) http.Handler {
	b, err := New(db, Options{})
	if err != nil {
		panic(err)
	}
	return b.Status()
}

// Status answers GET ?key=… with {"outcome":"done|not_done|in_progress",
// "output":…}: what became of a key. It is safe for concurrent use.
func (b *Barrier) Status() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			writeProblem(w, http.StatusMethodNotAllowed, "method-not-allowed", "Method not allowed", "the status is read with GET")
			return
		}
		key := r.URL.Query().Get("key")
		if key == "" {
			b.answerError(w, r, malformed("the query parameter key is missing"))
			return
		}
		outcome, output, err := b.Outcome(r.Context(), key)
		if err != nil {
			b.answerError(w, r, err)
			return
		}
		body, err := json.Marshal(struct {
			Outcome string          `json:"outcome"`
			Output  json.RawMessage `json:"output,omitempty"`
		}{outcome, output})
		if err != nil {
			b.answerError(w, r, failed("answer the status of "+key, err))
			return
		}
		writeJSON(w, http.StatusOK, "application/json", body)
	})
}

// Outcome says what became of a key: done with its output, not done, or in
// progress. A refused call is not done; an empty compensation is done. It waits
// for a transaction of another process that is at work on the step, so that
// "not done" is never said of a call that is about to commit; but a call that
// has not arrived yet may still come. The error is an [*Error].
func (b *Barrier) Outcome(ctx context.Context, key string) (outcome string, output json.RawMessage, err error) {
	call, err := parseKey(key)
	if err != nil {
		return "", nil, err
	}
	if b.working.has(call.Saga, call.Step) {
		return OutcomeInProgress, nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, b.options.Timeout)
	defer cancel()
	tx, records, err := b.lock(ctx, call)
	var e *Error
	if errors.As(err, &e) && e.Code == CodeInProgress {
		return OutcomeInProgress, nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	defer tx.Rollback() // only the lock was wanted
	for _, r := range records {
		if r.direction == call.Direction && r.generation == call.Generation && (r.outcome == done || r.outcome == empty) {
			return OutcomeDone, json.RawMessage(r.answer), nil
		}
	}
	return OutcomeNotDone, nil, nil
}
