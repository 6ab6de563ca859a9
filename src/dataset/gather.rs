//! Finds the files that a person means: files, folders of shards, and patterns.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::dataset::format::{Format, Named};
use crate::dataset::remote::{Address, Behind, Depots, Keys, Object};
use crate::dataset::source_error::SourceError;

/// What was found, in the order in which it is read.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// The files.
    pub(super) files: Vec<Found>,
    /// The names of what lies beside them in folders and is not read.
    pub(super) left_out: Vec<String>,
    /// The dataset's name.
    pub(super) name: String,
    /// What was asked for.
    pub(super) wanted: Vec<Wanted>,
}

/// A file that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// On this machine.
    Local(PathBuf),
    /// On another one.
    Remote(Object),
}

impl Found {
    /// Its path, or its address as it may be shown.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Local(path) => path,
            Self::Remote(object) => object.path(),
        }
    }
}

/// An input that a person named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Its path, or its address as it may be shown.
    pub(super) path: PathBuf,
    kind: Kind,
    is_remote: bool,
}

/// What an input turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
    Pattern,
}

/// Finds the files behind `inputs`: those of folders and patterns sorted by name, and else as given.
pub(super) fn gather(inputs: &[PathBuf]) -> Result<Gathered, SourceError> {
    let mut gathered = Gathered::default();
    let mut depots = Depots::default();
    for input in inputs {
        match Address::of(input)? {
            None => gathered.take_local(input)?,
            Some(address) => gathered.take_remote(address.shown(), depots.find(&address)?)?,
        }
    }
    gathered.name = name_of(&gathered.wanted, &gathered.files);
    Ok(gathered)
}

impl Gathered {
    fn take_local(&mut self, input: &Path) -> Result<(), SourceError> {
        let kind = if input.is_dir() {
            let (files, left_out) = files_in(input)?;
            self.files.extend(files.into_iter().map(Found::Local));
            self.left_out.extend(left_out);
            Kind::Folder
        } else if is_pattern(input) {
            let files = files_like(input)?;
            self.files.extend(files.into_iter().map(Found::Local));
            Kind::Pattern
        } else {
            self.files.push(Found::Local(input.to_path_buf()));
            Kind::File
        };
        self.wanted.push(Wanted {
            path: input.to_path_buf(),
            kind,
            is_remote: false,
        });
        Ok(())
    }

    fn take_remote(&mut self, path: PathBuf, behind: Behind) -> Result<(), SourceError> {
        let mut look = |keys: &Keys, paths| {
            let objects = keys.look(paths)?;
            self.files.extend(objects.into_iter().map(Found::Remote));
            Ok::<_, SourceError>(())
        };
        let kind = match behind {
            Behind::File(object) => {
                self.files.push(Found::Remote(object));
                Kind::File
            }
            Behind::Folder(keys) => {
                let entries = keys.paths().into_iter().map(|path| (path, true));
                let (files, left_out) = rows_among(&path, entries)?;
                look(&keys, files)?;
                self.left_out.extend(left_out);
                Kind::Folder
            }
            Behind::Pattern(keys) => {
                look(&keys, keys.paths())?;
                Kind::Pattern
            }
        };
        self.wanted.push(Wanted {
            path,
            kind,
            is_remote: true,
        });
        Ok(())
    }
}

/// Whether a path is a pattern: no file has that name, and it holds a sign that stands for others.
pub(super) fn is_pattern(input: &Path) -> bool {
    let has_sign = |text: &str| text.contains(['*', '?', '[']);
    fs::symlink_metadata(input).is_err() && input.to_str().is_some_and(has_sign)
}

/// Whether what was asked for would take in the file `path` if it were there.
pub(super) fn would_take(wanted: &[Wanted], path: &Path, is_remote: bool) -> bool {
    let same = wanted.iter().filter(|wanted| wanted.is_remote == is_remote);
    let mut inputs = same.map(|wanted| (&wanted.path, wanted.kind));
    inputs.any(|(input, kind)| match kind {
        Kind::File => false,
        Kind::Folder if is_remote => path.parent() == Some(input.as_path()),
        Kind::Folder => folder_of(path).is_some() && folder_of(path) == input.canonicalize().ok(),
        Kind::Pattern if is_remote => {
            let pattern = glob::Pattern::new(&input.to_string_lossy());
            pattern.is_ok_and(|pattern| pattern.matches_path_with(path, one_level()))
        }
        Kind::Pattern => {
            let pattern = input.file_name().and_then(|name| name.to_str());
            let pattern = pattern.and_then(|name| glob::Pattern::new(name).ok());
            let name = path.file_name().and_then(|name| name.to_str());
            let fits = pattern
                .zip(name)
                .is_some_and(|(pattern, name)| pattern.matches(name));
            fits && folder_of(input) == folder_of(path)
        }
    })
}

