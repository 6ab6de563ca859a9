//! A folder for one test, and the files in it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Redraft, json_lines};

/// A constitution whose two principles a model must judge.
pub(crate) const MANNERS: &str = "\
constitution: manners
version: \"1.0\"
principles:
  - id: be-kind
    text: The answer is kind to whoever reads it.
    severity: high
  - id: be-brief
    text: No sentence could be left out without loss.
    severity: low
";

/// A folder of its own, gone when the test ends.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// A folder with the constitution [`MANNERS`] in `manners.yaml`.
    pub(crate) fn with_manners() -> Self {
        let place = Self::new();
        place.write("manners.yaml", MANNERS);
        place
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).expect("a file that can be written");
        path
    }

    /// Writes rows `{id, prompt}`, one for each prompt.
    pub(crate) fn write_prompts(
        &self,
        name: &str,
        prompts: impl IntoIterator<Item = impl AsRef<str>>,
    ) {
        let mut rows = String::new();
        for (number, prompt) in prompts.into_iter().enumerate() {
            let row = json!({ "id": format!("r{}", number + 1), "prompt": prompt.as_ref() });
            let _ = writeln!(rows, "{row}");
        }
        self.write(name, rows);
    }

    pub(crate) fn read(&self, name: &str) -> String {
        let path = self.path(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub(crate) fn json_lines(&self, name: &str) -> Vec<Value> {
        json_lines(&self.read(name))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// The command in this folder, with arguments that hold no spaces.
    pub(crate) fn redraft(&self, arguments: &str) -> Redraft {
        Redraft::new(self.folder.path()).args(arguments.split_whitespace())
    }

    /// The store's file, opened by SQLite alone.
    pub(crate) fn store(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path("redraft.db")).expect("a store")
    }

    /// The first column of the one row that a query gives.
    pub(crate) fn count(&self, query: &str) -> i64 {
        self.store()
            .query_row(query, [], |row| row.get(0))
            .unwrap_or_else(|error| panic!("{query}: {error}"))
    }

    /// Every transcript, ordered by record, without what may differ from one process to the next.
    pub(crate) fn transcripts(&self) -> Vec<(String, String)> {
        let store = self.store();
        let mut query = store
            .prepare("SELECT record, body FROM transcripts ORDER BY record")
            .expect("the table of transcripts");
        let rows = query
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .expect("transcripts");
        rows.map(|row| row.expect("a transcript")).collect()
    }

    /// The names of the files in the folder.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.folder())
            .expect("the folder")
            .map(|entry| {
                let name = entry.expect("an entry").file_name();
                name.to_string_lossy().into_owned()
            })
            .collect();
        names.sort();
        names
    }
}

/// A shipped example.
pub(crate) fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(name)
}
