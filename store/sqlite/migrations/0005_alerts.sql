-- Alerts fire under a key until they are over; every sink is told of each, and of
-- its end. What an older file holds is over: what still goes on fires anew.

ALTER TABLE alert ADD COLUMN key TEXT NOT NULL DEFAULT '';
-- When it was over; 0: it fires.
ALTER TABLE alert ADD COLUMN resolved INTEGER NOT NULL DEFAULT 0;
-- Of a notice, the alert that has ended; 0: it is no notice.
ALTER TABLE alert ADD COLUMN resolves INTEGER NOT NULL DEFAULT 0;
UPDATE alert SET resolved = max(at, 1);
CREATE UNIQUE INDEX alert_key ON alert (key) WHERE resolved = 0;
CREATE INDEX alert_firing ON alert (id, kind) WHERE resolved = 0;

-- A sink has acknowledged all up to an id; all of them, up to the floor.
CREATE TABLE alert_sink (
  name  TEXT PRIMARY KEY,
  acked INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
ALTER TABLE meta ADD COLUMN alert_floor INTEGER NOT NULL DEFAULT 0;
UPDATE meta SET alert_floor = ifnull(
  (SELECT min(id) - 1 FROM alert WHERE delivered = 0), ifnull((SELECT max(id) FROM alert), 0));
DROP INDEX alert_pending;
ALTER TABLE alert DROP COLUMN delivered;
