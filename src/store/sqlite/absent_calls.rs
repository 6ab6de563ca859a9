//! Which calls the journal certainly does not have, told from memory: a new call is looked up before
//! it is made, and nearly all of a run's calls are new.
//!
//! It is a Bloom filter (Bloom 1970) over the keys of all calls. Only its `no` counts: a `maybe` is
//! looked up in the file. What other processes keep is added when the writer sees their commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{Connection, Params, params};

use crate::digest::Digest;

/// 2 MiB: one wrong `maybe` in forty for a million calls, and one in two for four million.
const BITS: usize = 1 << 24;
/// With more calls than this in the file, nearly every answer would be a `maybe`.
const MOST_CALLS: i64 = 4_000_000;
/// How many of them are added at once: a few milliseconds' work.
const CALLS_PER_STEP: i64 = 4096;
/// How long the writer's last look at what others have kept holds. Two processes that ask the same
/// within so short a time would both ask it anyway: a model takes longer.
const FRESH: Duration = Duration::from_millis(20);

/// The filter, shared by the writer, which fills it, and by those who look calls up.
pub(super) struct AbsentCalls {
    bits: Box<[AtomicU64]>,
    began: Instant,
    /// Whether the calls that were there at the beginning are in.
    is_filled: AtomicBool,
    /// Microseconds from `began` to the writer's last look at what others have kept.
    caught_up: AtomicU64,
}

impl AbsentCalls {
    /// An empty filter; it says `maybe` until a [`Follower`] has filled it.
    pub(super) fn new() -> Self {
        Self {
            bits: (0..BITS / 64).map(|_| AtomicU64::new(0)).collect(),
            began: Instant::now(),
            is_filled: AtomicBool::new(false),
            caught_up: AtomicU64::new(0),
        }
    }

    /// Whether the journal has no call under `key`, for certain.
    pub(super) fn is_absent(&self, key: Digest) -> bool {
        self.is_filled.load(Ordering::Acquire) && self.is_fresh() && !self.may_have(key)
    }

