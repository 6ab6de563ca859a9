//! What a request asks for, as far as the gateway must know; and the options that are meant for it.

use serde::Deserialize;

use super::Failure;
use super::fields::Fields;
use crate::message::Conversation;

/// What a request asks for.
#[derive(Debug)]
pub(super) struct Requested {
    /// The model, by its public name.
    pub(super) model: String,
    /// Whether the answer shall be streamed.
    pub(super) stream: bool,
    /// Whether the stream shall end with the tokens used.
    pub(super) include_usage: bool,
    /// Whether the answer must be JSON.
    pub(super) wants_json: bool,
    /// What was said before the answer.
    pub(super) conversation: Conversation,
    /// What is meant for the gateway alone.
    pub(super) own: Own,
}

/// The field `redraft`, which goes no further than the gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Own {
    /// Words that choose principles.
    pub(super) tags: Vec<String>,
    /// Knobs of the recipe, as far as the operator lets clients turn them.
    pub(super) recipe: OwnRecipe,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OwnRecipe {
    /// The most revisions.
    pub(super) rounds: Option<u32>,
}

/// The name of the gateway's own field.
pub(super) const OWN: &str = "redraft";
/// The most tags of a request, and the longest one.
const MOST_TAGS: usize = 32;
const LONGEST_TAG: usize = 64;

#[derive(Default, Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: Option<bool>,
}

impl Requested {
    /// Reads what every endpoint's request has in common.
    ///
    /// # Errors
    ///
    /// When a field is not what it must be.
    pub(super) fn read(
        fields: &Fields<'_>,
        conversation: Conversation,
        wants_json: bool,
    ) -> Result<Self, Failure> {
        let stream_options: Option<StreamOptions> =
            fields.read_as("stream_options", "an object")?;
        Ok(Self {
            model: model(fields)?,
            stream: fields.read_as("stream", "true or false")?.unwrap_or(false),
            include_usage: stream_options
                .and_then(|options| options.include_usage)
                .unwrap_or(false),
            wants_json,
            conversation,
            own: own(fields)?,
        })
    }
}

/// The name of the model that is asked.
///
/// # Errors
///
/// When there is none.
pub(super) fn model(fields: &Fields<'_>) -> Result<String, Failure> {
    let name: Option<String> = fields.read_as("model", "a text")?;
    name.ok_or_else(|| Failure::bad_field("model", "`model` must be given."))
}

fn own(fields: &Fields<'_>) -> Result<Own, Failure> {
    let Some(raw) = fields.get(OWN) else {
        return Ok(Own::default());
    };
    let own: Own = serde_json::from_str(raw)
        .map_err(|error| Failure::bad_field(OWN, format!("`{OWN}` is wrong: {error}.")))?;
    let is_fine = |tag: &String| !tag.is_empty() && tag.len() <= LONGEST_TAG;
    if own.tags.len() > MOST_TAGS || !own.tags.iter().all(is_fine) {
        let message =
            format!("`{OWN}.tags` holds at most {MOST_TAGS} tags of 1 to {LONGEST_TAG} bytes.");
        return Err(Failure::bad_field(format!("{OWN}.tags"), message));
    }
    Ok(own)
}
