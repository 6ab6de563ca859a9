//! What an endpoint can do besides answering: cache the beginning of prompts, and hold replies to a
//! schema.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde::Serialize;
use serde_json::json;

use super::endpoint::{MeasureOptions, prompt};
use crate::message::Message;
use crate::model::structured::{Rung, Structured, StructuredSetting, extract_json};
use crate::model::{
    ChatModel, ChatRequest, Completion, ModelError, ReplyFormat, ReplySchema, Sampling,
};

/// Whether an endpoint serves the beginning of a prompt from a cache.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Prefix {
    /// The server counts cached tokens.
    Counted {
        /// Tokens of the second prompt with the same beginning.
        input: u64,
        /// Those of them that were cached.
        cached: u64,
    },
    /// The server does not say how many tokens there were.
    Untold,
    /// The calls failed.
    Failed {
        /// The failure.
        why: String,
    },
}

/// Whether replies can be held to a schema, and by which means.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum StructuredReplies {
    /// A reply came as the schema has it.
    Work {
        /// The means.
        rung: Rung,
    },
    /// The last reply was JSON of another form, or none.
    DoNot {
        /// What came, or why nothing did.
        why: String,
    },
}

/// Sends two prompts with the same beginning, and looks at what was cached of the second.
pub(super) async fn prefix(model: &dyn ChatModel, options: &MeasureOptions) -> Prefix {
    let head = format!("prefix-{}", options.nonce);
    let mut last = Prefix::Untold;
    for tail in ["first", "second"] {
        let request = request(prompt(&head, tail), options);
        last = match model.complete(&request).await {
            Err(error) => {
                return Prefix::Failed {
                    why: error.to_string(),
                };
            }
            Ok(Completion {
                usage: Some(usage), ..
            }) => Prefix::Counted {
                input: usage.input,
                cached: usage.cached,
            },
            Ok(_) => Prefix::Untold,
        };
    }
    last
}

fn request(messages: Vec<Message>, options: &MeasureOptions) -> ChatRequest {
    ChatRequest {
        sampling: Sampling {
            max_tokens: Some(options.max_tokens),
            ..Sampling::default()
        },
        ..ChatRequest::new(messages)
    }
}

/// Asks for a critique by the strongest means, and steps down until one works.
pub(super) async fn structured(
    model: Arc<dyn ChatModel>,
    options: &MeasureOptions,
) -> StructuredReplies {
    let watched = Arc::new(Watched {
        model,
        last: Mutex::default(),
    });
    let ladder = Structured::new(watched.clone(), StructuredSetting::Auto, None);
    let messages = vec![Message::user(format!(
        "Answer ({}): \"The shop opens at nine.\"\nDoes it comply with the principles be-kind and \
         be-brief? Sort both into the three lists.",
        options.nonce
    ))];
    let request = ChatRequest {
        format: ReplyFormat::Structured(Arc::new(schema())),
        sampling: Sampling {
            max_tokens: Some(options.max_tokens.max(512)),
            ..Sampling::default()
        },
        ..ChatRequest::new(messages)
    };
    let reply = match ladder.complete(&request).await {
        Ok(reply) => reply,
        Err(error) => {
            return StructuredReplies::DoNot {
                why: error.to_string(),
            };
        }
    };
    match (fits(&reply.text), watched.rung()) {
        (true, Some(rung)) => StructuredReplies::Work { rung },
        _ => StructuredReplies::DoNot {
            why: "the reply did not have the form of the schema".to_owned(),
        },
    }
}

/// A schema like that of a critique.
fn schema() -> ReplySchema {
    let names =
        json!({ "type": "array", "items": { "type": "string", "enum": ["be-kind", "be-brief"] } });
    ReplySchema {
        name: "critique".to_owned(),
        description: "Which principles an answer complies with.".to_owned(),
        schema: json!({
            "type": "object",
            "properties": { "violations": names, "complies": names, "not_applicable": names },
            "required": ["violations", "complies", "not_applicable"],
            "additionalProperties": false,
        })
        .into(),
    }
}

fn fits(text: &str) -> bool {
    let Some(json) = extract_json(text) else {
        return false;
    };
    serde_json::from_str::<serde_json::Value>(json).is_ok_and(|reply| {
        ["violations", "complies", "not_applicable"]
            .iter()
            .all(|list| reply[list].is_array())
    })
}

/// A [`ChatModel`] that remembers by which means a reply was asked for last.
#[derive(Debug)]
struct Watched {
    model: Arc<dyn ChatModel>,
    last: Mutex<Option<Rung>>,
}

impl Watched {
    fn rung(&self) -> Option<Rung> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ChatModel for Watched {
    fn name(&self) -> &str {
        self.model.name()
    }

    async fn complete(&self, request: &ChatRequest) -> Result<Completion, ModelError> {
        let rung = match request.format {
            ReplyFormat::JsonSchema(_) => Some(Rung::JsonSchema),
            ReplyFormat::Tool(_) => Some(Rung::Tool),
            ReplyFormat::JsonObject => Some(Rung::JsonObject),
            ReplyFormat::Text => Some(Rung::Text),
            ReplyFormat::Structured(_) => None,
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = rung;
        self.model.complete(request).await
    }

    fn read(&self, raw: &[u8]) -> Result<Completion, ModelError> {
        self.model.read(raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::endpoint::tests::options;
    use crate::model::TokenUsage;
    use crate::model::scripted::Scripted;

    fn refused() -> Result<Completion, ModelError> {
        Err(ModelError::Status {
            endpoint: String::new(),
            status: 400,
            message: "no such format".to_owned(),
            retry_after: None,
        })
    }

    #[tokio::test]
    async fn the_means_that_worked_is_told() {
        let fitting = r#"{"violations":[],"complies":["be-kind"],"not_applicable":["be-brief"]}"#;
        let model = Scripted::new([refused(), Ok(Completion::from_text(fitting))]);
        let found = structured(Arc::new(model), &options()).await;
        assert_eq!(found, StructuredReplies::Work { rung: Rung::Tool });
        let model = Scripted::new([Ok(Completion::from_text(r#"{"other":1}"#))]);
        let found = structured(Arc::new(model), &options()).await;
        assert!(
            matches!(found, StructuredReplies::DoNot { .. }),
            "{found:?}"
        );
    }

    #[tokio::test]
    async fn the_cached_share_is_that_of_the_second_prompt() {
        let reply = |cached| {
            Ok(Completion {
                usage: Some(TokenUsage {
                    input: 500,
                    cached,
                    output: 1,
                }),
                ..Completion::from_text("x")
            })
        };
        let model = Scripted::new([reply(0), reply(400)]);
        let found = prefix(&model, &options()).await;
        assert_eq!(
            found,
            Prefix::Counted {
                input: 500,
                cached: 400
            }
        );
        let model = Scripted::new([
            Ok(Completion::from_text("x")),
            Ok(Completion::from_text("x")),
        ]);
        assert_eq!(prefix(&model, &options()).await, Prefix::Untold);
    }
}
