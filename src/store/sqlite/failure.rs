//! What can go wrong inside the SQLite store, and what a caller is told about it.

use std::fmt::Display;
use std::sync::Arc;

use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;
use rusqlite::{Error, ErrorCode};

use crate::store::StoreError;

/// Why a piece of work on a connection failed, before anyone knows where the store is.
#[derive(Debug)]
pub(super) enum Failure {
    /// The store refuses, or holds something odd.
    Store(StoreError),
    /// SQLite failed.
    Sqlite(Error),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Failure {
    /// What the caller of the store at `location` is told.
    pub(super) fn at(self, location: &str) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Sqlite(error) => translate(&Arc::new(error), location),
        }
    }
}

/// A value in the store that cannot be what redraft wrote there.
pub(super) fn odd(place: impl Into<String>, reason: &dyn Display) -> Failure {
    Failure::Store(StoreError::Inconsistent {
        place: place.into(),
        reason: reason.to_string(),
    })
}

/// Whether an error leaves the statements around it as they were, so that the transaction goes on.
pub(super) fn spares_transaction(error: &Error) -> bool {
    match error.sqlite_error_code() {
        None => true,
        Some(code) => matches!(
            code,
            ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch
        ),
    }
}

/// What a failure of SQLite means for the user. Shared, because one failing commit fails many.
pub(super) fn translate(error: &Arc<Error>, location: &str) -> StoreError {
    let location = || location.to_owned();
    if let Some(failure) = error.sqlite_error()
        // A full disk has no room for the index of the write-ahead log either.
        && failure.extended_code == SQLITE_IOERR_SHMSIZE
    {
        return StoreError::Full {
            location: location(),
        };
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full {
            location: location(),
        },
        Some(ErrorCode::ReadOnly) => StoreError::ReadOnly {
            location: location(),
        },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy {
            location: location(),
        },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Inconsistent {
            place: location(),
            reason: format!("the file is damaged ({error}); continue from a copy of it"),
        },
        _ => StoreError::Backend(Box::new(Shared(Arc::clone(error)))),
    }
}

/// An error that several callers are told of.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Shared(Arc<Error>);

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    fn failing(code: i32) -> Arc<Error> {
        Arc::new(Error::SqliteFailure(ffi::Error::new(code), None))
    }

    #[test]
    fn every_cause_a_user_can_act_on_has_its_own_error() {
        let told = |code| translate(&failing(code), "a.db").to_string();
        insta::assert_snapshot!(
            [
                ffi::SQLITE_FULL,
                ffi::SQLITE_IOERR_SHMSIZE,
                ffi::SQLITE_READONLY_DIRECTORY,
                ffi::SQLITE_BUSY_SNAPSHOT,
                ffi::SQLITE_CORRUPT,
                ffi::SQLITE_IOERR_FSYNC,
            ]
            .map(told)
            .join("\n"),
            @r"
            the disk under the store a.db is full; make room and run the same command again
            the disk under the store a.db is full; make room and run the same command again
            the store a.db can only be read
            another process keeps the store a.db to itself; wait for it, or stop it, and run the same command again
            the store holds something odd in a.db: the file is damaged (Error code 11: database disk image is malformed); continue from a copy of it
            the store failed
            "
        );
    }

    #[test]
    fn only_failures_of_one_statement_spare_the_transaction() {
        assert!(spares_transaction(&failing(
            ffi::SQLITE_CONSTRAINT_PRIMARYKEY
        )));
        assert!(spares_transaction(&failing(ffi::SQLITE_TOOBIG)));
        assert!(!spares_transaction(&failing(ffi::SQLITE_FULL)));
        assert!(!spares_transaction(&failing(ffi::SQLITE_IOERR_WRITE)));
        assert!(!spares_transaction(&failing(ffi::SQLITE_NOMEM)));
    }
}
