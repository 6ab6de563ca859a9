-- Format 1. A file like this is never edited once a release has written it: add the next one.
-- What a query does not always need stands last in its row, so that it can be left unread.

CREATE TABLE runs (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL UNIQUE,
    dataset    TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    scope      TEXT,
    started    TEXT NOT NULL,
    state      TEXT NOT NULL,
    updated    TEXT NOT NULL,
    sealed     INTEGER NOT NULL DEFAULT 0,
    -- The checkpoint.
    lines      INTEGER NOT NULL DEFAULT 0,
    bytes      INTEGER NOT NULL DEFAULT 0,
    rows       INTEGER NOT NULL DEFAULT 0,
    digest     BLOB
) STRICT;

-- AUTOINCREMENT: a position is a cursor, so none is given twice, not even after an unseal.
CREATE TABLE transcripts (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    run      INTEGER NOT NULL REFERENCES runs (id),
    record   TEXT NOT NULL,
    line     INTEGER NOT NULL,
    content  BLOB NOT NULL,
    outcome  TEXT NOT NULL,
    changed  INTEGER NOT NULL,
    digest   BLOB NOT NULL,
    times    TEXT NOT NULL,
    body     TEXT NOT NULL
) STRICT;

-- The record first: this one index also finds a record in every run, by its id or how it begins.
CREATE UNIQUE INDEX transcripts_by_record ON transcripts (record, run);
-- A run's positions in order.
CREATE INDEX transcripts_by_run ON transcripts (run);
-- The failed ones are looked for whenever a run goes on, and few.
CREATE INDEX transcripts_failed ON transcripts (run) WHERE outcome = 'failed';

CREATE TABLE rejected (
    run     INTEGER NOT NULL REFERENCES runs (id),
    line    INTEGER NOT NULL,
    reason  TEXT NOT NULL,
    excerpt TEXT NOT NULL,
    PRIMARY KEY (run, line)
) STRICT, WITHOUT ROWID;

-- The reply stands before the request: it is what is read, and a long request spills over.
CREATE TABLE calls (
    id         INTEGER PRIMARY KEY,
    key        BLOB NOT NULL,
    model      TEXT NOT NULL,
    latency_us INTEGER NOT NULL,
    reply      BLOB NOT NULL,
    request    TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX calls_by_key ON calls (key);

CREATE TABLE notes (
    model TEXT NOT NULL,
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (model, name)
) STRICT, WITHOUT ROWID;
