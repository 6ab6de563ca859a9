//! Counts over many transcripts, kept up to date with each one that comes or goes.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, params};

use super::facts::{Kept, Spoken, distance_bucket};
use super::{Facts, Index, IndexError, names};
use crate::digest::Digest;
use crate::transcript::{ConstitutionMark, Outcome};

/// What is counted, and what the key of each count means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Transcripts, by the place of their outcome in [`Outcome::ALL`]; those that cannot be read
    /// have −1.
    Outcome,
    /// Transcripts whose final answer differs from the draft.
    Changed,
    /// Compliant transcripts by the round whose revision is the final answer.
    Settled,
    /// Transcripts by the severity of their gravest violation.
    Worst,
    /// Violations in all rounds by severity.
    Violations,
    /// Transcripts by how much longer the final answer is, in steps of ten hundredths.
    Length,
    /// Transcripts by how much of the words changed, in steps of five hundredths.
    Distance,
    /// Transcripts by refusals: 2 for one in the draft, and 1 for one in the final answer.
    Refused,
    /// How often the critic was asked again because a reply could not be used.
    Faults,
    /// Transcripts in which a principle was assessed.
    Assessed,
    /// Transcripts in which a principle was violated.
    Violated,
    /// Transcripts in which a violated principle was mended.
    Mended,
    /// Transcripts in which a principle's last assessment came to nothing.
    Error,
    /// Transcripts by tag.
    Tag,
    /// Calls by role, in the order drafter, critic, reviser, judge.
    Calls,
    /// Tokens of prompts by role.
    Input,
    /// Cached tokens of prompts by role.
    Cached,
    /// Tokens of replies by role.
    Output,
    /// Cost in billionths by role.
    Cost,
    /// Transcripts of a role whose calls have no known price.
    Unpriced,
}

impl Kind {
    const ALL: [Self; 20] = [
        Self::Outcome,
        Self::Changed,
        Self::Settled,
        Self::Worst,
        Self::Violations,
        Self::Length,
        Self::Distance,
        Self::Refused,
        Self::Faults,
        Self::Assessed,
        Self::Violated,
        Self::Mended,
        Self::Error,
        Self::Tag,
        Self::Calls,
        Self::Input,
        Self::Cached,
        Self::Output,
        Self::Cost,
        Self::Unpriced,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Outcome => "outcome",
            Self::Changed => "changed",
            Self::Settled => "settled",
            Self::Worst => "worst",
            Self::Violations => "violations",
            Self::Length => "length",
            Self::Distance => "distance",
            Self::Refused => "refused",
            Self::Faults => "faults",
            Self::Assessed => "assessed",
            Self::Violated => "violated",
            Self::Mended => "mended",
            Self::Error => "error",
            Self::Tag => "tag",
            Self::Calls => "calls",
            Self::Input => "input",
            Self::Cached => "cached",
            Self::Output => "output",
            Self::Cost => "cost",
            Self::Unpriced => "unpriced",
        }
    }
}

/// Changes of counts that wait to be written, by group.
#[derive(Debug, Default)]
pub(super) struct Changes(BTreeMap<(i64, Kind, i64), i64>);

impl Changes {
    /// Counts a transcript once more, or, with −1, once less.
    pub(super) fn add(&mut self, group: i64, kept: &Kept, times: i64) {
        let mut count = |kind, key, n: i64| {
            *self.0.entry((group, kind, key)).or_default() += n * times;
        };
        let facts = kept.facts();
        count(Kind::Outcome, outcome_key(facts.outcome), 1);
        count(Kind::Changed, 0, i64::from(facts.changed));
        if let (Some(Outcome::Compliant), Some(round)) = (facts.outcome, facts.final_round) {
            count(Kind::Settled, round.into(), 1);
        }
        count(Kind::Worst, facts.worst().into(), 1);
        for (severity, violations) in (1..).zip(facts.violations) {
            count(Kind::Violations, severity, violations.into());
        }
        if let Some(step) = length_step(facts) {
            count(Kind::Length, step, 1);
        }
        if facts.distance.is_some() {
            count(Kind::Distance, distance_bucket(facts).into(), 1);
        }
        if let Some((before, after)) = facts.refused {
            count(Kind::Refused, i64::from(before) * 2 + i64::from(after), 1);
        }
        count(Kind::Faults, 0, facts.faults.into());
        for (id, flags, severity) in &kept.spoken {
            let spoken = Spoken::from_kept(*flags, *severity);
            let assessed = spoken.complies || spoken.violates || spoken.not_applicable;
            count(Kind::Assessed, *id, assessed.into());
            count(Kind::Violated, *id, spoken.violates.into());
            count(Kind::Mended, *id, spoken.mended.into());
            count(Kind::Error, *id, spoken.last_is_error.into());
        }
        for tag in &kept.tags {
            count(Kind::Tag, *tag, 1);
        }
        for (role, usage) in &facts.usage {
            let role = *role as i64;
            for (kind, n) in [
                (Kind::Calls, usage.calls),
                (Kind::Input, usage.input),
                (Kind::Cached, usage.cached),
                (Kind::Output, usage.output),
            ] {
                count(kind, role, i64::try_from(n).unwrap_or(i64::MAX));
            }
            match usage.cost {
                Some(cost) => count(Kind::Cost, role, billionths(cost)),
                None => count(Kind::Unpriced, role, 1),
            }
        }
    }

