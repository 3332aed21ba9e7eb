package sqlite

import (
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind/internal/planted"
	"github.com/unwindhq/unwind/store"
)

// The writer is the one connection that writes, its statements, and what it
// knows of the file without asking: exactly what its last commit left, because
// the epoch keeps others from writing. A transaction that fails undoes what it
// changed here.
type writer struct {
	conn   *sqlite.Conn
	config *Config
	names  *names
	keys   *keys

	epoch int64 // of the last Join, as the transaction finds it
	at    int64 // of the batch
	node  int64 // of the batch

	heads  heads
	counts [phases]int64
	moved  [phases]int64 // what the transaction does to counts
	seq    int64         // the last journal row
	kept   int64         // seq before the transaction

	segment []byte // of journal row seq+1, which is being filled
	entries int
	scratch []byte
	blob    []byte
	fixed   []byte

	blocks blocks

	pages   int   // written since the WAL's length was last asked for
	seen    int64 // PRAGMA data_version when the file was last read; 0: it was not
	pending bool  // only with a planted bug: a transaction waits for its commit

	statements
}

// phases is how many phases a saga may be in: machine.Running to machine.DeadLettered.
const phases = 5

type statements struct {
	begin, commit, rollback, fence, join, count           *sqlite.Stmt
	insertName, insertDef                                 *sqlite.Stmt
	insertSaga, readSaga, readKept, move, moveTo, moveDue *sqlite.Stmt
	insertJournal, readJournal                            *sqlite.Stmt
	logKeys, dropLog, insertBucket, insertBlock, keyBlock *sqlite.Stmt
	putTask, dropTask                                     *sqlite.Stmt
	openDead, moveDead, deadItem, moveItemTo              *sqlite.Stmt
	insertAlert, noticeAlert, overAlert                   *sqlite.Stmt
	auditHead, insertAudit, moveAuditHead                 *sqlite.Stmt
	putControl, dropControl, putFlow, dropFlow            *sqlite.Stmt
	insertDefinition, newestDefinition                    *sqlite.Stmt
}

func newWriter(conn *sqlite.Conn, config *Config, names *names, keys *keys) (*writer, error) {
	w := &writer{conn: conn, config: config, names: names, keys: keys}
	w.heads.limit = config.RecentSagas / 2
	w.blocks.reset()
	if planted.On(planted.SkipFsync) {
		if err := pragmas(conn, "synchronous=OFF"); err != nil {
			return nil, err
		}
	}
	if err := w.prepare(); err != nil {
		return nil, err
	}
	if err := w.load(); err != nil {
		return nil, err
	}
	return w, nil
}

// The statements of the hot path. A move of a saga whose phase and due stay
// touches no index.
const (
	startQuery   = "INSERT INTO saga VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
	moveQuery    = "UPDATE saga SET version = ?2, hot = ?3" + atVersion
	moveToQuery  = "UPDATE saga SET version = ?2, hot = ?3, phase = ?4" + atVersion
	moveDueQuery = "UPDATE saga SET version = ?2, hot = ?3, phase = ?4, due = ?5" + atVersion
	atVersion    = " WHERE rid = ?1 AND version = ?2 - 1"
)

// openDeadQuery keeps what a dead letter that opens anew does not begin afresh.
const openDeadQuery = `INSERT INTO dead_letter (rid, step, direction, saga, type, tenant, step_name, service, key, attempts, throttled,
		first_at, dead_at, status, error, message, cause, state, amount, by, reason, evidence, updated)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT DO UPDATE SET saga = excluded.saga, type = excluded.type, tenant = excluded.tenant, step_name = excluded.step_name,
		service = excluded.service, key = excluded.key, attempts = excluded.attempts, throttled = excluded.throttled,
		first_at = excluded.first_at, dead_at = excluded.dead_at, status = excluded.status, error = excluded.error,
		message = excluded.message, cause = excluded.cause, state = excluded.state, amount = excluded.amount,
		by = excluded.by, reason = excluded.reason, evidence = excluded.evidence, updated = excluded.updated`

