package participant

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

// Handler is a barrier of default [Options] before fn. The database must have
// the table of [SchemaSQLite] or [SchemaPostgres]; a nil one panics. A service
// with several handlers makes one [Barrier] for all: then duplicates that come
// while their original is at work wait without a connection.
func Handler(db *sql.DB, fn Func) http.Handler {
	b, err := New(db, Options{})
	if err != nil {
		panic(err)
	}
	return b.Handler(fn)
}

// Handler answers the calls of one step in one direction, POST only; the
// actions and the compensations of a step each have theirs. It is safe for
// concurrent use.
func (b *Barrier) Handler(fn Func) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			writeProblem(w, http.StatusMethodNotAllowed, "method-not-allowed", "Method not allowed", "calls are POST")
			return
		}
		call, err := b.readCall(w, r)
		if err != nil {
			b.answerError(w, r, err)
			return
		}
		output, err := b.Do(r.Context(), call, fn)
		if err != nil {
			b.answerError(w, r, err)
			return
		}
		w.Header().Set(HeaderOutcome, "done")
		writeJSON(w, http.StatusOK, "application/json", output)
	})
}

func (b *Barrier) readCall(w http.ResponseWriter, r *http.Request) (Call, error) {
	// A sender that dawdles is cut off; recorders in tests know no deadlines.
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(b.options.Timeout))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, b.options.MaxBody))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return Call{}, &Error{Code: CodeTooLarge, Reason: "at most " + strconv.FormatInt(tooLarge.Limit, 10) + " bytes are taken"}
		}
		return Call{}, &Error{Code: CodeMalformed, Reason: "the body broke off", cause: err}
	}
	_ = conn.SetReadDeadline(time.Time{})
	return ParseCall(r.Header, body)
}

// answerError sends what err means and logs what it hides.
func (b *Barrier) answerError(w http.ResponseWriter, r *http.Request, err error) {
	var e *Error
	if !errors.As(err, &e) {
		e = failed("answer", err)
	}
	a := e.Code.answer()
	if a.status >= 500 {
		b.options.Log.LogAttrs(context.WithoutCancel(r.Context()), slog.LevelError, "call failed",
			slog.String("key", r.Header.Get(HeaderKey)), slog.String("path", r.URL.Path), slog.Any("error", err))
	}
	if a.outcome != "" {
		w.Header().Set(HeaderOutcome, a.outcome)
	}
	if e.RetryAfter > 0 {
		// Whole seconds, rounded up: a hint must never call too soon.
		w.Header().Set("Retry-After", strconv.FormatInt(int64((e.RetryAfter+time.Second-1)/time.Second), 10))
	}
	writeProblem(w, a.status, string(e.Code), a.title, e.Reason)
}

// writeProblem sends an RFC 9457 problem.
func writeProblem(w http.ResponseWriter, status int, code, title, detail string) {
	body, err := json.Marshal(struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{"urn:unwind:problem:" + code, title, status, detail})
	if err != nil { // strings and a number always marshal
		panic(err)
	}
	writeJSON(w, status, "application/problem+json", body)
}

func writeJSON(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the caller went away: the record stays, it will ask again
}
