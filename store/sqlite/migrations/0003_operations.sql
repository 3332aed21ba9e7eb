-- People look after dead letters, and act on many at once.

ALTER TABLE dead_letter ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE dead_letter ADD COLUMN replays INTEGER NOT NULL DEFAULT 0;
-- The item that the last replay was for; 0: none.
ALTER TABLE dead_letter ADD COLUMN operation INTEGER NOT NULL DEFAULT 0;
ALTER TABLE dead_letter ADD COLUMN item INTEGER NOT NULL DEFAULT 0;
-- Groups are counted from this index alone.
CREATE INDEX dead_letter_cause ON dead_letter (cause, dead_at, rid, step, direction, state, replays, amount);

CREATE TABLE note (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  rid       INTEGER NOT NULL,
  step      INTEGER NOT NULL,
  direction INTEGER NOT NULL,
  at        INTEGER NOT NULL,
  by        TEXT NOT NULL,
  text      TEXT NOT NULL,
  owner     TEXT NOT NULL
) STRICT;
CREATE INDEX note_of ON note (rid, step, direction, id);

-- at is when it last changed; of a selection, when it expires.
CREATE TABLE operation (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  revision INTEGER NOT NULL,
  state    TEXT NOT NULL,
  key      TEXT NOT NULL,
  at       INTEGER NOT NULL,
  body     BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX operation_key ON operation (key) WHERE key <> '';
CREATE UNIQUE INDEX operation_revision ON operation (revision);
ALTER TABLE meta ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;

-- outcome is store.ItemOutcome. A saga as a whole has the step -1.
CREATE TABLE operation_item (
  operation INTEGER NOT NULL,
  seq       INTEGER NOT NULL,
  saga      BLOB NOT NULL,
  step      INTEGER NOT NULL,
  direction INTEGER NOT NULL,
  outcome   INTEGER NOT NULL,
  why       TEXT NOT NULL,
  PRIMARY KEY (operation, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX operation_item_outcome ON operation_item (operation, outcome, seq, why);
