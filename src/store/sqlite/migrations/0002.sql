-- Format 2. What many requests begin with is kept once: a call's request is its head's text and then its own.
-- A call of format 1 has no head.

CREATE TABLE heads (
    id     INTEGER PRIMARY KEY,
    digest BLOB NOT NULL,
    text   TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX heads_by_digest ON heads (digest);

ALTER TABLE calls ADD COLUMN head INTEGER REFERENCES heads (id);
