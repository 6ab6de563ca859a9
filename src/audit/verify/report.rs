//! What came of a verification.

use std::collections::BTreeMap;

use serde::Serialize;

/// How many problems are named one by one; more are only counted.
pub(super) const MOST_NAMED: usize = 100_000;

/// How one part of a verification came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It holds.
    Holds,
    /// It does not hold.
    Fails,
    /// Nothing was there to check it by.
    NotChecked,
}

/// One part of a verification.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// How it came out.
    pub state: State,
    /// What was looked at, in words.
    pub what: String,
    /// How many problems there are, named or not.
    pub bad: u64,
    /// What is wrong, one by one.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The leaf's index, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaf: Option<u64>,
    /// The run, if it is one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The record, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// What is wrong.
    pub what: String,
}

/// Whether the tree is that of a checkpoint.
#[derive(Clone, Debug, Serialize)]
pub struct HeadCheck {
    /// How many leaves the checkpoint covers.
    pub size: u64,
    /// When it was made, as it says.
    pub time: Option<String>,
    /// Whether it came with the store, and not from elsewhere.
    pub from_store: bool,
    /// Who signed it, as it says.
    pub signers: Vec<String>,
}

/// Until when what the store holds is anchored.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Anchored {
    /// The time of the newest checkpoint that fits the tree and is signed by the given key.
    pub until: Option<String>,
    /// How many leaves it covers.
    pub leaves: u64,
    /// How many leaves came later.
    pub later: u64,
    /// How many of the leaves were given to transcripts of an older format, which were not anchored when
    /// they were sealed.
    pub adopted: u64,
    /// When those were given their leaves.
    pub adopted_at: Option<String>,
}

/// Whether a run has all that it ought to have.
#[derive(Clone, Debug, Serialize)]
pub struct RunReport {
    /// The run's name.
    pub run: String,
    /// How it came out; not checked where the run is not finished, or ended before there was a log.
    pub state: State,
    /// What was compared, in words.
    pub what: String,
    /// Rows of its dataset, as its end says.
    pub rows: Option<u64>,
    /// Rows that are the same record as an earlier one.
    pub doubled: Option<u64>,
    /// Rows that could not be used.
    pub rejected: u64,
    /// Its transcripts.
    pub transcripts: u64,
    /// Its transcripts whose payload was erased.
    pub erased: u64,
    /// Its transcripts that were taken out so that their records were done again.
    pub withdrawn: u64,
    /// Its transcripts by outcome.
    pub outcomes: BTreeMap<String, u64>,
}

/// What came of a verification.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// How many leaves the tree has.
    pub leaves: u64,
    /// The tree's root; absent where a leaf is missing.
    pub root: Option<String>,
    /// Whether what the store holds is what the leaves commit to.
    pub payloads: Check,
    /// Whether the leaves are those of the checkpoint.
    pub tree: Check,
    /// The checkpoint that the tree was compared with.
    pub checkpoint: Option<HeadCheck>,
    /// Whether the tree begins as an older checkpoint says.
    pub consistency: Check,
    /// Whether the checkpoint is signed by the given key.
    pub signature: Check,
    /// Whether every run has all that it ought to have.
    pub completeness: Check,
    /// Each run.
    pub runs: Vec<RunReport>,
    /// Until when all this is anchored.
    pub anchored: Anchored,
}

impl Report {
    /// Whether nothing that was checked failed.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.checks()
            .iter()
            .all(|(_, check)| check.state != State::Fails)
    }

    /// The parts with their names.
    #[must_use]
    pub fn checks(&self) -> [(&'static str, &Check); 5] {
        [
            ("payloads", &self.payloads),
            ("leaves", &self.tree),
            ("consistency", &self.consistency),
            ("signature", &self.signature),
            ("completeness", &self.completeness),
        ]
    }
}

impl Check {
    /// A check that holds until a problem is added.
    pub(super) fn holds(what: impl Into<String>) -> Self {
        Self {
            state: State::Holds,
            what: what.into(),
            bad: 0,
            problems: Vec::new(),
        }
    }

    /// A check that nothing was there for.
    pub(super) fn not_checked(what: impl Into<String>) -> Self {
        Self {
            state: State::NotChecked,
            ..Self::holds(what)
        }
    }

    /// Adds a problem, which makes it fail.
    pub(super) fn add(&mut self, problem: Problem) {
        self.state = State::Fails;
        self.bad += 1;
        if self.problems.len() < MOST_NAMED {
            self.problems.push(problem);
        }
    }
}

impl Problem {
    /// Something that is wrong with the whole.
    pub(super) fn of_store(what: impl Into<String>) -> Self {
        Self {
            leaf: None,
            run: None,
            record: None,
            what: what.into(),
        }
    }

    /// Something that is wrong with a leaf.
    pub(super) fn of_leaf(leaf: u64, what: impl Into<String>) -> Self {
        Self {
            leaf: Some(leaf),
            ..Self::of_store(what)
        }
    }

    /// Something that is wrong with a run.
    pub(super) fn of_run(run: &str, what: impl Into<String>) -> Self {
        Self {
            run: Some(run.to_owned()),
            ..Self::of_store(what)
        }
    }
}
