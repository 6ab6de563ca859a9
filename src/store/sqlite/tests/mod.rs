//! Tests of the SQLite store as a whole.

mod crash;
mod failing;
mod figures;
mod opening;
mod process;
mod together;

use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;

use super::SqliteStore;
use crate::store::Store;
use crate::store::conformance::{Backend, conformance_tests};

/// A folder with a store in it.
struct Fresh {
    folder: TempDir,
}

impl Fresh {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("redraft.db")
    }

    fn store(&self) -> SqliteStore {
        SqliteStore::open(self.path()).unwrap()
    }
}

impl Backend for Fresh {
    fn open(&self) -> Arc<dyn Store> {
        Arc::new(self.store())
    }
}

conformance_tests!(Fresh::new());
