package participant

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// begin opens the call's transaction, takes its step's lock and decides. On an
// error there is no transaction and nothing was done.
func (b *Barrier) begin(ctx context.Context, call Call) (*sql.Tx, verdict, error) {
	tx, records, err := b.lock(ctx, call)
	if err != nil {
		return nil, verdict{}, err
	}
	return tx, decide(records, call), nil
}

// lock opens a transaction that holds the step's lock and reads its records.
func (b *Barrier) lock(ctx context.Context, call Call) (*sql.Tx, []record, error) {
	tx, err := b.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, nil, unavailable("begin the transaction of "+call.Key, err)
	}
	if _, err := tx.ExecContext(ctx, lockStep, call.Saga, call.Step, b.now()); err != nil {
		tx.Rollback()
		if ctx.Err() != nil { // another process holds it
			return nil, nil, busy(call)
		}
		return nil, nil, unavailable("lock the step of "+call.Key, err)
	}
	records, err := read(ctx, tx, call)
	if err != nil {
		tx.Rollback()
		return nil, nil, unavailable("read the records of "+call.Key, err)
	}
	return tx, records, nil
}

func read(ctx context.Context, tx *sql.Tx, call Call) ([]record, error) {
	rows, err := tx.QueryContext(ctx, readStep, call.Saga, call.Step)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var records []record
	for rows.Next() {
		var r record
		if err := rows.Scan(&r.direction, &r.generation, &r.outcome, &r.bodySHA, &r.answer); err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, rows.Err()
}

// record writes the answer and commits.
func (b *Barrier) record(ctx context.Context, tx *sql.Tx, call Call, outcome, answer string) error {
	if _, err := tx.ExecContext(ctx, writeCall, call.Saga, call.Step, string(call.Direction), call.Generation,
		outcome, call.digest(), answer, b.now()); err != nil {
		return failed("record the answer to "+call.Key, err)
	}
	if err := tx.Commit(); err != nil {
		return failed("commit "+call.Key, err)
	}
	return nil
}

func (b *Barrier) marshal(output any) (string, error) {
	raw, err := json.Marshal(output)
	if err != nil {
		return "", fmt.Errorf("marshal the output: %w", err)
	}
	if len(raw) > b.options.MaxOutput {
		return "", fmt.Errorf("the output has %d bytes; at most %d are taken", len(raw), b.options.MaxOutput)
	}
	return string(raw), nil
}

func (b *Barrier) now() int64 { return b.options.Now().UnixMicro() }

func busy(call Call) *Error {
	return InProgress(time.Second, "step "+call.Step+" of saga "+call.Saga+" is being worked on")
}

func unavailable(doing string, err error) *Error {
	return &Error{Code: CodeUnavailable, Reason: "nothing was done; ask again", RetryAfter: time.Second, cause: fmt.Errorf("%s: %w", doing, err)}
}

func failed(doing string, err error) *Error {
	return &Error{Code: CodeFailed, Reason: "the participant's log says why; ask again", cause: fmt.Errorf("%s: %w", doing, err)}
}

// asError keeps what the handler meant and hides everything else.
func asError(call Call, err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return failed("handle "+call.Key, err)
}
