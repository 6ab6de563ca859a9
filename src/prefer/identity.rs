//! What decides the labels of a run.

use serde_json::{Value, json};

use super::{Judge, JudgeOptions};
use crate::model::ModelRole;
use crate::round::Assigned;
use crate::transcript::ConstitutionMark;

/// All that decides a run's labels: constitution, prompts, how pairs are compared, models by name,
/// sampling, seed, and where the pairs come from.
#[must_use]
pub fn decided_by(judge: &Judge, columns: Option<&[String; 2]>, drafts: bool) -> Value {
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
    json!({
        "constitution": ConstitutionMark::of(&judge.constitution),
        "preference prompts": judge.prompts.preference_digest(),
        "principles": principles,
        "labels": labels,
        "votes": votes,
        "chain of thought": thoughts,
        "critic": model(ModelRole::Critic),
        "drafter": if drafts { model(ModelRole::Drafter) } else { None },
        "seed": seed,
        "columns": columns,
    })
}
