//! The readers: connections that see the last commit and never wait for the writer.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use rusqlite::Connection;

use super::failure::Failure;
use crate::store::StoreError;

/// Connections for look-ups, each of which takes microseconds.
const LOOK_UPS: usize = 4;
/// Connections for scans. They are others, so that no look-up waits for a scan.
const SCANS: usize = 2;

/// The read connections of a store.
pub(super) struct Readers {
    location: String,
    look_ups: Pool,
    scans: Arc<Pool>,
}

impl Readers {
    /// Opens them all through `connect`.
    pub(super) fn open(
        path: &Path,
        location: &str,
        connect: fn(&Path) -> rusqlite::Result<Connection>,
    ) -> rusqlite::Result<Self> {
        Ok(Self {
            location: location.to_owned(),
            look_ups: Pool::open(LOOK_UPS, || connect(path))?,
            scans: Arc::new(Pool::open(SCANS, || connect(path))?),
        })
    }

    /// Looks something up by a key. It takes a few microseconds, less than handing it to another
    /// thread would, so it runs where it is called.
    pub(super) fn look_up<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        query(&self.look_ups.take()).map_err(|failure| failure.at(&self.location))
    }

    /// Reads many rows, on a thread that may block.
    pub(super) async fn scan<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let pool = Arc::clone(&self.scans);
        tokio::task::spawn_blocking(move || query(&pool.take()))
            .await
            .map_err(|error| StoreError::Backend(Box::new(error)))?
            .map_err(|failure| failure.at(&self.location))
    }
}

struct Pool {
    connections: Vec<Mutex<Connection>>,
    turn: AtomicUsize,
}

impl Pool {
    fn open(
        size: usize,
        connect: impl Fn() -> rusqlite::Result<Connection>,
    ) -> rusqlite::Result<Self> {
        Ok(Self {
            connections: (0..size)
                .map(|_| connect().map(Mutex::new))
                .collect::<Result<_, _>>()?,
            turn: AtomicUsize::new(0),
        })
    }

    /// A connection that is free, or else the one whose turn it is.
    fn take(&self) -> MutexGuard<'_, Connection> {
        let free = self
            .connections
            .iter()
            .find_map(|connection| match connection.try_lock() {
                Ok(guard) => Some(guard),
                // A query that panicked has left no transaction open: its statement was reset.
                Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => None,
            });
        free.unwrap_or_else(|| {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.connections.len();
            self.connections[turn]
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        })
    }
}
