//! The work that a ceiling is measured by, in a temporary folder.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::app::AppError;
use crate::config::{Environment, Overrides, Settings, SettingsError};
use crate::dataset::SourceError;
use crate::model::Concurrency;
use crate::run::RunError;
use crate::simulated::{MODEL, RateLimit, SimulatedOptions};
use crate::store::StoreError;

/// A measurement against simulated servers that did not come about.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The temporary folder cannot be used.
    #[error("cannot use the temporary folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A simulated server did not start, or did not end as it should.
    #[error("the simulated server failed")]
    Server(#[source] io::Error),
    /// The settings of the work do not fit together.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The pipeline or the store cannot be built.
    #[error(transparent)]
    App(#[from] AppError),
    /// The records cannot be read back.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The run failed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is done against which servers.
#[derive(Clone, Debug)]
pub struct Work {
    /// How many records.
    pub records: u64,
    /// How long each prompt is, in characters.
    pub prompt_characters: usize,
    /// The constitution: a path, or a shipped name.
    pub constitution: String,
    /// The recipe's preset.
    pub recipe: String,
    /// The most revisions.
    pub rounds: u32,
    /// How many calls to one endpoint run at once.
    pub concurrency: Concurrency,
    /// How many servers there are; they share what one would have.
    pub replicas: usize,
    /// What one server would be like.
    pub server: SimulatedOptions,
}

const WORDS: [&str; 16] = [
    "parcel",
    "late",
    "neighbour",
    "window",
    "letter",
    "before",
    "garden",
    "answer",
    "seven",
    "morning",
    "bring",
    "quiet",
    "station",
    "carry",
    "paper",
    "winter",
];

impl Work {
    /// What each of the replicas is like: slots, cache and rate are shared among them.
    pub(super) fn shares(&self) -> Vec<SimulatedOptions> {
        let parts = self.replicas.max(1);
        let part =
            |whole: usize, number: usize| whole / parts + usize::from(number < whole % parts);
        let number = u32::try_from(parts).unwrap_or(u32::MAX);
        (0..parts)
            .map(|at| SimulatedOptions {
                slots: part(self.server.slots, at).max(1),
                cache_blocks: part(self.server.cache_blocks, at),
                rate: self.server.rate.map(|rate| RateLimit {
                    per_minute: (rate.per_minute / number).max(1),
                    burst: (rate.burst / number).max(1),
                    ..rate
                }),
                ..self.server.clone()
            })
            .collect()
    }

    /// Writes the rows, one at a time: prompts of equal length, no two of them alike.
    pub(super) fn write_rows(&self, mut to: impl io::Write) -> io::Result<()> {
        for number in 0..self.records {
            let prompt = self.prompt(number);
            writeln!(
                to,
                "{}",
                json!({ "id": format!("row-{number}"), "prompt": prompt })
            )?;
        }
        to.flush()
    }

    fn prompt(&self, number: u64) -> String {
        let mut prompt = format!("Question {number}:");
        let mut drawn = number;
        while prompt.len() < self.prompt_characters {
            drawn = drawn
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let word = WORDS[usize::try_from(drawn >> 60).unwrap_or_default()];
            let _ = write!(prompt, " {word}");
        }
        prompt
    }

    /// The settings, which are read from a file as any run's are.
    pub(super) fn settings(
        &self,
        folder: &TemporaryFolder,
        addresses: &[String],
    ) -> Result<Settings, BenchError> {
        let written = json!({
            "models": { MODEL: { "model": MODEL, "base_url": addresses } },
            "recipe": { "preset": self.recipe, "rounds": self.rounds },
        });
        let file = folder.write("redraft.yaml", |mut to| {
            io::Write::write_all(&mut to, written.to_string().as_bytes())?;
            io::Write::flush(&mut to)
        })?;
        let overrides = Overrides {
            file: Some(file),
            constitution: Some(self.constitution.clone()),
            store: Some(folder.path().join("bench.db")),
            concurrency: Some(self.concurrency),
            ..Overrides::default()
        };
        Ok(Settings::resolve(overrides, &Environment::default())?)
    }
}

/// A folder that goes away with this value.
#[derive(Debug)]
pub(super) struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    pub(super) fn new() -> Result<Self, BenchError> {
        let base = std::env::temp_dir();
        let mut number = 0;
        loop {
            let path = base.join(format!("redraft-bench-{}-{number}", std::process::id()));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(source) if source.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(source) => return Err(BenchError::Folder { path, source }),
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file in the folder; gives its path.
    pub(super) fn write(
        &self,
        name: &str,
        write: impl FnOnce(BufWriter<File>) -> io::Result<()>,
    ) -> Result<PathBuf, BenchError> {
        let path = self.0.join(name);
        match File::create(&path).and_then(|file| write(BufWriter::new(file))) {
            Ok(()) => Ok(path),
            Err(source) => Err(BenchError::Folder {
                path: self.0.clone(),
                source,
            }),
        }
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // What is cancelled may hold the store for a moment longer.
        for _ in 0..50 {
            let removed = fs::remove_dir_all(&self.0);
            if removed.is_ok() || !self.0.exists() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn work() -> Work {
        Work {
            records: 50,
            prompt_characters: 300,
            constitution: "harmlessness".to_owned(),
            recipe: "cai".to_owned(),
            rounds: 2,
            concurrency: Concurrency::Fixed(4),
            replicas: 4,
            server: SimulatedOptions {
                slots: 10,
                cache_blocks: 8,
                ..SimulatedOptions::default()
            },
        }
    }

    #[test]
    fn no_two_prompts_are_alike_and_all_have_their_length() {
        let work = work();
        let prompts: HashSet<String> = (0..50).map(|number| work.prompt(number)).collect();
        assert_eq!(prompts.len(), 50);
        assert!(
            prompts
                .iter()
                .all(|prompt| (300..312).contains(&prompt.len()))
        );
    }

    #[test]
    fn replicas_share_what_one_server_would_have() {
        let shares = work().shares();
        let slots: Vec<usize> = shares.iter().map(|server| server.slots).collect();
        assert_eq!(slots, [3, 3, 2, 2]);
        assert!(shares.iter().all(|server| server.cache_blocks == 2));
    }

    #[test]
    fn the_settings_are_those_of_a_run_and_the_folder_goes_away() {
        let folder = TemporaryFolder::new().expect("a folder");
        let path = folder.path().to_owned();
        let one = ["http://127.0.0.1:1/v1".to_owned()];
        let settings = work().settings(&folder, &one).expect("settings");
        assert_eq!((settings.recipe.rounds, settings.models.len()), (2, 1));
        assert_eq!(settings.concurrency, Concurrency::Fixed(4));
        drop(folder);
        assert!(!path.exists());
    }
}