fn one_level() -> glob::MatchOptions {
    glob::MatchOptions {
        require_literal_separator: true,
        ..glob::MatchOptions::default()
    }
}

fn folder_of(path: &Path) -> Option<PathBuf> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).canonicalize().ok()
}

/// The files of rows in a folder and the names of the others.
fn files_in(folder: &Path) -> Result<(Vec<PathBuf>, Vec<String>), SourceError> {
    let cannot = |source| SourceError::opening(folder, source);
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        let is_file = path.is_file();
        entries.push((path, is_file));
    }
    rows_among(folder, entries)
}

/// The files of rows among the paths in a folder, each with whether it is a file, and the names of
/// the others.
fn rows_among(
    folder: &Path,
    entries: impl IntoIterator<Item = (PathBuf, bool)>,
) -> Result<(Vec<PathBuf>, Vec<String>), SourceError> {
    let mut by_format: BTreeMap<Format, Vec<PathBuf>> = BTreeMap::new();
    let mut left_out = Vec::new();
    for (path, is_file) in entries {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let format = Named::of(&path).format.filter(|_| is_file);
        match format.filter(|_| !name.starts_with('.')) {
            Some(format) => by_format.entry(format).or_default().push(path),
            None => left_out.push(name),
        }
    }
    // Beside other formats, JSON is what describes the dataset.
    if by_format.len() > 1
        && let Some(described) = by_format.remove(&Format::Json)
    {
        let names = described.iter().filter_map(|path| path.file_name());
        left_out.extend(names.map(|name| name.to_string_lossy().into_owned()));
    }
    left_out.sort();
    if by_format.len() > 1 {
        return Err(several_formats(folder, &by_format));
    }
    let Some((_, mut files)) = by_format.pop_first() else {
        let path = folder.to_path_buf();
        return Err(SourceError::NoRowsIn { path });
    };
    files.sort();
    Ok((files, left_out))
}

fn several_formats(folder: &Path, by_format: &BTreeMap<Format, Vec<PathBuf>>) -> SourceError {
    let formats: Vec<&str> = by_format.keys().map(|format| format.as_str()).collect();
    let first = by_format.values().next().and_then(|files| files.first());
    let name = first.and_then(|path| path.file_name()).unwrap_or_default();
    let name = name.to_string_lossy();
    let ending = name.split_once('.').map_or("", |(_, ending)| ending);
    SourceError::SeveralFormats {
        path: folder.to_path_buf(),
        formats: formats.join(" and "),
        example: folder.join(format!("*.{ending}")).display().to_string(),
    }
}

