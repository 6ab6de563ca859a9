//! `annotated-pairs`: one JSON document of comparisons, each with what every principle prefers, as
//! Inverse Constitutional AI and its viewers read it (version 2.0).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::pairs::{Pair, pairs};
use super::row::{json as compact, last_question};
use super::texts::{Texts, Version};
use super::{About, Format, Frame, Item, LeftOut, human_assistant};
use crate::digest::Digest;
use crate::message::{Message, Role};
use crate::model::ModelRole;
use crate::transcript::{DraftSource, Finding, RevisionAuthor, Transcript, Verdict};

/// The annotator that prefers the text that redraft chose.
const REDRAFT: &str = "redraft";

/// Annotated pairs of Inverse Constitutional AI, version 2.0.
#[derive(Debug)]
pub(super) struct AnnotatedPairs {
    texts: Texts,
    /// The principles that spoke, by their annotators' ids.
    principles: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Comparison {
    id: Digest,
    prompt: String,
    response_a: Map<String, Value>,
    response_b: Map<String, Value>,
    annotations: BTreeMap<String, Value>,
    metadata: Value,
}

impl AnnotatedPairs {
    pub(super) fn new(texts: Texts) -> Self {
        Self {
            texts,
            principles: BTreeMap::new(),
        }
    }
}

impl Format for AnnotatedPairs {
    fn rows(&mut self, item: &Item<'_>) -> Result<Vec<Vec<u8>>, LeftOut> {
        let texts = self.texts;
        pairs(item.transcript, texts, |pair| {
            let comparison = comparison(item, pair, &mut self.principles);
            Ok(compact(&comparison))
        })
    }

    fn frame(&self, about: &About) -> Option<Frame> {
        let metadata = json!({
            "version": "2.0",
            "description": "Answers before and after critique and revision by redraft",
            "dataset_name": about.run,
            "default_annotator": REDRAFT,
            "available_metadata_keys_per_comparison": ["record", "outcome"],
        });
        let mut annotators = Map::new();
        let redraft = json!({
            "name": REDRAFT,
            "description": "The text that redraft chose, over the one that it revised",
            "type": "unknown",
        });
        annotators.insert(REDRAFT.to_owned(), redraft);
        for (id, principle) in &self.principles {
            let annotator = json!({ "description": principle, "type": "principle" });
            annotators.insert(id.clone(), annotator);
        }
        let annotators = Value::Object(annotators);
        Some(Frame {
            head: format!("{{\"metadata\":{metadata},\"comparisons\":["),
            // Which principles speak is known only when every pair has been seen.
            tail: format!("],\"annotators\":{annotators}}}"),
        })
    }
}

fn comparison(
    item: &Item<'_>,
    pair: &Pair<'_, '_>,
    principles: &mut BTreeMap<String, String>,
) -> Comparison {
    let transcript = item.transcript;
    let named = |round: u32| (&transcript.record.id, &transcript.run, item.content, round);
    let id = Digest::of_json(&(named(pair.rejected.round), pair.chosen.round));
    // The chosen text stands first as often as second, so that position says nothing.
    let chosen_first = id.number().is_multiple_of(2);
    let (better, worse) = if chosen_first { ("a", "b") } else { ("b", "a") };
    let (first, second) = if chosen_first {
        (pair.chosen, pair.rejected)
    } else {
        (pair.rejected, pair.chosen)
    };
    let mut annotations = BTreeMap::from([(REDRAFT.to_owned(), json!({ "pref": better }))]);
    for (principle, before) in &pair.rejected.findings {
        let Some(after) = pair.chosen.findings.get(principle) else {
            continue;
        };
        let annotator = Digest::of(principle.as_bytes()).short();
        annotations.insert(annotator.clone(), annotation(before, after, better, worse));
        principles
            .entry(annotator)
            .or_insert_with(|| (*principle).to_owned());
    }
    Comparison {
        id,
        prompt: question(transcript.record.conversation.messages()),
        response_a: response(transcript, first),
        response_b: response(transcript, second),
        annotations,
        metadata: json!({
            "record": transcript.record.id,
            "outcome": transcript.outcome,
        }),
    }
}

/// What a principle prefers: the text that does not violate it, where just one does.
fn annotation(before: &Finding, after: &Finding, better: &str, worse: &str) -> Value {
    let violates = |finding: &Finding| finding.verdict == Verdict::Violates;
    let none = |reason: &str| json!({ "pref": null, "no_pref_reason": reason });
    if before.verdict == Verdict::Error || after.verdict == Verdict::Error {
        return none("invalid");
    }
    match (violates(before), violates(after)) {
        (true, false) => json!({ "pref": better }),
        (false, true) => json!({ "pref": worse }),
        _ => none("not_applicable"),
    }
}

/// The prompt: what was asked, or every turn where there are several.
fn question(messages: &[Message]) -> String {
    match messages {
        [only] if only.role == Role::User => only.content.clone(),
        [_] => last_question(messages).to_owned(),
        _ => {
            let whole = human_assistant::prompt(messages);
            let turns = whole.strip_suffix("\n\nAssistant:").unwrap_or(&whole);
            turns.trim_start().to_owned()
        }
    }
}

fn response(transcript: &Transcript, text: &Version<'_>) -> Map<String, Value> {
    let mut response = Map::new();
    response.insert("text".to_owned(), json!(text.text));
    if let Some(model) = writer(transcript, text.round) {
        response.insert("model".to_owned(), json!(model));
    }
    response
}

/// The model that wrote a text, where one did.
fn writer(transcript: &Transcript, round: u32) -> Option<&str> {
    let drafted = |source| source == DraftSource::Model;
    let role = if round == 0 {
        let draft = transcript.draft.as_ref()?;
        drafted(draft.source).then_some(ModelRole::Drafter)?
    } else {
        let made = transcript.rounds.iter().find(|made| made.n == round)?;
        let by = made.revision.as_ref()?.by;
        (by != RevisionAuthor::Checks).then_some(ModelRole::Reviser)?
    };
    let models = transcript.provenance.models.as_ref()?;
    models.get(&role)?.get("model")?.as_str()
}
