//! What decides the labels of a run.

use serde_json::{Value, json};

use super::{Judge, JudgeOptions};
use crate::model::ModelRole;
use crate::round::Assigned;
use crate::transcript::ConstitutionMark;

/// How pairs are made where none are given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PairMaking {
    /// They are given.
    #[default]
    Given,
    /// Two drafts for each row without a pair.
    Drafts,
    /// The samples of each record, until the best one is found.
    BestSample,
}

/// All that decides a run's labels: constitution, prompts, how pairs are compared, models by name,
/// sampling, seed, and where the pairs come from.
#[must_use]
pub fn decided_by(judge: &Judge, columns: Option<&[String; 2]>, pairs: PairMaking) -> Value {
    let JudgeOptions {
        principles,
        labels,
        votes,
        thoughts,
        seed,
    } = &judge.options;
    let model = |role| {
        judge.cast.get(role).map(
            |Assigned {
                 model, sampling, ..
             }| json!({ "model": model.name(), "sampling": sampling }),
        )
    };
    let drafter = (pairs == PairMaking::Drafts).then(|| model(ModelRole::Drafter));
    let mut decided = json!({
        "constitution": ConstitutionMark::of(&judge.constitution),
        "preference prompts": judge.prompts.preference_digest(),
        "principles": principles,
        "labels": labels,
        "votes": votes,
        "chain of thought": thoughts,
        "critic": model(ModelRole::Critic),
        "drafter": drafter,
        "seed": seed,
        "columns": columns,
    });
    // Only where it is wanted, so that runs begun without it stay the same ones.
    if pairs == PairMaking::BestSample {
        decided["best sample"] = Value::Bool(true);
    }
    decided
}