/// The files that fit a pattern, hidden ones left out.
fn files_like(pattern: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let pattern = pattern.to_string_lossy();
    let options = glob::MatchOptions {
        require_literal_leading_dot: true,
        ..glob::MatchOptions::default()
    };
    let found = glob::glob_with(&pattern, options).map_err(|error| SourceError::Pattern {
        pattern: pattern.clone().into_owned(),
        what: error.to_string(),
    })?;
    let mut files = Vec::new();
    for entry in found {
        let path = entry.map_err(|error| {
            let path = error.path().to_path_buf();
            SourceError::opening(&path, error.into())
        })?;
        if !path.is_dir() {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        let pattern = pattern.into_owned();
        return Err(SourceError::NoMatch { pattern });
    }
    Ok(files)
}

/// The dataset's name: the folder's, or what the names of the files begin with.
fn name_of(wanted: &[Wanted], files: &[Found]) -> String {
    if let [folder] = wanted
        && folder.kind == Kind::Folder
    {
        return folder_name(&folder.path, folder.is_remote);
    }
    let stems: Vec<String> = files
        .iter()
        .map(|file| Named::of(file.path()).stem)
        .collect();
    let start = match (wanted, &stems[..]) {
        ([one], [stem]) if one.kind == Kind::File => return stem.clone(),
        ([pattern], _) => {
            let name = pattern.path.file_name().unwrap_or_default();
            let name = name.to_string_lossy();
            let end = name.find(['*', '?', '[']).unwrap_or(name.len());
            name[..end].to_owned()
        }
        _ => common_start(&stems),
    };
    let plain = start.trim_end_matches(|c: char| !c.is_alphabetic());
    if plain.is_empty() {
        let first = &files[0];
        let folder = first.path().parent().unwrap_or(Path::new(""));
        folder_name(folder, matches!(first, Found::Remote(_)))
    } else {
        plain.to_owned()
    }
}

fn folder_name(folder: &Path, is_remote: bool) -> String {
    let name = |path: &Path| {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        name.unwrap_or_else(|| "dataset".to_owned())
    };
    if is_remote {
        // Behind the name of a dataset stands its revision.
        let name = name(folder);
        return name.split('@').next().unwrap_or(&name).to_owned();
    }
    let whole = folder.canonicalize();
    name(&whole.unwrap_or_else(|_| folder.to_path_buf()))
}

fn common_start(texts: &[String]) -> String {
    let Some((first, others)) = texts.split_first() else {
        return String::new();
    };
    let mut start = first.as_str();
    for other in others {
        let same = start.char_indices().zip(other.chars());
        let end = same
            .take_while(|((_, one), other)| one == other)
            .last()
            .map_or(0, |((place, one), _)| place + one.len_utf8());
        start = &start[..end];
    }
    start.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            fs::write(folder.path().join(name), "").unwrap();
        }
        folder
    }

    fn found(folder: &tempfile::TempDir, inputs: &[&str]) -> Result<(Vec<String>, String), String> {
        let inputs: Vec<PathBuf> = inputs
            .iter()
            .map(|input| folder.path().join(input))
            .collect();
        let gathered = gather(&inputs).map_err(|error| error.to_string())?;
        let names = gathered.files.iter().map(|file| {
            let name = file.path().file_name().unwrap();
            name.to_string_lossy().into_owned()
        });
        Ok((names.collect(), gathered.name))
    }

    #[test]
    fn a_folder_gives_its_rows_sorted_and_names_what_it_leaves_out() {
        let folder = folder_with(&[
            "b.parquet",
            "a.parquet",
            ".c.parquet",
            "README.md",
            "info.json",
        ]);
        let gathered = gather(&[folder.path().to_path_buf()]).unwrap();
        assert_eq!(
            gathered.files,
            ["a.parquet", "b.parquet"].map(|name| Found::Local(folder.path().join(name)))
        );
        assert_eq!(gathered.left_out, [".c.parquet", "README.md", "info.json"]);
        assert_eq!(
            gathered.name,
            folder.path().file_name().unwrap().to_string_lossy()
        );
        fs::write(folder.path().join("x.csv.gz"), "").unwrap();
        let error = gather(&[folder.path().to_path_buf()])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("holds CSV and Parquet") && error.ends_with("*.csv.gz"),
            "{error}"
        );
        let empty = folder_with(&["notes.txt"]);
        let error = gather(&[empty.path().to_path_buf()]).unwrap_err();
        assert!(matches!(error, SourceError::NoRowsIn { .. }));
    }

    #[test]
    fn patterns_and_lists_are_named_after_what_they_share() {
        let names = [
            "train-00001-of-00002.jsonl",
            "train-00000-of-00002.jsonl",
            "x.jsonl",
        ];
        let folder = folder_with(&names);
        let both = vec![names[1].to_owned(), names[0].to_owned()];
        assert_eq!(
            found(&folder, &["train-*"]).unwrap(),
            (both.clone(), "train".to_owned())
        );
        let listed = found(&folder, &[names[1], names[0]]).unwrap();
        assert_eq!(listed, (both, "train".to_owned()));
        let base = folder
            .path()
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        assert_eq!(found(&folder, &["*.jsonl"]).unwrap().1, base);
        assert_eq!(found(&folder, &["x.jsonl", names[0]]).unwrap().1, base);
        assert_eq!(found(&folder, &["x.jsonl"]).unwrap().1, "x");
        let error = found(&folder, &["y*"]).unwrap_err();
        assert!(error.starts_with("no file fits"), "{error}");
    }

    #[test]
    fn an_output_that_would_become_input_is_seen() {
        let folder = folder_with(&["a.jsonl"]);
        let at = |name: &str| folder.path().join(name);
        let takes = |input: PathBuf, name: &str| {
            let wanted = gather(&[input]).unwrap().wanted;
            would_take(&wanted, &at(name), false)
        };
        assert!(takes(folder.path().to_path_buf(), "out.jsonl"));
        assert!(takes(at("*.jsonl"), "out.jsonl"));
        assert!(!takes(at("*.jsonl"), "out.csv"));
        assert!(!takes(at("a.jsonl"), "out.jsonl"));
    }

    #[test]
    fn an_output_on_another_machine_that_would_become_input_is_seen() {
        let takes = |input: &str, kind, out: &str| {
            let wanted = Wanted {
                path: input.into(),
                kind,
                is_remote: true,
            };
            would_take(&[wanted], Path::new(out), true)
        };
        assert!(takes("s3://b/in/", Kind::Folder, "s3://b/in/out.jsonl"));
        assert!(!takes("s3://b/in", Kind::Folder, "s3://b/in/x/out.jsonl"));
        assert!(takes(
            "s3://b/**/*.jsonl",
            Kind::Pattern,
            "s3://b/x/out.jsonl"
        ));
        assert!(!takes(
            "s3://b/*.jsonl",
            Kind::Pattern,
            "s3://b/x/out.jsonl"
        ));
        assert!(!takes("s3://b/a.jsonl", Kind::File, "s3://b/a.jsonl"));
    }
}