    /// Adds a key, before the call under it is committed.
    pub(super) fn add(&self, key: Digest) {
        for (word, bit) in places(key) {
            self.bits[word].fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// Adds the keys that a query gives.
    fn add_all(
        &self,
        connection: &Connection,
        sql: &str,
        parameters: impl Params,
    ) -> rusqlite::Result<Option<Digest>> {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(parameters)?;
        let mut last = None;
        while let Some(row) = rows.next()? {
            let key = Digest::from_bytes(row.get(0)?);
            self.add(key);
            last = Some(key);
        }
        Ok(last)
    }

    fn may_have(&self, key: Digest) -> bool {
        places(key)
            .into_iter()
            .all(|(word, bit)| self.bits[word].load(Ordering::Relaxed) & bit != 0)
    }

    fn is_fresh(&self) -> bool {
        let caught_up = Duration::from_micros(self.caught_up.load(Ordering::Acquire));
        caught_up > Duration::ZERO && self.began.elapsed().saturating_sub(caught_up) < FRESH
    }
}

/// Where the four bits of a key are. A digest is random already, so its own bits say where.
fn places(key: Digest) -> [(usize, u64); 4] {
    [0, 4, 8, 12].map(|start| {
        let part = &key.as_bytes()[start..start + 4];
        let number = part
            .iter()
            .fold(0, |all, byte| all << 8 | usize::from(*byte));
        let place = number % BITS;
        (place / 64, 1 << (place % 64))
    })
}

fn newest(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT coalesce(max(id), 0) FROM calls")?
        .query_row([], |row| row.get(0))
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("PRAGMA data_version")?
        .query_row([], |row| row.get(0))
}

/// Keeps the filter true on the writer's thread: fills it with the calls that are there, and adds
/// those that other processes keep.
pub(super) struct Follower {
    calls: Arc<AbsentCalls>,
    /// SQLite's number for the file as others have left it.
    version: i64,
    /// The newest call when the last transaction began.
    newest: i64,
    filling: Filling,
}

/// How far the calls are in the filter that were there at the beginning.
enum Filling {
    /// All keys up to this one.
    UpTo(Digest),
    /// All of them, or so many that a filter is of no use.
    Ended,
}

impl Follower {
    /// Begins to follow the file of the writer's connection.
    pub(super) fn begin(
        calls: Arc<AbsentCalls>,
        connection: &Connection,
    ) -> rusqlite::Result<Self> {
        let mut follower = Self {
            calls,
            version: version(connection)?,
            newest: newest(connection)?,
            filling: Filling::UpTo(Digest::from_bytes([0; 16])),
        };
        if follower.newest > MOST_CALLS {
            follower.filling = Filling::Ended;
        }
        Ok(follower)
    }

    /// Adds the calls that others have kept since the last time; to be called at the beginning of
    /// each transaction, when nobody else can commit.
    pub(super) fn catch_up(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let version = version(connection)?;
        if version != self.version {
            let since = "SELECT key FROM calls WHERE id > ?1";
            self.calls.add_all(connection, since, [self.newest])?;
            self.version = version;
        }
        self.newest = newest(connection)?;
        let now = self.calls.began.elapsed().as_micros();
        let now = u64::try_from(now).unwrap_or(u64::MAX).max(1);
        self.calls.caught_up.store(now, Ordering::Release);
        Ok(())
    }

    /// Adds some of the calls that were there at the beginning; to be called after a commit, where
    /// nobody waits.
    pub(super) fn fill(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let Filling::UpTo(key) = self.filling else {
            return Ok(());
        };
        let further = "SELECT key FROM calls WHERE key > ?1 ORDER BY key LIMIT ?2";
        let parameters = params![key.as_bytes(), CALLS_PER_STEP];
        if let Some(last) = self.calls.add_all(connection, further, parameters)? {
            self.filling = Filling::UpTo(last);
        } else {
            self.calls.is_filled.store(true, Ordering::Release);
            self.filling = Filling::Ended;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u32) -> Digest {
        Digest::of(&number.to_le_bytes())
    }

    #[test]
    fn what_was_added_is_never_absent_and_little_else_seems_there() {
        let calls = AbsentCalls::new();
        (0..100_000).for_each(|number| calls.add(key(number)));
        assert!((0..100_000).all(|number| calls.may_have(key(number))));
        let wrong = (100_000..200_000).filter(|number| calls.may_have(key(*number)));
        assert!(wrong.count() < 100);
    }

    #[test]
    fn nothing_is_absent_before_the_filter_is_filled_and_fresh() {
        let file = Connection::open_in_memory().unwrap();
        file.execute_batch("CREATE TABLE calls (id INTEGER PRIMARY KEY, key BLOB UNIQUE)")
            .unwrap();
        file.execute("INSERT INTO calls (key) VALUES (?1)", [key(1).as_bytes()])
            .unwrap();
        let calls = Arc::new(AbsentCalls::new());
        let mut follower = Follower::begin(Arc::clone(&calls), &file).unwrap();
        // However slow the machine is, some look comes soon enough after its catching up.
        let seems_absent = |follower: &mut Follower, number| {
            (0..1000).any(|_| {
                follower.catch_up(&file).unwrap();
                calls.is_absent(key(number))
            })
        };
        assert!(!seems_absent(&mut follower, 2));
        follower.fill(&file).unwrap();
        assert!(!seems_absent(&mut follower, 2));
        follower.fill(&file).unwrap();
        assert!(!seems_absent(&mut follower, 1) && seems_absent(&mut follower, 2));
        calls.add(key(2));
        assert!(!seems_absent(&mut follower, 2) && seems_absent(&mut follower, 3));
        std::thread::sleep(FRESH);
        assert!(!calls.is_absent(key(3)));
    }
}
