-- What is about to be asked of a vendor that knows a request again by its token.
CREATE TABLE intent (
  id INTEGER PRIMARY KEY,
  scope INTEGER NOT NULL REFERENCES scope (id),
  run INTEGER NOT NULL REFERENCES run (id),
  subject TEXT NOT NULL,
  operation TEXT NOT NULL,
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  token TEXT NOT NULL UNIQUE,
  at INTEGER NOT NULL,
  ended_at INTEGER,
  outcome TEXT CHECK (outcome IN ('done', 'refused', 'not_sent', 'overtaken')),
  detail TEXT,
  CHECK ((ended_at IS NULL) = (outcome IS NULL))
) STRICT;
CREATE INDEX intent_open ON intent (scope, subject) WHERE outcome IS NULL;
