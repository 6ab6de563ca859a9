//! How what was found becomes a new text: the checks rewrite first, the reviser does the rest.

use super::revise::Work;
use super::{PipelineEvent, Revise};
use crate::round::{
    Revised, RoundError, judge_by_checks, revise as revise_by_findings, rewrite_by_checks,
};
use crate::transcript::{Assessor, Finding, Revision, RevisionAuthor, Round, Verdict};

impl Work<'_> {
    /// Has the violations of a round mended, by checks and then by the reviser; gives the new text,
    /// or notes in the round why there is none.
    pub(super) async fn mend(
        &mut self,
        text: &str,
        round: &mut Round,
    ) -> Result<Option<String>, RoundError> {
        let rewritten = rewrite_by_checks(&self.principles, &round.findings, text);
        let base = rewritten.as_deref().unwrap_or(text);
        let left = self.left_after_rewrite(base, &round.findings);
        let ask = !left.is_empty()
            || (self.pipeline.recipe.revise == Revise::Always && rewritten.is_none());
        let asked = if ask && self.bench.cast.reviser.is_some() {
            let constitution = &self.pipeline.constitution;
            Some(revise_by_findings(&self.bench, constitution, base, &left).await?)
        } else {
            None
        };
        let nobody = "no model is there to revise what the checks cannot mend";
        Ok(self.take(text, rewritten, asked, nobody, round))
    }

    /// The violations that remain once checks have rewritten the text. What the checks took out does
    /// not come back to the author in the critic's quotes and words.
    fn left_after_rewrite(&self, base: &str, findings: &[Finding]) -> Vec<Finding> {
        let masked = |text: &str| {
            let mut masked = text.to_owned();
            for principle in &self.principles {
                masked = principle.rewrite(&masked).unwrap_or(masked);
            }
            masked
        };
        let by_model = findings
            .iter()
            .filter(|finding| finding.by == Assessor::Model && finding.verdict == Verdict::Violates)
            .map(|finding| Finding {
                evidence: finding.evidence.iter().map(|quote| masked(quote)).collect(),
                explanation: masked(&finding.explanation),
                fix: finding.fix.as_deref().map(masked),
                ..finding.clone()
            });
        judge_by_checks(&self.principles, base)
            .into_iter()
            .filter(|finding| finding.verdict == Verdict::Violates)
            .chain(by_model)
            .collect()
    }

    /// Puts what checks and reviser gave into the round, and gives the text to go on with.
    pub(super) fn take(
        &self,
        before: &str,
        rewritten: Option<String>,
        asked: Option<Revised>,
        nobody: &str,
        round: &mut Round,
    ) -> Option<String> {
        let by = match (&rewritten, &asked) {
            (Some(_), Some(Revised { text: Ok(_), .. })) => RevisionAuthor::ChecksAndModel,
            (Some(_), _) => RevisionAuthor::Checks,
            (None, _) => RevisionAuthor::Model,
        };
        let (text, calls) = match asked {
            None => (Err(nobody.to_owned()), Vec::new()),
            Some(Revised { text, calls }) => (text, calls),
        };
        let text = match (text, rewritten) {
            (Ok(text), _) => text,
            (Err(_), Some(rewritten)) => rewritten,
            (Err(why), None) => {
                round.why = why;
                return None;
            }
        };
        let revision = Revision {
            text: text.clone(),
            by,
            calls,
        };
        self.observer.event(&PipelineEvent::Revised {
            round: round.n,
            before,
            revision: &revision,
        });
        round.revision = Some(revision);
        if text == before {
            "the answer came back unchanged".clone_into(&mut round.why);
            return None;
        }
        Some(text)
    }
}
