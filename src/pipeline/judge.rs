//! Judging one answer, without revising it: what a round's critique finds.

use super::revise::describe;
use super::{Pipeline, PipelineError};
use crate::constitution::Principle;
use crate::model::Reach;
use crate::record::Record;
use crate::round::{Bench, Closed, Instructions, Ledger, RoundOptions, critique};
use crate::transcript::{Assessor, Finding, UsageByRole, Verdict};

/// What was found in one answer, and what finding it took.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// One finding per principle, in their order.
    pub findings: Vec<Finding>,
    /// What was wrong with the critic's replies, where they were asked for again.
    pub faults: Vec<String>,
    /// What the calls used, by role.
    pub usage: UsageByRole,
    /// How many of the calls the journal answered.
    pub journalled: u64,
}

impl Pipeline {
    /// Judges an answer by these principles under the critique contract, whatever the recipe's own
    /// critique. They need not be those of the constitution; the critic is shown their examples.
    ///
    /// # Errors
    ///
    /// Only for what would reach every answer; a critic that fails for this one alone gives the
    /// verdict [`Verdict::Error`].
    pub async fn judge(
        &self,
        record: &Record,
        principles: &[&Principle],
        answer: &str,
    ) -> Result<Judgement, PipelineError> {
        let ledger = Ledger::default();
        // Those of the pipeline are kept by the principles' ids, whatever examples these have.
        let instructions = Instructions::new(&self.prompts, self.recipe.few_shot)?;
        let bench = Bench {
            record,
            cast: &self.cast,
            prompts: &self.prompts,
            instructions: &instructions,
            options: RoundOptions {
                principles_per_call: self.recipe.principles_per_call,
                contract_retries: self.recipe.contract_retries,
            },
            ledger: &ledger,
        };
        let (findings, faults) = match critique(&bench, principles, answer).await {
            Ok(found) => (found.findings, found.faults),
            Err(error) if error.reach() == Reach::Run => return Err(PipelineError::Stopped(error)),
            Err(error) => {
                let why = describe(&error);
                let all = principles.iter();
                (
                    all.map(|principle| unassessed(principle, &why)).collect(),
                    Vec::new(),
                )
            }
        };
        let Closed {
            usage, journalled, ..
        } = ledger.close();
        Ok(Judgement {
            findings,
            faults,
            usage,
            journalled: journalled.values().sum(),
        })
    }
}

fn unassessed(principle: &Principle, why: &str) -> Finding {
    Finding {
        principle: principle.id.clone(),
        verdict: Verdict::Error,
        evidence: Vec::new(),
        explanation: why.to_owned(),
        severity: None,
        fix: None,
        by: Assessor::Model,
    }
}
