//! Opening a store's file, with an error that says what to do for each way in which it can fail.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, Error, ErrorCode};

use super::failure::{Failure, translate};
use super::readers::Readers;
use super::{connect, migrate};
use crate::store::StoreError;

/// Where a store is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// As the user wrote it.
    pub(super) location: String,
    /// From the root, so that SQLite reads no meaning into it, and a change of folder does not
    /// matter.
    pub(super) path: PathBuf,
}

impl Place {
    /// The place of that path.
    pub(super) fn at(path: &Path) -> Result<Self, StoreError> {
        let location = path.display().to_string();
        if path.as_os_str().is_empty() {
            let reason = "its name is empty; give a file".to_owned();
            return Err(StoreError::Open { location, reason });
        }
        match std::path::absolute(path) {
            Ok(path) => Ok(Self { location, path }),
            Err(error) => Err(StoreError::Open {
                location,
                reason: error.to_string(),
            }),
        }
    }

    fn refuse(&self, reason: impl Into<String>) -> StoreError {
        StoreError::Open {
            location: self.location.clone(),
            reason: reason.into(),
        }
    }

    /// What a failure of SQLite while opening means.
    fn explain(&self, failure: Failure) -> StoreError {
        let error = match failure {
            Failure::Store(error) => return error,
            Failure::Sqlite(error) => error,
        };
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => StoreError::Foreign {
                location: self.location.clone(),
            },
            Some(ErrorCode::CannotOpen) if !self.path.exists() => self.refuse(
                "its folder cannot be written; \
                 change the permissions, or give another --store",
            ),
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => self.refuse(
                "the file cannot be read, or its folder not written; \
                 change the permissions, or give another --store",
            ),
            Some(ErrorCode::ReadOnly) => self.refuse(
                "the file or its folder is read-only; \
                 change the permissions, or give another --store",
            ),
            _ => translate(&Arc::new(error), &self.location),
        }
    }
}

/// Opens the store at `place` for writing, and makes it if there is none.
pub(super) fn for_writing(place: &Place) -> Result<(Connection, Readers), StoreError> {
    match kind(place)? {
        Kind::File => {}
        Kind::Nothing => check_folder(place)?,
    }
    let explain = |failure| place.explain(failure);
    let connection = connect::writer(&place.path).map_err(|error| explain(error.into()))?;
    // Before anything is changed: the file may not be ours.
    migrate::known_format(&connection, &place.location, migrate::STEPS).map_err(explain)?;
    if !connect::prepare_file(&connection).map_err(|error| explain(error.into()))? {
        return Err(place.refuse(
            "its file system cannot hold a write-ahead log; give a --store on a local disk",
        ));
    }
    migrate::migrate(&connection, &place.location, migrate::STEPS).map_err(explain)?;
    let readers = Readers::open(&place.path, &place.location, connect::reader)
        .map_err(|error| explain(error.into()))?;
    Ok((connection, readers))
}

/// Opens the store at `place`, which must be there, for reading.
pub(super) fn for_reading(place: &Place) -> Result<Readers, StoreError> {
    if let Kind::Nothing = kind(place)? {
        return Err(place.refuse("there is no such file"));
    }
    let connect = reading_connection(place).map_err(|error| place.explain(error.into()))?;
    let explain = |error: Error| place.explain(error.into());
    let first = connect(&place.path).map_err(explain)?;
    let newest = migrate::STEPS.len();
    match migrate::known_format(&first, &place.location, migrate::STEPS)
        .map_err(|failure| place.explain(failure))?
    {
        0 => Err(place.refuse("it holds nothing yet")),
        format if format < newest => Err(place.refuse(format!(
            "it has the older format {format}; continue a run in it to bring it to {newest}"
        ))),
        _ => Readers::open(&place.path, &place.location, connect).map_err(explain),
    }
}

type Connect = fn(&Path) -> rusqlite::Result<Connection>;

/// How to read at `place`: a store of which nobody writes, in a folder that cannot be written, has
/// no room for the files that readers share, and needs none.
fn reading_connection(place: &Place) -> rusqlite::Result<Connect> {
    let tried = connect::reader(&place.path).and_then(|reader| migrate::identify(&reader));
    match tried {
        Err(error)
            if matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly)
            ) && !log_exists(&place.path) =>
        {
            Ok(connect::frozen_reader)
        }
        Err(error) => Err(error),
        Ok(_) => Ok(connect::reader),
    }
}

fn log_exists(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    Path::new(&log).exists()
}

enum Kind {
    File,
    Nothing,
}

// The file itself is not opened for this: closing it again would drop the locks that SQLite holds
// on it in this process.
fn kind(place: &Place) -> Result<Kind, StoreError> {
    match fs::metadata(&place.path) {
        Ok(found) if found.is_file() => Ok(Kind::File),
        Ok(found) if found.is_dir() => Err(place.refuse("it is a folder; give a file in it")),
        Ok(_) => Err(place.refuse("it is not a file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Kind::Nothing),
        Err(error) => Err(place.refuse(error.to_string())),
    }
}

fn check_folder(place: &Place) -> Result<(), StoreError> {
    let Some(folder) = place.path.parent() else {
        return Ok(());
    };
    if fs::metadata(folder).is_ok_and(|found| found.is_dir()) {
        return Ok(());
    }
    Err(place.refuse(format!(
        "there is no folder {}; make it, or give another --store",
        folder.display()
    )))
}
