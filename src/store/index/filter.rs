//! Which transcripts a page shows, in which order, and from where on.

use std::fmt;
use std::str::FromStr;

use rusqlite::Connection;

use super::facts::{DISTANCES, Facts, MOST_REVISIONS, distance_bucket, verdict_letter};
use super::{names, words};
use crate::transcript::{Outcome, Verdict};

/// Which transcripts; what is absent asks for nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Of this run.
    pub run: Option<String>,
    /// Judged under the constitution of this digest.
    pub constitution: Option<String>,
    /// With these words and phrases.
    pub text: String,
    /// About which this principle said something.
    pub principle: Option<String>,
    /// With this verdict, of that principle where there is one.
    pub verdict: Option<Verdict>,
    /// With a violation of this severity, 1 to 4, of that principle where there is one.
    pub severity: Option<u8>,
    /// That ended so.
    pub outcome: Option<Outcome>,
    /// Whose final answer differs from the draft, or does not.
    pub changed: Option<bool>,
    /// Whose record somebody has reviewed, or nobody has.
    pub reviewed: Option<bool>,
    /// Whose record has this tag.
    pub tag: Option<String>,
}

impl Filter {
    /// The query of the full-text search for it; absent when a name in it is unknown, so that
    /// nothing can fit.
    pub(super) fn query(&self, connection: &Connection) -> rusqlite::Result<Option<String>> {
        let mut facets = vec!["all".to_owned()];
        if let Some(run) = &self.run {
            let Some(id) = run_id(connection, run)? else {
                return Ok(None);
            };
            facets.push(format!("r{id}"));
        }
        if let Some(digest) = &self.constitution {
            let groups = groups(connection, digest)?;
            if groups.is_empty() {
                return Ok(None);
            }
            facets.push(format!("({})", groups.join(" OR ")));
        }
        if let Some(tag) = &self.tag {
            let Some(id) = names::find(connection, "tag", tag)? else {
                return Ok(None);
            };
            facets.push(format!("t{id}"));
        }
        let about = match &self.principle {
            None => String::new(),
            Some(principle) => match names::find(connection, "principle", principle)? {
                None => return Ok(None),
                Some(id) => format!("p{id}"),
            },
        };
        let asked = facets.len();
        if let Some(severity) = self.severity {
            facets.push(format!("{about}s{severity}"));
        }
        if let Some(verdict) = self.verdict {
            facets.push(format!("{about}v{}", verdict_letter(verdict)));
        }
        if facets.len() == asked && !about.is_empty() {
            facets.push(about);
        }
        if let Some(outcome) = self.outcome {
            facets.push(format!("o{outcome}"));
        }
        if let Some(changed) = self.changed {
            facets.push(format!("c{}", u8::from(changed)));
        }
        if let Some(reviewed) = self.reviewed {
            facets.push(format!("h{}", u8::from(reviewed)));
        }
        if facets.len() > 1 {
            facets.remove(0);
        }
        let facets = format!("facets:({})", facets.join(" AND "));
        Ok(Some(match words::query(&self.text) {
            Some(text) => format!("{facets} AND {text}"),
            None => facets,
        }))
    }
}

fn run_id(connection: &Connection, run: &str) -> rusqlite::Result<Option<i64>> {
    use rusqlite::OptionalExtension as _;
    connection
        .prepare_cached("SELECT id FROM runs WHERE name = ?1")?
        .query_row([run], |row| row.get(0))
        .optional()
}

fn groups(connection: &Connection, digest: &str) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare_cached("SELECT id FROM groups WHERE digest = ?1")?
        .query_map([digest], |row| Ok(format!("g{}", row.get::<_, i64>(0)?)))?
        .collect()
}

/// In which order. What is sorted by is taken in steps; within a step the newest comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The one that was sealed last first.
    #[default]
    Newest,
    /// The one that was sealed first first.
    Oldest,
    /// The gravest violation first.
    Severity,
    /// The most changed first, in steps of five hundredths of the words.
    Change,
    /// The most revisions first; nine and more are one step.
    Revisions,
}

impl Sort {
    /// Every order.
    pub const ALL: [Self; 5] = [
        Self::Newest,
        Self::Oldest,
        Self::Severity,
        Self::Change,
        Self::Revisions,
    ];

    /// Its lower-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Oldest => "oldest",
            Self::Severity => "severity",
            Self::Change => "change",
            Self::Revisions => "revisions",
        }
    }

    /// The order of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == name)
    }

    /// The highest step, and the letter that its word begins with; absent when there are no steps.
    pub(super) fn steps(self) -> Option<(char, u8)> {
        match self {
            Self::Newest | Self::Oldest => None,
            Self::Severity => Some(('w', 4)),
            Self::Change => Some(('d', DISTANCES)),
            Self::Revisions => Some(('n', u8::try_from(MOST_REVISIONS).unwrap_or(u8::MAX))),
        }
    }

    /// The step that a transcript is in.
    #[must_use]
    pub fn step(self, facts: &Facts) -> u8 {
        match self {
            Self::Newest | Self::Oldest => 0,
            Self::Severity => facts.worst(),
            Self::Change => distance_bucket(facts),
            Self::Revisions => u8::try_from(facts.revisions.min(MOST_REVISIONS)).unwrap_or(u8::MAX),
        }
    }
}

/// A place between two rows of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The step of the row that it stands at.
    pub step: u8,
    /// The position of that row.
    pub position: i64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.step, self.position)
    }
}

impl FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (step, position) = text.split_once('.').ok_or(())?;
        Ok(Self {
            step: step.parse().map_err(|_| ())?,
            position: position.parse().map_err(|_| ())?,
        })
    }
}
