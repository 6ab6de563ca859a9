//! What the judging of an answer took, over all its texts.

use std::collections::BTreeMap;

use super::judge::{Judged, Standing};
use crate::transcript::{Outcome, UsageByRole, Verdict};

/// What the judging of an answer took.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// The worst outcome; absent where nothing was judged.
    pub(super) outcome: Option<Outcome>,
    /// The most rounds that one text took.
    pub(super) rounds: u32,
    /// What critic and reviser used.
    pub(super) usage: UsageByRole,
    /// The principles that were found violated in any round, each once.
    pub(super) violated: Vec<String>,
    /// Whether critic or reviser failed.
    pub(super) critic_failed: bool,
}

impl Tally {
    /// Of all the texts of one answer.
    pub(super) fn of(judged: &[Judged]) -> Self {
        let mut tally = Self::default();
        let mut usage: UsageByRole = BTreeMap::new();
        for one in judged {
            let transcript = &one.unsealed.transcript;
            let outcome = match one.standing {
                Standing::BrokenJson => Outcome::Unresolved,
                _ => transcript.outcome,
            };
            tally.outcome = tally.outcome.max(Some(outcome));
            tally.critic_failed |= matches!(one.standing, Standing::Unassessed(_));
            let rounds = u32::try_from(transcript.rounds.len()).unwrap_or(u32::MAX);
            tally.rounds = tally.rounds.max(rounds);
            for (role, used) in &transcript.usage {
                usage.entry(*role).or_default().merge(used);
            }
            let findings = transcript.rounds.iter().flat_map(|round| &round.findings);
            for finding in findings.filter(|finding| finding.verdict == Verdict::Violates) {
                if !tally.violated.contains(&finding.principle) {
                    tally.violated.push(finding.principle.clone());
                }
            }
        }
        tally.usage = usage;
        tally
    }
}
