package participant

// The barrier's table, one row per call that took place. A row of outcome
// "open" only held the lock on its step; "blocked" is an action that may not
// happen any more; "empty" is a compensation that had nothing to undo.
//
// Both statements may be run at every start of the service.
const (
	// SchemaSQLite creates the table on SQLite 3.37 or later.
	SchemaSQLite = `CREATE TABLE IF NOT EXISTS unwind_barrier (
	saga        TEXT    NOT NULL,
	step        TEXT    NOT NULL,
	direction   TEXT    NOT NULL,
	generation  INTEGER NOT NULL,
	outcome     TEXT    NOT NULL,
	body_sha    TEXT    NOT NULL,
	answer      TEXT    NOT NULL,
	at          INTEGER NOT NULL, -- microseconds since 1970
	PRIMARY KEY (saga, step, direction, generation)
) STRICT, WITHOUT ROWID`

	// SchemaPostgres creates the table on PostgreSQL.
	SchemaPostgres = `CREATE TABLE IF NOT EXISTS unwind_barrier (
	saga        text   NOT NULL,
	step        text   NOT NULL,
	direction   text   NOT NULL,
	generation  bigint NOT NULL,
	outcome     text   NOT NULL,
	body_sha    text   NOT NULL,
	answer      text   NOT NULL,
	at          bigint NOT NULL, -- microseconds since 1970
	PRIMARY KEY (saga, step, direction, generation)
)`
)

// The statements are the same for both: $1 is also SQLite's.
const (
	// lockStep takes the row of the step's first action, whichever call comes:
	// all calls of one step, in either direction, wait for each other here. As
	// the first statement of its transaction it also takes SQLite's write lock
	// without reading first.
	lockStep = `INSERT INTO unwind_barrier (saga, step, direction, generation, outcome, body_sha, answer, at)
VALUES ($1, $2, 'action', 0, 'open', '', '', $3)
ON CONFLICT (saga, step, direction, generation) DO UPDATE SET outcome = unwind_barrier.outcome`

	readStep = `SELECT direction, generation, outcome, body_sha, answer FROM unwind_barrier
WHERE saga = $1 AND step = $2 ORDER BY direction, generation`

	writeCall = `INSERT INTO unwind_barrier (saga, step, direction, generation, outcome, body_sha, answer, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (saga, step, direction, generation) DO UPDATE
SET outcome = excluded.outcome, body_sha = excluded.body_sha, answer = excluded.answer, at = excluded.at`

	blockAction = `UPDATE unwind_barrier SET outcome = 'blocked'
WHERE saga = $1 AND step = $2 AND direction = 'action' AND generation = 0 AND outcome = 'open'`

	purge = `DELETE FROM unwind_barrier WHERE (saga, step) IN (
SELECT saga, step FROM unwind_barrier GROUP BY saga, step HAVING max(at) < $1)`
)
