-- Format 5. What people need who review transcripts.

-- The principles as they stood, under the digest that transcripts name.
CREATE TABLE constitutions (
    digest BLOB PRIMARY KEY,
    text   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The ones that wait for people are looked for again and again, and few.
CREATE INDEX transcripts_held ON transcripts (run, position) WHERE outcome = 'held';

-- Who looks at a held transcript now, and until when nobody else is given it.
CREATE TABLE claims (
    run      INTEGER NOT NULL REFERENCES runs (id),
    record   TEXT NOT NULL,
    reviewer TEXT NOT NULL,
    until    TEXT NOT NULL,
    PRIMARY KEY (run, record, reviewer)
) STRICT, WITHOUT ROWID;
