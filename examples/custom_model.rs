//! A model of your own: here a rule, which plays critic and reviser. No server, no store.
//!
//! `cargo run --example custom_model`

use std::sync::Arc;

use async_trait::async_trait;
use redraft::model::structured::extract_json;
use redraft::model::{ChatModel, ChatRequest, Completion, ModelError, ReplyFormat};
use redraft::round::{Assigned, Cast};
use redraft::{Constitution, Conversation, Pipeline, Record};
use serde_json::{Value, json};

const PLAIN: &str = "
constitution: plain-words
principles: [{ id: plain, text: A short word stands where it says the same as a long one. }]
";

/// Finds one long word and writes a short one for it.
#[derive(Debug)]
struct Editor;

#[async_trait]
impl ChatModel for Editor {
    fn name(&self) -> &'static str {
        "editor"
    }

    async fn complete(&self, request: &ChatRequest) -> Result<Completion, ModelError> {
        // Both prompts hold the answer as JSON, behind a fence.
        let asked = request.messages.last().map_or("", |last| &last.content);
        let material: Value = extract_json(asked)
            .and_then(|json| serde_json::from_str(json).ok())
            .ok_or_else(|| ModelError::Other("there is nothing to work on".to_owned()))?;
        let answer = material["answer"].as_str().unwrap_or_default();
        Ok(Completion::from_text(match request.format {
            ReplyFormat::Text => answer.replace("utilise", "use"),
            _ if answer.contains("utilise") => json!({ "complies": [], "not_applicable": [],
                "violations": [{ "principle": "plain", "evidence": "utilise", "severity": "low",
                    "explanation": "`use` says the same.", "fix": "Write `use`." }] })
            .to_string(),
            _ => {
                json!({ "violations": [], "complies": ["plain"], "not_applicable": [] }).to_string()
            }
        }))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cast = Cast::of_one(&Assigned::new(Arc::new(Editor)));
    let constitution = Constitution::from_yaml("plain-words.yaml", PLAIN)?;
    let pipeline = Pipeline::builder(constitution).cast(cast).build()?;
    let record = Record::new(Conversation::from_prompt("How do I open it?"))
        .with_answer("Please utilise the small key.");
    let transcript = pipeline.revise(&record).await?;
    println!("{}", json!(transcript.rounds[0].findings));
    println!("{}: {}", transcript.outcome, json!(transcript.final_answer));
    Ok(())
}
