//! An output of several files in a folder, which has its name when all of them are whole.
//!
//! In a bucket nothing can be renamed: all files are sent first, and then appear one right after the
//! other, under names that do not say how many they are.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::dataset::format::Named;
use crate::dataset::output_error::OutputError;
use crate::dataset::remote::{Bucket, Upload};
use crate::dataset::replace::{folder_of, sync_folder};
use crate::dataset::sink::Sink;
use crate::dataset::target::Target;

/// How much is gathered before it is written.
const BUFFER_BYTES: usize = 256 << 10;

/// The files of an output on their way.
#[derive(Debug)]
pub(super) struct Shards {
    /// Where they will be.
    folder: PathBuf,
    stem: String,
    ending: String,
    most: u64,
    /// Files that were begun.
    begun: usize,
    rows: u64,
    committed: bool,
    /// Where they are on another machine.
    bucket: Option<Bucket>,
    /// Objects that were sent, and wait to appear.
    sent: Vec<Upload>,
}

impl Shards {
    /// The shards of a target, none of them begun.
    pub(super) fn of(target: &Target) -> Self {
        let path = &target.path;
        let stem = Named::of(path).stem;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Self {
            folder: folder_of(path).join(&stem),
            ending: name[stem.len().min(name.len())..].to_owned(),
            stem,
            most: target.rows_per_shard.map_or(u64::MAX, Into::into),
            begun: 0,
            rows: 0,
            committed: false,
            bucket: target.bucket.clone(),
            sent: Vec::new(),
        }
    }

    /// The folder that they will be in.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Checks that the folder can be made, or holds nothing but an earlier such output.
    ///
    /// # Errors
    ///
    /// When it holds something else.
    pub(super) fn check(&self) -> Result<(), OutputError> {
        let in_use = |found: String| OutputError::FolderInUse {
            folder: self.folder.clone(),
            found,
        };
        if self.ending.is_empty() {
            let what = "shards need a name with an ending, such as .jsonl".to_owned();
            let path = self.folder.clone();
            return Err(OutputError::Unsuitable { path, what });
        }
        let mut names = self.names()?.into_iter();
        match names.find(|name| !self.is_shard(name)) {
            Some(name) => Err(in_use(name)),
            None => Ok(()),
        }
    }

    /// What is in the folder now.
    fn names(&self) -> Result<Vec<String>, OutputError> {
        let name = |name: &OsStr| name.to_string_lossy().into_owned();
        if let Some(bucket) = &self.bucket {
            let paths = bucket.paths_in(&self.folder)?;
            return Ok(paths
                .iter()
                .filter_map(|path| path.file_name())
                .map(name)
                .collect());
        }
        match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(OutputError::writing(&self.folder, error)),
            Ok(entries) => Ok(entries
                .flatten()
                .map(|entry| name(&entry.file_name()))
                .collect()),
        }
    }

    /// Makes the folder under another name, in place of what a killed run left there.
    pub(super) fn begin(&self) -> io::Result<()> {
        if self.bucket.is_some() {
            return Ok(());
        }
        let part = self.part();
        remove_folder(&part)?;
        fs::create_dir(part)
    }

    /// Begins the next file.
    pub(super) fn next(&mut self) -> io::Result<Sink> {
        let number = self.begun;
        self.begun += 1;
        self.rows = 0;
        if let Some(bucket) = &self.bucket {
            return Ok(Sink::Object(bucket.upload(&self.object(number))));
        }
        let path = self.part().join(number.to_string());
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        Ok(Sink::Shard(BufWriter::with_capacity(BUFFER_BYTES, file)))
    }

    /// Counts a row; whether it belongs into the next file.
    pub(super) fn count_row(&mut self) -> bool {
        let is_full = self.rows >= self.most;
        self.rows += u64::from(!is_full);
        is_full
    }

    /// Makes a finished file durable.
    pub(super) fn close(&mut self, sink: Sink) -> io::Result<()> {
        match sink {
            Sink::Shard(mut file) => {
                file.flush()?;
                file.get_ref().sync_all()
            }
            Sink::Object(mut object) => {
                object.send_all()?;
                self.sent.push(object);
                Ok(())
            }
            Sink::File(_) | Sink::Direct(_) => Ok(()),
        }
    }

    /// Gives the files their names and then the folder its own.
    pub(super) fn commit(mut self) -> io::Result<()> {
        if let Some(bucket) = self.bucket.clone() {
            return self.appear(&bucket);
        }
        let part = self.part();
        for number in 0..self.begun {
            let name = format!(
                "{}-{number:05}-of-{:05}{}",
                self.stem, self.begun, self.ending
            );
            fs::rename(part.join(number.to_string()), part.join(name))?;
        }
        sync_folder(&part.join("."));
        let old = self.hidden("old");
        remove_folder(&old)?;
        if self.folder.exists() {
            fs::rename(&self.folder, &old)?;
        }
        fs::rename(&part, &self.folder)?;
        self.committed = true;
        sync_folder(&self.folder);
        remove_folder(&old)
    }

    /// Makes the objects appear, and removes those of an earlier output that had more of them.
    fn appear(&mut self, bucket: &Bucket) -> io::Result<()> {
        for object in self.sent.drain(..) {
            object.commit()?;
        }
        let ours: Vec<PathBuf> = (0..self.begun).map(|number| self.object(number)).collect();
        for path in bucket.paths_in(&self.folder)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if self.is_shard(&name) && !ours.contains(&path) {
                bucket.remove(&path)?;
            }
        }
        Ok(())
    }

    fn object(&self, number: usize) -> PathBuf {
        let name = format!("{}-{number:05}{}", self.stem, self.ending);
        self.folder.join(name)
    }

    fn is_shard(&self, name: &str) -> bool {
        let number = |text: &str| text.len() >= 5 && text.bytes().all(|byte| byte.is_ascii_digit());
        if self.bucket.is_some() {
            let middle = name
                .strip_prefix(&self.stem)
                .and_then(|rest| rest.strip_prefix('-'))
                .and_then(|rest| rest.strip_suffix(&self.ending));
            return middle.is_some_and(number);
        }
        name.strip_prefix(&self.stem)
            .and_then(|rest| rest.strip_prefix('-'))
            .and_then(|rest| rest.split_once("-of-"))
            .is_some_and(|(this, rest)| {
                let end = rest
                    .find(|c: char| !c.is_ascii_digit())
                    .unwrap_or(rest.len());
                number(this) && number(&rest[..end])
            })
    }

    fn part(&self) -> PathBuf {
        self.hidden("part")
    }

    fn hidden(&self, what: &str) -> PathBuf {
        self.folder
            .with_file_name(format!(".{}.redraft-{what}", self.stem))
    }
}

impl Drop for Shards {
    fn drop(&mut self) {
        if !self.committed && self.begun > 0 && self.bucket.is_none() {
            // The next run replaces what cannot be removed now.
            let _ = fs::remove_dir_all(self.part());
        }
    }
}

fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
