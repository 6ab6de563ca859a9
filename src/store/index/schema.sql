-- The index of a store, all of it derived: another version of this file makes a new index of the store.

-- Which store it is of, by its log, and how many of the log's leaves were looked through for erasures and reviews.
CREATE TABLE source (
    log     TEXT NOT NULL,
    events  INTEGER NOT NULL,
    -- 1 while the file may still hold words of transcripts that were forgotten.
    residue INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE runs (
    id      INTEGER PRIMARY KEY,
    name    TEXT NOT NULL UNIQUE,
    started TEXT NOT NULL,
    -- The last position that was taken in.
    last    INTEGER NOT NULL DEFAULT 0,
    count   INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What is counted together: the transcripts of one run under one constitution.
CREATE TABLE groups (
    id      INTEGER PRIMARY KEY,
    run     INTEGER NOT NULL,
    digest  TEXT NOT NULL,
    name    TEXT NOT NULL,
    version TEXT NOT NULL,
    UNIQUE (run, digest)
) STRICT;

-- Principles and tags, by the numbers that facts know them by.
CREATE TABLE names (
    id   INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (kind, name)
) STRICT;

CREATE TABLE items (
    position INTEGER PRIMARY KEY,
    run      INTEGER NOT NULL,
    grp      INTEGER NOT NULL,
    line     INTEGER NOT NULL,
    record   TEXT NOT NULL,
    outcome  INTEGER NOT NULL,
    content  BLOB NOT NULL,
    facts    TEXT NOT NULL,
    excerpt  TEXT NOT NULL
) STRICT;

-- Two runs are compared by this alone. A record that is done again is there twice for a moment.
CREATE INDEX items_by_record ON items (run, record, outcome);
CREATE INDEX items_by_run ON items (run);

CREATE TABLE tallies (
    grp  INTEGER NOT NULL,
    kind TEXT NOT NULL,
    key  INTEGER NOT NULL,
    n    INTEGER NOT NULL,
    PRIMARY KEY (grp, kind, key)
) STRICT, WITHOUT ROWID;

-- The facts of an item are words, too: a filter is a search for several words, and every search
-- gives its rows by position, so that a page reads no more than it shows.
CREATE VIRTUAL TABLE words USING fts5 (
    facets, body,
    content = '', contentless_delete = 1,
    tokenize = "unicode61 remove_diacritics 2"
);
-- Fewer and larger pieces while a whole store is taken in.
INSERT INTO words (words, rank) VALUES ('hashsize', 33554432);
