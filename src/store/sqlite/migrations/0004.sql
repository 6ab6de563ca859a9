-- Format 4. Every seal, and what happens to runs and transcripts, is a leaf of one Merkle tree.
-- What older formats hold is given its leaves right behind this.

-- What tells this store's tree from all others.
CREATE TABLE log (
    id TEXT NOT NULL
) STRICT;

-- Rows are only ever appended, so that numbers have no gap: the leaf's index is its number less one.
CREATE TABLE leaves (
    number   INTEGER PRIMARY KEY,
    -- The transcript; absent in an event.
    position INTEGER,
    -- Gone when the payload is gone.
    salt     BLOB,
    hash     BLOB NOT NULL,
    entry    TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX leaves_by_position ON leaves (position) WHERE position IS NOT NULL;
CREATE INDEX leaves_of_events ON leaves (number) WHERE position IS NULL;

CREATE TABLE tree_checkpoints (
    id       INTEGER PRIMARY KEY,
    size     INTEGER NOT NULL,
    at       TEXT NOT NULL,
    frontier BLOB NOT NULL,
    note     TEXT NOT NULL
) STRICT;
