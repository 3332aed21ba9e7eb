package participant

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// A Func does or undoes one step. It writes through tx and neither commits nor
// rolls back. What it returns is marshalled to JSON, recorded, and answered;
// nil is null. An error rolls back everything it wrote; see the package
// comment for what the caller is told. It should return soon: it holds a
// transaction.
//
// The barrier calls it at most once per key with success, and the Func of a
// compensation only when its action took effect here; neither needs to check.
type Func func(ctx context.Context, tx *sql.Tx, call Call) (output any, err error)

// Options tune a [Barrier]. The zero value is ready for use.
type Options struct {
	// Timeout bounds one call, its wait for the database included. Defaults to 10s.
	Timeout time.Duration
	// MaxBody bounds a request's body in bytes. Defaults to 4 MiB: an input of
	// 1 MiB and the outputs of 48 steps.
	MaxBody int64
	// MaxOutput bounds an output in bytes; the engine takes no longer ones.
	// Defaults to 64 KiB.
	MaxOutput int
	// Now is the clock that records are stamped with. Defaults to time.Now.
	Now func() time.Time
	// Log gets the errors that callers are not shown. Defaults to slog.Default().
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.MaxBody <= 0 {
		o.MaxBody = 4 << 20
	}
	if o.MaxOutput <= 0 {
		o.MaxOutput = 64 << 10
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// A Barrier stands before the handlers of one database. All its methods are
// safe for concurrent use, also from several processes on the same database.
//
// The protocol: a call's transaction first takes the lock of its step, reads
// what is recorded, decides, runs the handler, records the answer and commits.
// Calls of one step in either direction are therefore one after the other,
// whatever order they come in.
type Barrier struct {
	db      *sql.DB
	options Options
	working working
}

// New makes a barrier on db, which must have the table of [SchemaSQLite] or
// [SchemaPostgres]. On SQLite set a busy_timeout and write through one
// connection (SetMaxOpenConns(1)); on PostgreSQL the default isolation, read
// committed, is the right one. The error says that db is nil.
func New(db *sql.DB, options Options) (*Barrier, error) {
	if db == nil {
		return nil, errors.New("participant: the database is nil")
	}
	return &Barrier{db: db, options: options.withDefaults()}, nil
}

// Do carries out one call, for callers that do not come over HTTP. It returns
// the output as JSON, or an [*Error].
func (b *Barrier) Do(ctx context.Context, call Call, fn Func) (json.RawMessage, error) {
	parsed, err := parseKey(call.Key)
	if err != nil {
		return nil, err
	}
	if call.Saga != parsed.Saga || call.Step != parsed.Step || call.Direction != parsed.Direction || call.Generation != parsed.Generation {
		return nil, malformed("the call's key %q and its other fields disagree", call.Key)
	}
	ctx, cancel := context.WithTimeout(ctx, b.options.Timeout)
	defer cancel()

	// Duplicates within this process need no connection to be told to wait.
	if !b.working.begin(call.Saga, call.Step) {
		return nil, busy(call)
	}
	defer b.working.end(call.Saga, call.Step)

	output, err := b.carryOut(ctx, call, fn)
	var refusal *Error
	if call.Direction == Action && errors.As(err, &refusal) && (refusal.Code == CodeRefused || refusal.Code == CodeInvalid) {
		return b.recordRefusal(ctx, call, refusal)
	}
	return output, err
}

// carryOut is a call's one transaction.
func (b *Barrier) carryOut(ctx context.Context, call Call, fn Func) (json.RawMessage, error) {
	tx, v, err := b.begin(ctx, call)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() // after the commit it does nothing

	answer, outcome := "null", empty
	switch {
	case v.err != nil:
		return nil, v.err
	case v.output != nil:
		return v.output, nil
	case v.empty:
		if _, err := tx.ExecContext(ctx, blockAction, call.Saga, call.Step); err != nil {
			return nil, failed("block the action of "+call.Key, err)
		}
	case v.execute:
		call.Recorded = v.recorded
		output, err := fn(ctx, tx, call)
		if err != nil {
			return nil, asError(call, err)
		}
		if answer, err = b.marshal(output); err != nil {
			return nil, failed("answer "+call.Key, err)
		}
		outcome = done
	}
	if err := b.record(ctx, tx, call, outcome, answer); err != nil {
		return nil, err
	}
	return json.RawMessage(answer), nil
}

// recordRefusal makes a refusal last, after the handler's own transaction was
// rolled back. Another process may have answered the key in between; then its
// answer is the one.
func (b *Barrier) recordRefusal(ctx context.Context, call Call, refusal *Error) (json.RawMessage, error) {
	tx, v, err := b.begin(ctx, call)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	switch {
	case v.err != nil:
		return nil, v.err
	case v.output != nil:
		return v.output, nil
	}
	outcome := refused
	if refusal.Code == CodeInvalid {
		outcome = invalid
	}
	if err := b.record(ctx, tx, call, outcome, refusal.Reason); err != nil {
		return nil, err
	}
	return nil, refusal
}

// Purge forgets the steps whose last call is older than before and returns how
// many rows went. A step that is forgotten is not protected any more: a
// duplicate is carried out again, and a compensation finds nothing to undo. Keep
// records for longer than any saga can live, with the time its dead letters
// may wait for their replay: 90 days are a good start.
func (b *Barrier) Purge(ctx context.Context, before time.Time) (int64, error) {
	res, err := b.db.ExecContext(ctx, purge, before.UnixMicro())
	if err != nil {
		return 0, fmt.Errorf("participant: purge the barrier: %w", err)
	}
	return res.RowsAffected()
}
