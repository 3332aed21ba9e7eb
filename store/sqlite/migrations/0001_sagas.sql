-- What changes in a saga is small and rewritten; what does not is appended.

-- One row. The counts are of sagas by phase. Journal rows begin above
-- journal_floor, so that a number is never given twice.
CREATE TABLE meta (
  one           INTEGER PRIMARY KEY CHECK (one = 1),
  epoch         INTEGER NOT NULL,
  journal_floor INTEGER NOT NULL,
  running       INTEGER NOT NULL,
  compensating  INTEGER NOT NULL,
  completed     INTEGER NOT NULL,
  compensated   INTEGER NOT NULL,
  dead_lettered INTEGER NOT NULL
) STRICT;
INSERT INTO meta VALUES (1, 0, 0, 0, 0, 0, 0, 0);

-- Names that many rows mention: nodes, targets, saga types.
CREATE TABLE name (
  id   INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE
) STRICT;

-- The definitions that sagas began with, by name and version.
CREATE TABLE def (
  id      INTEGER PRIMARY KEY,
  name    TEXT NOT NULL,
  version TEXT NOT NULL,
  UNIQUE (name, version)
) STRICT;

-- rid is id.ID.Sequence. hot and fixed are what row.go says.
CREATE TABLE saga (
  rid     INTEGER PRIMARY KEY,
  version INTEGER NOT NULL,
  phase   INTEGER NOT NULL,
  due     INTEGER NOT NULL,
  hot     BLOB NOT NULL,
  fixed   BLOB NOT NULL
) STRICT;
CREATE INDEX saga_due ON saga (due) WHERE due >= 0;
-- Sagas off the straight way from running (0) to completed (2). (An IN here would
-- make SQLite build a table of its values for every row that is written.)
CREATE INDEX saga_phase ON saga (phase) WHERE phase <> 0 AND phase <> 2;

-- One row holds the entries of several transitions of one commit: segment.go.
-- The entries of one saga are chained backwards from saga.hot's head.
CREATE TABLE journal (
  seq   INTEGER PRIMARY KEY,
  epoch INTEGER NOT NULL,
  node  INTEGER NOT NULL,
  at    INTEGER NOT NULL,
  body  BLOB NOT NULL
) STRICT;

-- The identities of starts: keys.go. A bucket's blocks are key_block.id =
-- bucket * 256 + the first byte of the hash.
CREATE TABLE key_log (
  seq  INTEGER PRIMARY KEY,
  body BLOB NOT NULL
) STRICT;
CREATE TABLE key_bucket (
  id      INTEGER PRIMARY KEY,
  entries INTEGER NOT NULL,
  median  INTEGER NOT NULL,
  high    INTEGER NOT NULL
) STRICT;
CREATE TABLE key_block (
  id   INTEGER PRIMARY KEY,
  body BLOB NOT NULL
) STRICT;

CREATE TABLE task (
  rid        INTEGER NOT NULL,
  step       INTEGER NOT NULL,
  saga       BLOB NOT NULL,
  target     INTEGER NOT NULL,
  type       INTEGER NOT NULL,
  class      INTEGER NOT NULL,
  tenant     TEXT NOT NULL,
  generation INTEGER NOT NULL,
  attempt    INTEGER NOT NULL,
  due        INTEGER NOT NULL,
  queued     INTEGER NOT NULL,
  ask        INTEGER NOT NULL,
  epoch      INTEGER NOT NULL,
  PRIMARY KEY (rid, step)
) STRICT, WITHOUT ROWID;
CREATE INDEX task_queue ON task (target, type, class, due, rid, step, queued);

-- direction: 0 is the action, 1 the compensation.
CREATE TABLE dead_letter (
  rid       INTEGER NOT NULL,
  step      INTEGER NOT NULL,
  direction INTEGER NOT NULL,
  saga      BLOB NOT NULL,
  type      TEXT NOT NULL,
  tenant    TEXT NOT NULL,
  step_name TEXT NOT NULL,
  service   TEXT NOT NULL,
  key       TEXT NOT NULL,
  attempts  INTEGER NOT NULL,
  throttled INTEGER NOT NULL,
  first_at  INTEGER NOT NULL,
  dead_at   INTEGER NOT NULL,
  status    INTEGER NOT NULL,
  error     TEXT NOT NULL,
  message   TEXT NOT NULL,
  cause     TEXT NOT NULL,
  state     TEXT NOT NULL,
  amount    TEXT NOT NULL,
  by        TEXT NOT NULL,
  reason    TEXT NOT NULL,
  evidence  TEXT NOT NULL,
  updated   INTEGER NOT NULL,
  PRIMARY KEY (rid, step, direction)
) STRICT, WITHOUT ROWID;
CREATE INDEX dead_letter_at ON dead_letter (dead_at, rid, step, direction);
CREATE INDEX dead_letter_state ON dead_letter (state, dead_at, rid, step, direction);

-- Revisions of definitions; of one name the highest id is the newest.
CREATE TABLE definition (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  name    TEXT NOT NULL,
  version TEXT NOT NULL,
  body    BLOB NOT NULL,
  created INTEGER NOT NULL,
  by      TEXT NOT NULL,
  UNIQUE (name, version)
) STRICT;
CREATE INDEX definition_newest ON definition (name, id);

CREATE TABLE alert (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  at        INTEGER NOT NULL,
  kind      TEXT NOT NULL,
  saga      BLOB NOT NULL,
  service   TEXT NOT NULL,
  message   TEXT NOT NULL,
  data      BLOB NOT NULL,
  delivered INTEGER NOT NULL
) STRICT;
CREATE INDEX alert_pending ON alert (id) WHERE delivered = 0;

CREATE TABLE audit (
  id     INTEGER PRIMARY KEY AUTOINCREMENT,
  at     INTEGER NOT NULL,
  actor  TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  reason TEXT NOT NULL,
  data   BLOB NOT NULL
) STRICT;

CREATE TABLE lane (
  service TEXT NOT NULL,
  name    TEXT NOT NULL,
  reason  TEXT NOT NULL,
  by      TEXT NOT NULL,
  at      INTEGER NOT NULL,
  PRIMARY KEY (service, name)
) STRICT, WITHOUT ROWID;