func (w *writer) prepare() error {
	for _, s := range []struct {
		to    **sqlite.Stmt
		query string
	}{
		{&w.begin, "BEGIN IMMEDIATE"},
		{&w.commit, "COMMIT"},
		{&w.rollback, "ROLLBACK"},
		{&w.fence, "SELECT epoch FROM meta WHERE one = 1"},
		{&w.join, "UPDATE meta SET epoch = epoch + 1 WHERE one = 1"},
		{&w.count, `UPDATE meta SET running = ?, compensating = ?, completed = ?, compensated = ?, dead_lettered = ?
			WHERE one = 1`},
		{&w.insertName, "INSERT INTO name (text) VALUES (?)"},
		{&w.insertDef, "INSERT INTO def (name, version) VALUES (?, ?)"},
		{&w.insertSaga, startQuery},
		{&w.readSaga, "SELECT version, phase, due, hot, fixed FROM saga WHERE rid = ?"},
		{&w.readKept, selectKept},
		{&w.move, moveQuery},
		{&w.moveTo, moveToQuery},
		{&w.moveDue, moveDueQuery},
		{&w.insertJournal, "INSERT INTO journal VALUES (?, ?, ?, ?, ?)"},
		{&w.readJournal, "SELECT epoch, node, at, body FROM journal WHERE seq = ?"},
		{&w.logKeys, "INSERT INTO key_log (body) VALUES (?)"},
		{&w.dropLog, "DELETE FROM key_log"},
		{&w.insertBucket, "INSERT INTO key_bucket VALUES (?, ?, ?, ?)"},
		{&w.insertBlock, "INSERT INTO key_block VALUES (?, ?)"},
		{&w.keyBlock, "SELECT body FROM key_block WHERE id = ?"},
		{&w.putTask, "INSERT OR REPLACE INTO task VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
		{&w.dropTask, "DELETE FROM task WHERE rid = ? AND step = ?"},
		{&w.openDead, openDeadQuery},
		{&w.moveDead, `UPDATE dead_letter SET state = ?4, updated = ?5,
			by = iif(?6 = '', by, ?6), reason = iif(?7 = '', reason, ?7), evidence = iif(?8 = '', evidence, ?8),
			replays = replays + ?9, operation = iif(?9, ?10, operation), item = iif(?9, ?11, item)
			WHERE rid = ?1 AND step = ?2 AND direction = ?3`},
		{&w.deadItem, "SELECT operation, item FROM dead_letter WHERE rid = ? AND step = ? AND direction = ?"},
		{&w.moveItemTo, "UPDATE operation_item SET outcome = ?4 WHERE operation = ?1 AND seq = ?2 AND outcome = ?3"},
		{&w.insertAlert, insertAlertQuery},
		{&w.noticeAlert, noticeAlertQuery},
		{&w.overAlert, overAlertQuery},
		{&w.auditHead, selectAuditHead},
		{&w.insertAudit, insertAuditRow},
		{&w.moveAuditHead, updateAuditHead},
		{&w.putControl, "INSERT OR REPLACE INTO control VALUES (?, ?, ?, ?, ?, ?, ?, ?)"},
		{&w.dropControl, "DELETE FROM control WHERE kind = ? AND name = ? AND tenant = ?"},
		{&w.putFlow, "INSERT OR REPLACE INTO flow VALUES (?, ?, ?, ?)"},
		{&w.dropFlow, "DELETE FROM flow WHERE kind = ? AND name = ? AND tenant = ?"},
		{&w.insertDefinition, "INSERT OR REPLACE INTO definition (name, version, body, created, by) VALUES (?, ?, ?, ?, ?)"},
		{&w.newestDefinition, "SELECT version FROM definition WHERE name = ? ORDER BY id DESC LIMIT 1"},
	} {
		query := s.query
		if planted.On(planted.SkipVersionCheck) {
			query = unversioned.Replace(query)
		}
		stmt, err := w.conn.Prepare(query)
		if err != nil {
			return fmt.Errorf("preparing a statement: %w", err)
		}
		*s.to = stmt
	}
	return nil
}

// load reads what the writer knows of the file.
func (w *writer) load() error {
	seen, err := pragmaInt(w.conn, "data_version")
	if err != nil || seen == w.seen {
		return err
	}
	w.seen = 0 // until all is read
	w.heads.clear()
	w.blocks.reset()
	err = each(w.conn, `SELECT running, compensating, completed, compensated, dead_lettered,
		max(journal_floor, (SELECT ifnull(max(seq), 0) FROM journal)) FROM meta`, func(s *sqlite.Stmt) error {
		for i := range w.counts {
			w.counts[i] = s.ColumnInt64(i)
		}
		w.seq = s.ColumnInt64(phases)
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading the counts: %w", err)
	}
	w.kept = w.seq
	if err := w.names.load(w.conn); err != nil {
		return fmt.Errorf("reading the names: %w", err)
	}
	if err := w.keys.load(w.conn); err != nil {
		return fmt.Errorf("reading the keys: %w", err)
	}
	w.seen = seen
	return nil
}

// open begins a transaction and lets only the current epoch pass.
func (w *writer) open(epoch int64) error {
	if err := w.finishPending(); err != nil {
		return err
	}
	if err := exec(w.begin); err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	if w.seen == 0 { // a Join failed
		if err := w.load(); err != nil {
			return err
		}
	}
	_, err := w.fence.Step()
	w.epoch = w.fence.ColumnInt64(0)
	if err == nil {
		err = w.fence.Reset()
	}
	switch {
	case err != nil:
		return fmt.Errorf("reading the epoch: %w", err)
	case (epoch != w.epoch || epoch == 0) && !planted.On(planted.DropFence):
		return fmt.Errorf("writing with epoch %d while %d is current: %w", epoch, w.epoch, store.ErrFenced)
	}
	return nil
}

// seal makes the transaction durable.
func (w *writer) seal() error {
	if w.moved != ([phases]int64{}) {
		if err := w.writeCounts(); err != nil {
			return err
		}
	}
	if planted.On(planted.AcknowledgeEarly) {
		w.pending = true
		w.keep()
		return nil
	}
	if err := exec(w.commit); err != nil {
		return commitError{err}
	}
	w.keep()
	return nil
}

func (w *writer) writeCounts() error {
	for i := range w.counts {
		w.count.BindInt64(i+1, w.counts[i]+w.moved[i])
	}
	if err := exec(w.count); err != nil {
		return fmt.Errorf("counting the sagas: %w", err)
	}
	return nil
}

// keep takes over what the transaction changed.
func (w *writer) keep() {
	for i := range w.counts {
		w.counts[i] += w.moved[i]
	}
	w.moved = [phases]int64{}
	w.kept = w.seq
	w.names.keep()
	w.keys.keep()
}

// abort rolls back and forgets what the transaction changed.
func (w *writer) abort() error {
	w.moved = [phases]int64{}
	w.seq = w.kept
	w.segment, w.entries = w.segment[:0], 0
	w.heads.clear()
	w.names.forget()
	w.keys.forget()
	if w.conn.AutocommitEnabled() {
		return nil // SQLite has rolled back by itself
	}
	return exec(w.rollback)
}

// finishPending is for a planted bug only.
func (w *writer) finishPending() error {
	if !w.pending {
		return nil
	}
	w.pending = false
	return exec(w.commit)
}
