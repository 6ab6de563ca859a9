//! What is constant over a run: rendered once, and the beginning of every prompt.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::chat::ChatParts;
use crate::constitution::{Example, ExampleVerdict, Principle, Severity};
use crate::message::Message;
use crate::model::{Lead, ReplySchema};
use crate::prompt::{
    CritiqueExample, CritiqueSystem, PrincipleText, PromptError, PromptSet, ReviseSystem, data,
};

/// The constant beginnings of prompts, made on first use.
#[derive(Debug)]
pub struct Instructions {
    few_shot: usize,
    revise: Arc<Lead>,
    critiques: Mutex<HashMap<String, Arc<Lead>>>,
    schemas: Mutex<HashMap<String, Arc<ReplySchema>>>,
    chats: Mutex<HashMap<String, Arc<ChatParts>>>,
}

impl Instructions {
    /// Instructions from these templates, with `few_shot` examples for each principle.
    ///
    /// # Errors
    ///
    /// When a template is wrong.
    pub fn new(prompts: &PromptSet, few_shot: usize) -> Result<Self, PromptError> {
        Ok(Self {
            few_shot,
            revise: system(prompts.render(&ReviseSystem {})?),
            critiques: Mutex::default(),
            schemas: Mutex::default(),
            chats: Mutex::default(),
        })
    }

    /// The reviser's instructions.
    pub(super) fn revise(&self) -> Arc<Lead> {
        Arc::clone(&self.revise)
    }

    /// The critic's instructions for these principles.
    pub(super) fn critique(
        &self,
        prompts: &PromptSet,
        principles: &[&Principle],
    ) -> Result<Arc<Lead>, PromptError> {
        let key = key(principles);
        let mut known = self
            .critiques
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(lead) = known.get(&key) {
            return Ok(Arc::clone(lead));
        }
        let context = CritiqueSystem {
            principles: principles
                .iter()
                .map(|principle| principle_text(principle))
                .collect(),
            examples: principles
                .iter()
                .flat_map(|principle| {
                    let examples = principle.examples.iter().take(self.few_shot);
                    examples.map(|example| critique_example(principle, example))
                })
                .collect(),
        };
        let lead = system(prompts.render(&context)?);
        known.insert(key, Arc::clone(&lead));
        Ok(lead)
    }

    /// The schema of a critique of these principles.
    pub(super) fn schema(&self, principles: &[&Principle]) -> Arc<ReplySchema> {
        let mut known = self.schemas.lock().unwrap_or_else(PoisonError::into_inner);
        let schema = known
            .entry(key(principles))
            .or_insert_with(|| Arc::new(schema(principles)));
        Arc::clone(schema)
    }

    /// What every chat about this principle is made of.
    pub(super) fn chat(
        &self,
        prompts: &PromptSet,
        principle: &Principle,
    ) -> Result<Arc<ChatParts>, PromptError> {
        let mut known = self.chats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(parts) = known.get(&principle.id) {
            return Ok(Arc::clone(parts));
        }
        let parts = Arc::new(ChatParts::of(prompts, principle, self.few_shot)?);
        known.insert(principle.id.clone(), Arc::clone(&parts));
        Ok(parts)
    }
}

fn system(text: String) -> Arc<Lead> {
    Arc::new(vec![Message::system(text)].into())
}

fn key(principles: &[&Principle]) -> String {
    let ids: Vec<&str> = principles
        .iter()
        .map(|principle| principle.id.as_str())
        .collect();
    ids.join(" ")
}

fn principle_text(principle: &Principle) -> PrincipleText<'_> {
    PrincipleText {
        id: &principle.id,
        title: principle.display_title(),
        text: principle.text.trim(),
        severity: principle.severity.as_str(),
        critique: principle.critique.as_deref().map(str::trim),
    }
}

fn critique_example(principle: &Principle, example: &Example) -> CritiqueExample {
    let id = &principle.id;
    let listed = |verdict| {
        if example.verdict == verdict {
            json!([id])
        } else {
            json!([])
        }
    };
    let violations = match example.verdict {
        ExampleVerdict::Violates => json!([{
            "principle": id,
            "evidence": example.evidence.as_deref().unwrap_or_default(),
            "explanation": example.critique.as_deref().unwrap_or(principle.text.trim()),
            "severity": principle.severity,
            "fix": principle.revision.as_deref().unwrap_or("Rewrite it so that the principle is kept."),
        }]),
        ExampleVerdict::Complies | ExampleVerdict::NotApplicable => json!([]),
    };
    CritiqueExample {
        principle: id.clone(),
        material: data(&json!({
            "conversation": [{ "role": "user", "content": example.prompt }],
            "answer": example.answer,
        })),
        reply: data(&json!({
            "violations": violations,
            "complies": listed(ExampleVerdict::Complies),
            "not_applicable": listed(ExampleVerdict::NotApplicable),
        })),
    }
}

fn schema(principles: &[&Principle]) -> ReplySchema {
    let ids: Vec<&str> = principles
        .iter()
        .map(|principle| principle.id.as_str())
        .collect();
    let severities = Severity::ALL.map(Severity::as_str);
    let id = json!({ "type": "string", "enum": ids });
    let text = json!({ "type": "string" });
    let violation = object(&json!({
        "principle": id,
        "evidence": text,
        "explanation": text,
        "severity": { "type": "string", "enum": severities },
        "fix": text,
    }));
    ReplySchema {
        name: "critique".to_owned(),
        description: "Which principles the answer violates, keeps, or is not about.".to_owned(),
        schema: object(&json!({
            "violations": { "type": "array", "items": violation },
            "complies": { "type": "array", "items": id },
            "not_applicable": { "type": "array", "items": id },
        }))
        .into(),
    }
}

/// An object schema that strict structured outputs accept: all required, nothing else allowed.
fn object(properties: &Value) -> Value {
    let required: Vec<&String> = properties
        .as_object()
        .into_iter()
        .flat_map(|map| map.keys())
        .collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}
