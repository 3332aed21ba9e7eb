-- Limits hold at scopes: what operators set there, and what flow control keeps over
-- a restart. A queue belongs to a flow, which is a saga type and a tenant.

CREATE TABLE control (
  kind     TEXT NOT NULL,
  name     TEXT NOT NULL,
  tenant   TEXT NOT NULL,
  paused   INTEGER NOT NULL,
  settings BLOB NOT NULL,
  reason   TEXT NOT NULL,
  by       TEXT NOT NULL,
  at       INTEGER NOT NULL,
  PRIMARY KEY (kind, name, tenant)
) STRICT, WITHOUT ROWID;
INSERT INTO control SELECT name, service, '', 1, x'', reason, by, at FROM lane;
DROP TABLE lane;

CREATE TABLE flow (
  kind   TEXT NOT NULL,
  name   TEXT NOT NULL,
  tenant TEXT NOT NULL,
  body   BLOB NOT NULL,
  PRIMARY KEY (kind, name, tenant)
) STRICT, WITHOUT ROWID;

DROP INDEX task_queue;
CREATE INDEX task_queue ON task (target, type, tenant, class, due, rid, step, queued);