    /// Writes what waits.
    pub(super) fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(
            "INSERT INTO tallies (grp, kind, key, n) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (grp, kind, key) DO UPDATE SET n = n + excluded.n",
        )?;
        for ((group, kind, key), n) in self.0 {
            if n != 0 {
                statement.execute(params![group, kind.as_str(), key, n])?;
            }
        }
        Ok(())
    }
}

fn outcome_key(outcome: Option<Outcome>) -> i64 {
    let place = Outcome::ALL
        .iter()
        .position(|known| Some(*known) == outcome);
    place.map_or(-1, |place| i64::try_from(place).unwrap_or(-1))
}

/// By how many tenths the final answer is longer than the draft, at most twice as long and more.
fn length_step(facts: &Facts) -> Option<i64> {
    let (draft, last) = facts.lengths?;
    let (draft, last) = (i64::try_from(draft).ok()?, i64::try_from(last).ok()?);
    if draft == 0 {
        return None;
    }
    let hundredths = (last - draft).saturating_mul(100) / draft;
    // Rounded away from none, so that only what has the same length is in the middle.
    let step = match hundredths {
        0 if last == draft => 0,
        0 => (last - draft).signum(),
        _ => (hundredths + 9 * hundredths.signum()) / 10,
    };
    Some(step.clamp(-10, 10))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the conversion stops at the bounds"
)]
fn billionths(cost: f64) -> i64 {
    (cost * 1e9).round() as i64
}

/// A run as the index knows it.
#[derive(Clone, Debug)]
pub struct RunEntry {
    /// Its name.
    pub name: String,
    /// The constitutions that judged in it.
    pub constitutions: Vec<ConstitutionMark>,
    /// Its counts.
    pub tallies: Tallies,
}

/// What one principle said over many transcripts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrincipleTally {
    /// The principle's id.
    pub principle: String,
    /// Transcripts in which it was assessed.
    pub assessed: u64,
    /// Transcripts in which it was violated.
    pub violated: u64,
    /// Of those, transcripts whose final answer does not violate it.
    pub mended: u64,
    /// Transcripts in which its last assessment came to nothing.
    pub errors: u64,
}

/// Counts over transcripts.
#[derive(Clone, Debug, Default)]
pub struct Tallies {
    counts: BTreeMap<(Kind, i64), u64>,
    names: BTreeMap<i64, String>,
}

impl Tallies {
    /// One count.
    #[must_use]
    pub fn count(&self, kind: Kind, key: i64) -> u64 {
        self.counts.get(&(kind, key)).copied().unwrap_or(0)
    }

    /// All counts of a kind that are not zero, by key.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = (i64, u64)> {
        self.counts
            .range((kind, i64::MIN)..=(kind, i64::MAX))
            .map(|((_, key), n)| (*key, *n))
            .filter(|(_, n)| *n > 0)
    }

    /// How many transcripts there are.
    #[must_use]
    pub fn transcripts(&self) -> u64 {
        self.all(Kind::Outcome).map(|(_, n)| n).sum()
    }

    /// How many ended so.
    #[must_use]
    pub fn ended(&self, outcome: Outcome) -> u64 {
        self.count(Kind::Outcome, outcome_key(Some(outcome)))
    }

    /// The principles that spoke, the most violated first.
    #[must_use]
    pub fn principles(&self) -> Vec<PrincipleTally> {
        let mut ids: Vec<i64> = [Kind::Assessed, Kind::Error]
            .into_iter()
            .flat_map(|kind| self.all(kind).map(|(id, _)| id))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let mut principles: Vec<PrincipleTally> = ids
            .into_iter()
            .map(|id| PrincipleTally {
                principle: self.names.get(&id).cloned().unwrap_or_default(),
                assessed: self.count(Kind::Assessed, id),
                violated: self.count(Kind::Violated, id),
                mended: self.count(Kind::Mended, id),
                errors: self.count(Kind::Error, id),
            })
            .collect();
        principles.sort_by_key(|tally| std::cmp::Reverse(tally.violated));
        principles
    }

    /// The tags, the most frequent first.
    #[must_use]
    pub fn tags(&self) -> Vec<(String, u64)> {
        let mut tags: Vec<(String, u64)> = self
            .all(Kind::Tag)
            .map(|(id, n)| (self.names.get(&id).cloned().unwrap_or_default(), n))
            .collect();
        tags.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        tags
    }
}

