package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/unwindhq/unwind/internal/gateway"
	"github.com/unwindhq/unwind/participant"
)

// Options describe a participant.
type Options struct {
	// Name is inventory, payments or shipping.
	Name string
	// Dir has the books, <name>.db, and the call log. It is made if it is not there.
	Dir string
	// Listen is the address that [RunParticipant] listens on. Defaults to 127.0.0.1:0.
	Listen string

	// GatewayRate puts a gateway before the calls that bears so many a second
	// and answers 429 above that. Zero: no limit.
	GatewayRate float64
	// GatewayBurst is how many it bears at once. Defaults to 1.
	GatewayBurst int
	// GatewayUndo leaves calls that undo nothing past the gateway.
	GatewayUndo bool
	// GatewayLatency is what each call takes before it is handled.
	GatewayLatency time.Duration

	// Stock is how many pieces there are of each article when the books are
	// new; inventory only. Defaults to 1,000,000.
	Stock int64
	// CallLog writes participant-<name>.jsonl into Dir.
	CallLog bool
	// Clock is the gateway's and the call log's. Defaults to the system's.
	Clock gateway.Clock
	// Log defaults to slog.Default().
	Log *slog.Logger
}

// A Participant is one of the three with its books open. It is safe for
// concurrent use.
type Participant struct {
	name           string
	writer, reader *sql.DB
	gateway        *gateway.Gateway
	log            *gateway.CallLog
	handler        http.Handler
}

// Open opens a participant's books, which makes them at the first time. The
// error says which option is wrong or what does not open.
func Open(ctx context.Context, o Options) (*Participant, error) {
	s, err := serviceOf(o.Name)
	if err != nil {
		return nil, err
	}
	switch {
	case o.Dir == "":
		return nil, fmt.Errorf("demo: %s: the directory is missing", o.Name)
	case !(o.GatewayRate >= 0):
		return nil, fmt.Errorf("demo: %s: a gateway rate of %v/s; want 0 for none, or more", o.Name, o.GatewayRate)
	case o.Stock < 0:
		return nil, fmt.Errorf("demo: %s: a stock of %d pieces; want 0 for the default, or more", o.Name, o.Stock)
	case o.Stock == 0:
		o.Stock = 1_000_000
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("demo: %s: %w", o.Name, err)
	}
	p := &Participant{name: o.Name}
	if p.writer, p.reader, err = openSQLite(filepath.Join(o.Dir, o.Name+".db")); err != nil {
		return nil, fmt.Errorf("demo: %s: %w", o.Name, err)
	}
	if err := p.assemble(ctx, s, o); err != nil {
		return nil, errors.Join(fmt.Errorf("demo: %s: %w", o.Name, err), p.Close())
	}
	return p, nil
}

func (p *Participant) assemble(ctx context.Context, s service, o Options) error {
	if err := prepare(ctx, p.writer, s, o); err != nil {
		return err
	}
	barrier, err := participant.New(p.writer, participant.Options{Log: o.Log})
	if err != nil {
		return err
	}
	calls := http.NewServeMux()
	live := &version{}
	for path, fn := range s.calls {
		calls.Handle(path, barrier.Handler(live.before(fn)))
	}
	var model gateway.Model
	if o.GatewayRate > 0 {
		if model, err = gateway.NewTokenBucket(o.GatewayRate, o.GatewayBurst); err != nil {
			return err
		}
	}
	if p.gateway, err = gateway.New(gateway.Options{Model: model, Latency: o.GatewayLatency, Clock: o.Clock, Next: calls}); err != nil {
		return err
	}
	if o.CallLog {
		if p.log, err = gateway.OpenCallLog(o.Dir, o.Name, o.Clock); err != nil {
			return err
		}
	}
	mux := http.NewServeMux()
	for path := range s.calls {
		mux.Handle(path, p.log.Handler(p.way(calls, o.GatewayUndo)))
	}
	mux.HandleFunc("PUT /version", live.deploy)
	mux.Handle("/status", barrier.Status())
	mux.HandleFunc("GET /books", p.books)
	mux.HandleFunc("GET /books/entries", p.entries)
	mux.HandleFunc("GET /gateway", func(w http.ResponseWriter, _ *http.Request) { answer(w, p.gateway.Stats()) })
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]string{"status": "ok", "participant": p.name})
	})
	p.handler = mux
	return nil
}

// way leads calls through the gateway, or only those that undo.
func (p *Participant) way(calls http.Handler, undoOnly bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if undoOnly && r.Header.Get(participant.HeaderDirection) != string(participant.Compensation) {
			calls.ServeHTTP(w, r)
			return
		}
		p.gateway.ServeHTTP(w, r)
	})
}

// prepare makes the tables and the initial stock, all in one transaction.
func prepare(ctx context.Context, db *sql.DB, s service, o Options) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("open the books: %w", err)
	}
	defer tx.Rollback() // after the commit it does nothing
	for _, statement := range append(append([]string{}, ledgerSchema...), s.schema...) {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("make the tables: %w", err)
		}
	}
	if s.seed != nil {
		if err := s.seed(ctx, tx, o); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("open the books: %w", err)
	}
	return nil
}

// Handler serves the participant's calls and books.
func (p *Participant) Handler() http.Handler { return p.handler }

// Gateway is what stands before the calls; change what it bears with
// [gateway.Gateway.SetModel].
func (p *Participant) Gateway() *gateway.Gateway { return p.gateway }

// Books reads the totals.
func (p *Participant) Books(ctx context.Context) (Books, error) {
	return readBooks(ctx, p.reader, p.name)
}

// Close closes the books, after the server that uses them was stopped.
func (p *Participant) Close() error {
	return errors.Join(p.reader.Close(), p.writer.Close(), p.log.Close())
}
