-- The audit is a chain of hashes: store.Audit. chain.go fills it in for the rows
-- that are there already.
ALTER TABLE audit ADD COLUMN previous BLOB NOT NULL DEFAULT x'';
ALTER TABLE audit ADD COLUMN hash BLOB NOT NULL DEFAULT x'';

-- Where the chain ended when it was last written to, whatever became of the rows.
CREATE TABLE audit_head (
  one   INTEGER PRIMARY KEY CHECK (one = 1),
  id    INTEGER NOT NULL,
  hash  BLOB NOT NULL,
  count INTEGER NOT NULL
) STRICT;
INSERT INTO audit_head VALUES (1, 0, zeroblob(32), 0);