impl Index {
    /// The runs that the index knows, with their counts.
    ///
    /// # Errors
    ///
    /// When the index cannot be read.
    pub fn runs(&self) -> Result<Vec<RunEntry>, IndexError> {
        let reader = self.reader();
        let names: Vec<String> = reader
            .prepare_cached("SELECT name FROM runs ORDER BY id")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        names
            .into_iter()
            .map(|name| run(&reader, name))
            .collect::<Result<_, _>>()
    }

    /// A run with its counts; an unknown one has none.
    ///
    /// # Errors
    ///
    /// When the index cannot be read.
    pub fn run(&self, name: &str) -> Result<RunEntry, IndexError> {
        run(&self.reader(), name.to_owned())
    }

    /// The counts of all transcripts under the constitution of a digest, its name and version, and
    /// the runs that they are in.
    ///
    /// # Errors
    ///
    /// When the index cannot be read.
    pub fn constitution(
        &self,
        digest: Digest,
    ) -> Result<Option<(ConstitutionMark, Vec<String>, Tallies)>, IndexError> {
        let reader = self.reader();
        let of_digest = "grp IN (SELECT id FROM groups WHERE digest = ?1)";
        let mut statement = reader.prepare_cached(
            "SELECT g.name, g.version, r.name FROM groups g JOIN runs r ON r.id = g.run
             WHERE g.digest = ?1 ORDER BY r.id",
        )?;
        let mut rows = statement.query([digest.to_string()])?;
        let (mut mark, mut runs) = (None, Vec::new());
        while let Some(row) = rows.next()? {
            mark = Some(ConstitutionMark {
                name: row.get(0)?,
                version: row.get(1)?,
                digest,
            });
            runs.push(row.get(2)?);
        }
        let Some(mark) = mark else {
            return Ok(None);
        };
        let tallies = tallies(&reader, of_digest, &digest.to_string())?;
        Ok(Some((mark, runs, tallies)))
    }
}

fn run(connection: &Connection, name: String) -> Result<RunEntry, IndexError> {
    let of_run = "grp IN (SELECT g.id FROM groups g JOIN runs r ON r.id = g.run WHERE r.name = ?1)";
    let constitutions = connection
        .prepare_cached(
            "SELECT g.name, g.version, g.digest FROM groups g JOIN runs r ON r.id = g.run
             WHERE r.name = ?1 AND g.digest <> '' ORDER BY g.id",
        )?
        .query_map([&name], mark)?
        .collect::<Result<Vec<_>, _>>()?;
    Ok(RunEntry {
        constitutions: constitutions.into_iter().flatten().collect(),
        tallies: tallies(connection, of_run, &name)?,
        name,
    })
}

fn mark(row: &Row<'_>) -> rusqlite::Result<Option<ConstitutionMark>> {
    let digest: String = row.get(2)?;
    let (name, version) = (row.get(0)?, row.get(1)?);
    Ok(digest.parse().ok().map(|digest| ConstitutionMark {
        name,
        version,
        digest,
    }))
}

fn tallies(connection: &Connection, condition: &str, value: &str) -> Result<Tallies, IndexError> {
    let sql = format!("SELECT kind, key, sum(n) FROM tallies WHERE {condition} GROUP BY 1, 2");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([value])?;
    let mut tallies = Tallies::default();
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.as_str() == name) else {
            continue;
        };
        let key = row.get(1)?;
        tallies
            .counts
            .insert((kind, key), row.get::<_, i64>(2)?.max(0).unsigned_abs());
        if matches!(kind, Kind::Assessed | Kind::Error | Kind::Tag) {
            tallies.names.insert(key, names::name(connection, key)?);
        }
    }
    Ok(tallies)
}
