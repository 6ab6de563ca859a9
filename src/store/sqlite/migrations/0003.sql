-- Format 3. Steering a run under way, and what it has spent.

-- What another process asks of the process that works on a run.
CREATE TABLE commands (
    run    INTEGER NOT NULL REFERENCES runs (id),
    number INTEGER NOT NULL,
    at     TEXT NOT NULL,
    taken  TEXT,
    text   TEXT NOT NULL,
    answer TEXT,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;

-- How a run stands, as the process that works on it last said.
CREATE TABLE status (
    run  INTEGER PRIMARY KEY REFERENCES runs (id),
    at   TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;

-- What the calls of a run took, over all its processes.
CREATE TABLE spent (
    run            INTEGER PRIMARY KEY REFERENCES runs (id),
    input          INTEGER NOT NULL,
    cached         INTEGER NOT NULL,
    output         INTEGER NOT NULL,
    unpriced_calls INTEGER NOT NULL,
    cost           REAL NOT NULL
) STRICT;
