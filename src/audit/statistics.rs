//! Counts over the transcripts of a run: outcomes, violations and mends per principle, usage.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Serialize;

use super::outline::{FindingOutline, Outline, RoundOutline};
use crate::store::{Store, StoreError, StoredTranscript};
use crate::transcript::{Outcome, UsageByRole, Verdict};

/// How many transcripts are read at a time.
const PAGE: usize = 512;
/// The longest transcript, in bytes, that is a good example to show.
const GOOD_EXAMPLE_BYTES: usize = 12 * 1024;

/// Counts over the transcripts of a run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Statistics {
    /// Transcripts counted.
    pub records: u64,
    /// How many ended how.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// How many final answers differ from their draft.
    pub changed: u64,
    /// How many records had how many revisions.
    pub revisions: BTreeMap<usize, u64>,
    /// Per principle that spoke, in the order in which they first did.
    pub principles: IndexMap<String, PrincipleCount>,
    /// How many calls asked again because a reply could not be used.
    pub contract_retries: u64,
    /// How many revisions records took beyond their first, where they end as soon as they are clean.
    pub policy_retries: u64,
    /// What the calls used, by role.
    pub usage: UsageByRole,
    /// How many of the calls the journal answered, when their transcripts were sealed.
    pub journalled: u64,
}

/// What one principle said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PrincipleCount {
    /// Records in which it was assessed at least once.
    pub assessed: u64,
    /// Records in which it was violated at least once.
    pub violated: u64,
    /// Of those, records whose final answer does not violate it.
    pub mended: u64,
    /// Records in which its last assessment came to nothing.
    pub errors: u64,
}

impl Statistics {
    /// Counts one transcript.
    pub fn add(&mut self, outline: &Outline<'_>, changed: bool) {
        self.records += 1;
        *self.outcomes.entry(outline.outcome).or_default() += 1;
        self.changed += u64::from(changed);
        let revisions = outline
            .rounds
            .iter()
            .filter(|round| round.revision.is_some())
            .count();
        *self.revisions.entry(revisions).or_default() += 1;
        if outline.stops_when_clean() {
            self.policy_retries += revisions.saturating_sub(1) as u64;
        }
        for (role, usage) in &outline.usage {
            self.contract_retries += usage.asked_again;
            self.usage.entry(*role).or_default().merge(usage);
        }
        self.add_principles(outline);
    }

    fn add_principles(&mut self, outline: &Outline<'_>) {
        let mut seen: Vec<(&str, Spoken)> = Vec::new();
        for round in &outline.rounds {
            for finding in &round.findings {
                let id: &str = &finding.principle;
                let place = seen
                    .iter()
                    .position(|(known, _)| *known == id)
                    .unwrap_or_else(|| {
                        seen.push((id, Spoken::default()));
                        seen.len() - 1
                    });
                seen[place].1.add(finding, round, outline);
            }
        }
        for (id, spoken) in seen {
            if !self.principles.contains_key(id) {
                self.principles
                    .insert(id.to_owned(), PrincipleCount::default());
            }
            if let Some(count) = self.principles.get_mut(id) {
                count.assessed += u64::from(spoken.assessed);
                count.violated += u64::from(spoken.violated);
                count.mended += u64::from(spoken.violated && spoken.mended);
                count.errors += u64::from(spoken.error);
            }
        }
    }
}

/// What one principle said in one record.
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four questions, each answered on its own"
)]
struct Spoken {
    assessed: bool,
    violated: bool,
    mended: bool,
    error: bool,
}

impl Spoken {
    fn add(
        &mut self,
        finding: &FindingOutline<'_>,
        round: &RoundOutline<'_>,
        outline: &Outline<'_>,
    ) {
        let last_revision = outline.final_answer.as_ref().map_or(0, |last| last.round);
        // A round judges the revision of the round before it, or the draft.
        let judges_final = round.n == last_revision + 1;
        let settled = matches!(outline.outcome, Outcome::Compliant | Outcome::Revised);
        self.assessed |= finding.verdict != Verdict::Error;
        self.violated |= finding.verdict == Verdict::Violates;
        self.error = finding.verdict == Verdict::Error;
        let clean = matches!(finding.verdict, Verdict::Complies | Verdict::NotApplicable);
        self.mended = settled || if judges_final { clean } else { self.mended };
    }
}

/// Counts every transcript of a run, and finds a changed one that is short enough to show.
///
/// # Errors
///
/// When the store cannot be read, or a transcript in it is not one.
pub async fn gather(
    store: &dyn Store,
    run: &str,
) -> Result<(Statistics, Option<StoredTranscript>), StoreError> {
    let mut statistics = Statistics::default();
    let mut example: Option<StoredTranscript> = None;
    let mut after = None;
    loop {
        let page = store.transcripts(run, after, PAGE).await?;
        for stored in page.items {
            let sealed = &stored.row.sealed;
            let outline =
                Outline::read(&sealed.body).map_err(|error| StoreError::Inconsistent {
                    place: format!("transcript {} of run {run}", sealed.record),
                    reason: error.to_string(),
                })?;
            statistics.add(&outline, sealed.changed);
            statistics.journalled += sealed.times.journalled.values().sum::<u64>();
            let good = sealed.changed && sealed.body.len() <= GOOD_EXAMPLE_BYTES;
            let better = example
                .as_ref()
                .is_none_or(|known| stored.row.line < known.row.line);
            if good && better {
                example = Some(stored);
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok((statistics, example)),
        }
    }
}
