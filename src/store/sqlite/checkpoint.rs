//! When the write-ahead log goes into the main file: after commits, where nobody waits for it, and
//! often enough that the log stays small even while others read.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, MAIN_DB};

use super::connect;

/// Pages in the log after which it is copied; more save copying a page that changes often, fewer
/// keep the file small.
const COPY_PAGES: i32 = 2048;
/// Pages in the log after which readers are waited for, so that it can begin anew.
const WAIT_PAGES: i32 = 8 * COPY_PAGES;
/// How long readers are waited for. One that holds on for longer is waited for again later.
const WAIT: Duration = Duration::from_millis(200);

/// Watches how long the log is.
pub(super) struct Checkpointer {
    pages: Arc<AtomicI32>,
    /// The length at which to try next. A reader may have kept the last try from coming through,
    /// and trying after each commit would cost a disk flush each.
    next: i32,
}

impl Checkpointer {
    /// Takes the checkpoints of this connection over from SQLite, which would make callers wait.
    pub(super) fn take_over(connection: &mut Connection) -> rusqlite::Result<Self> {
        let pages = Arc::new(AtomicI32::new(0));
        let seen = Arc::clone(&pages);
        connection.wal_hook(Some(move |_: &mut Wal, pages| {
            seen.store(pages, Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self {
            pages,
            next: COPY_PAGES,
        })
    }

    /// Shortens the log if it is time.
    pub(super) fn after_commit(&mut self, connection: &mut Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < COPY_PAGES {
            self.next = COPY_PAGES;
        }
        if pages < self.next {
            return;
        }
        self.next = pages.saturating_add(COPY_PAGES);
        // A checkpoint that fails loses nothing: the log keeps what it could not copy, and a full
        // disk is reported by the next commit.
        if pages < WAIT_PAGES {
            let _ = connection.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::PASSIVE);
        } else {
            let _ = connection.busy_timeout(WAIT);
            let _ = connection.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::RESTART);
            let _ = connect::wait_for_others(connection);
        }
    }
}
