-- What a target of an account is told apart by.
CREATE TABLE scope (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  environment TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  account TEXT NOT NULL,
  UNIQUE (kind, environment, endpoint, account)
) STRICT;

CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  scope INTEGER NOT NULL REFERENCES scope (id),
  target TEXT NOT NULL,
  began_at INTEGER NOT NULL,
  imported_at INTEGER,
  ended_at INTEGER,
  inputs TEXT NOT NULL,
  summary TEXT
) STRICT;
CREATE INDEX run_by_name ON run (name);

-- The identity of a version and where it stands. It is rewritten with every step, so whatever is large and does not
-- change lives in content and payload.
CREATE TABLE version (
  id INTEGER PRIMARY KEY,
  scope INTEGER NOT NULL REFERENCES scope (id),
  kind TEXT NOT NULL,
  owner TEXT NOT NULL,
  number TEXT NOT NULL,
  revision INTEGER NOT NULL,
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  payee TEXT,
  run INTEGER NOT NULL REFERENCES run (id),
  state TEXT NOT NULL CHECK (state IN ('received', 'ready', 'armed', 'submitted', 'presumed', 'in_doubt', 'held',
    'accepted', 'rejected', 'superseded', 'cancelled')),
  epoch INTEGER NOT NULL,
  doubtful INTEGER NOT NULL CHECK (doubtful IN (0, 1)),
  released INTEGER NOT NULL CHECK (released IN (0, 1)),
  not_before INTEGER NOT NULL,
  rest_until INTEGER NOT NULL,
  first_armed_at INTEGER NOT NULL,
  asked INTEGER NOT NULL,
  ask_at INTEGER NOT NULL,
  submitted_at INTEGER NOT NULL,
  reference TEXT,
  fault TEXT,
  changed_at INTEGER NOT NULL
) STRICT;
-- All versions of a document, and of all documents with a number.
CREATE INDEX version_by_number ON version (number, scope, kind, owner, revision);
-- The guard against two versions of one document on their way at once.
CREATE UNIQUE INDEX one_open_version ON version (scope, kind, owner, number)
  WHERE state IN ('armed', 'submitted', 'presumed', 'in_doubt');
-- Nearly everything is accepted in the end, so whatever is not is found here without looking at what is.
CREATE INDEX version_by_state ON version (scope, state, id, changed_at) WHERE state <> 'accepted';
CREATE INDEX version_accepted ON version (scope, changed_at) WHERE state = 'accepted';
CREATE INDEX version_to_ask ON version (scope, ask_at, id) WHERE state IN ('submitted', 'presumed') AND ask_at > 0;

CREATE TABLE content (
  version INTEGER PRIMARY KEY REFERENCES version (id),
  memo BLOB NOT NULL,
  item TEXT NOT NULL
) STRICT;

CREATE TABLE payload (
  version INTEGER PRIMARY KEY REFERENCES version (id),
  body BLOB NOT NULL
) STRICT;

CREATE TABLE call (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run (id),
  scope INTEGER NOT NULL REFERENCES scope (id),
  at INTEGER NOT NULL
) STRICT;

CREATE TABLE attempt (
  version INTEGER NOT NULL REFERENCES version (id),
  epoch INTEGER NOT NULL,
  call INTEGER NOT NULL REFERENCES call (id),
  place INTEGER NOT NULL,
  armed_at INTEGER NOT NULL,
  outcome TEXT,
  PRIMARY KEY (version, epoch)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_by_call ON attempt (call, place);
-- The guard against sending a version again while nobody knows what became of it.
CREATE UNIQUE INDEX one_open_attempt ON attempt (version) WHERE outcome IS NULL;

-- What came back, as it came. Each row is chained to the one before it.
CREATE TABLE evidence (
  id INTEGER PRIMARY KEY,
  call INTEGER NOT NULL REFERENCES call (id),
  at INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('answer', 'not_sent', 'maybe_sent')),
  status INTEGER NOT NULL,
  headers TEXT NOT NULL,
  body BLOB,
  body_digest BLOB NOT NULL,
  cut INTEGER NOT NULL CHECK (cut IN (0, 1)),
  previous BLOB NOT NULL,
  hash BLOB NOT NULL
) STRICT;
CREATE INDEX evidence_by_call ON evidence (call);
CREATE TRIGGER evidence_is_not_deleted BEFORE DELETE ON evidence
BEGIN
  SELECT RAISE(ABORT, 'evidence is append-only');
END;
-- The one change that is let through is that a body is pruned; its digest stays, so the chain stays whole.
CREATE TRIGGER evidence_is_not_changed BEFORE UPDATE ON evidence
WHEN NOT (OLD.body IS NOT NULL AND NEW.body IS NULL AND NEW.id IS OLD.id AND NEW.call IS OLD.call AND NEW.at IS OLD.at
  AND NEW.kind IS OLD.kind AND NEW.status IS OLD.status AND NEW.headers IS OLD.headers
  AND NEW.body_digest IS OLD.body_digest AND NEW.cut IS OLD.cut AND NEW.previous IS OLD.previous AND NEW.hash IS OLD.hash)
BEGIN
  SELECT RAISE(ABORT, 'evidence is append-only');
END;

-- What people did, to a version or (without one) to the journal as a whole. Each row is chained to the one before it.
CREATE TABLE act (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  version INTEGER REFERENCES version (id),
  verb TEXT NOT NULL,
  who TEXT NOT NULL,
  reason TEXT NOT NULL,
  previous BLOB NOT NULL,
  hash BLOB NOT NULL
) STRICT;
CREATE INDEX act_by_version ON act (version);
CREATE TRIGGER act_is_not_deleted BEFORE DELETE ON act
BEGIN
  SELECT RAISE(ABORT, 'acts are append-only');
END;
CREATE TRIGGER act_is_not_changed BEFORE UPDATE ON act
BEGIN
  SELECT RAISE(ABORT, 'acts are append-only');
END;

-- How documents ended in a run, in the order in which they did.
CREATE TABLE item (
  run INTEGER NOT NULL REFERENCES run (id),
  sequence INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  item TEXT NOT NULL,
  PRIMARY KEY (run, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE payee (
  scope INTEGER NOT NULL REFERENCES scope (id),
  payee TEXT NOT NULL,
  PRIMARY KEY (scope, payee)
) STRICT, WITHOUT ROWID;

CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
-- Which journal this is, so that a file that lies beside it is known to be its own.
INSERT INTO meta (key, value) VALUES ('journal', lower(hex(randomblob(16))));
