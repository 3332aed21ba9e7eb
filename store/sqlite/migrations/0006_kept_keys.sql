-- What is left of purged sagas whose key stays taken for longer. fixed is the saga's,
-- digest that of its input, ended when it was updated last.
CREATE TABLE kept_key (
  rid    INTEGER PRIMARY KEY,
  phase  INTEGER NOT NULL,
  ended  INTEGER NOT NULL,
  digest BLOB NOT NULL,
  fixed  BLOB NOT NULL
) STRICT;
CREATE INDEX kept_key_ended ON kept_key (ended);
