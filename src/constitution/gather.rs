//! A constitution file and all that it includes, each once, the included ones first.

use std::fs;
use std::path::{Path, PathBuf};

use super::file::ConstitutionFile;
use super::shipped::{shipped_names, shipped_text};
use super::{LoadError, Principle};
use crate::yaml::{Problem, Problems, SourceFile, Step, locate, nearest, parse};

/// What a constitution file and its includes hold, before anything is examined.
#[derive(Debug)]
pub(super) struct Gathered {
    /// The file that was asked for.
    pub(super) root: ConstitutionFile,
    /// Its source.
    pub(super) source: SourceFile,
    /// The principles, those of includes first.
    pub(super) principles: Vec<Placed>,
    /// The files that it was read from; shipped ones are none.
    pub(super) files: Vec<PathBuf>,
}

/// A principle and where it stands.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) principle: Principle,
    pub(super) source: SourceFile,
    pub(super) place: usize,
}

impl Placed {
    /// File and line of this principle.
    pub(super) fn whereabouts(&self) -> String {
        let placed = self.at(Problem::error(&self.source, ""), &[]);
        match placed.line_column() {
            Some((line, _)) => format!("{}, line {line}", self.source.name()),
            None => self.source.name().to_owned(),
        }
    }

    /// The problem at a path within this principle.
    pub(super) fn at(&self, problem: Problem, path: &[Step]) -> Problem {
        let mut whole = vec![Step::Key("principles"), Step::Item(self.place)];
        whole.extend_from_slice(path);
        problem.at(locate(self.source.text(), &whole))
    }
}

/// Where a constitution is: the identity by which cycles are seen.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Shipped(String),
    File(PathBuf),
    Given,
}

/// Gathers the constitution of that path or shipped name.
pub(super) fn gather(reference: &str) -> Result<Gathered, LoadError> {
    let (place, source) = open(reference, None)?;
    gather_from(place, source)
}

/// Gathers a constitution from its text; relative includes start at the working directory.
pub(super) fn gather_text(source: SourceFile) -> Result<Gathered, LoadError> {
    gather_from(Place::Given, source)
}

fn gather_from(place: Place, source: SourceFile) -> Result<Gathered, LoadError> {
    let mut gathering = Gathering::default();
    let root = gathering.visit(place, &source)?;
    Ok(Gathered {
        root,
        source,
        principles: gathering.principles,
        files: gathering
            .done
            .into_iter()
            .filter_map(|place| match place {
                Place::File(path) => Some(path),
                Place::Shipped(_) | Place::Given => None,
            })
            .collect(),
    })
}

#[derive(Default)]
struct Gathering {
    open: Vec<Place>,
    done: Vec<Place>,
    principles: Vec<Placed>,
}

impl Gathering {
    fn visit(&mut self, place: Place, source: &SourceFile) -> Result<ConstitutionFile, LoadError> {
        let mut file: ConstitutionFile = parse(source).map_err(Problems::from)?;
        let folder = match &place {
            Place::File(path) => path.parent().map(Path::to_path_buf),
            Place::Shipped(_) | Place::Given => None,
        };
        self.open.push(place.clone());
        for (item, reference) in file.include.iter().enumerate() {
            let span = locate(source.text(), &[Step::Key("include"), Step::Item(item)]);
            let (included, included_source) =
                open(reference, folder.as_deref()).map_err(|error| match error {
                    LoadError::Unknown { help, .. } => {
                        let message = format!("there is no constitution {reference:?} to include");
                        Problems::from(Problem::error(source, message).at(span.clone()).help(help))
                            .into()
                    }
                    other => other,
                })?;
            if self.open.contains(&included) {
                let message = format!("including {reference:?} leads back to this file");
                let problem = Problem::error(source, message)
                    .at(span)
                    .help("a constitution cannot include itself, not even by way of others");
                return Err(Problems::from(problem).into());
            }
            if !self.done.contains(&included) {
                self.visit(included, &included_source)?;
            }
        }
        self.open.pop();
        self.done.push(place);
        let principles = std::mem::take(&mut file.principles);
        self.principles.extend(
            principles
                .into_iter()
                .enumerate()
                .map(|(place, principle)| Placed {
                    principle,
                    source: source.clone(),
                    place,
                }),
        );
        Ok(file)
    }
}

fn open(reference: &str, folder: Option<&Path>) -> Result<(Place, SourceFile), LoadError> {
    let path = folder.map_or_else(|| PathBuf::from(reference), |folder| folder.join(reference));
    if path.is_file() {
        let text = fs::read_to_string(&path).map_err(|source| LoadError::Unreadable {
            path: path.clone(),
            source,
        })?;
        let identity = path.canonicalize().unwrap_or_else(|_| path.clone());
        let source = SourceFile::new(path.display().to_string(), &text);
        return Ok((Place::File(identity), source));
    }
    if let Some(text) = shipped_text(reference) {
        let source = SourceFile::new(format!("{reference} (shipped)"), text);
        return Ok((Place::Shipped(reference.to_owned()), source));
    }
    Err(unknown(reference, &path))
}

fn unknown(reference: &str, path: &Path) -> LoadError {
    let help = if path.is_dir() {
        "this is a folder; give one file of it".to_owned()
    } else if let Some(near) = nearest(reference, shipped_names()) {
        format!("did you mean `{near}`?")
    } else {
        let names: Vec<_> = shipped_names().collect();
        format!(
            "give the path of a YAML file, or one of: {}",
            names.join(", ")
        )
    };
    LoadError::Unknown {
        reference: reference.to_owned(),
        help,
    }
}
