//! Small transcripts for tests.

use serde_json::{Value, json};

use super::{Decided, Format, Item, LeftOut, Requests};
use crate::digest::Digest;
use crate::transcript::{FORMAT, Transcript};

fn transcript(draft: &str, rounds: &Value, last: (&str, u32), outcome: &str) -> Transcript {
    let digest = Digest::of(b"constitution");
    serde_json::from_value(json!({
        "format": FORMAT,
        "run": "run-1",
        "record": { "id": "a", "conversation": [{ "role": "user", "content": "Hello?" }] },
        "provenance": {
            "constitution": { "name": "manners", "version": "1.0", "digest": digest },
            "prompts": digest,
            "recipe": { "rounds": 2 },
            "models": { "reviser": { "model": "m" } },
            "seed": 0,
            "redraft": "0.0.0",
        },
        "draft": { "text": draft, "source": "given" },
        "rounds": rounds,
        "final": { "text": last.0, "round": last.1 },
        "outcome": outcome,
        "why": "because",
        "usage": {},
    }))
    .unwrap()
}

fn round(n: u32, verdict: &str, severity: Option<&str>, revision: Option<(&str, bool)>) -> Value {
    let mut finding = json!({ "principle": "be-kind", "verdict": verdict, "by": "model" });
    if let Some(severity) = severity {
        finding["severity"] = json!(severity);
    }
    let mut round = json!({
        "n": n,
        "principles": ["be-kind"],
        "findings": [finding],
        "kept": revision.is_some_and(|(_, kept)| kept),
        "why": "because",
    });
    if let Some((text, _)) = revision {
        round["revision"] = json!({ "text": text, "by": "model" });
    }
    round
}

/// A draft with nothing wrong.
pub(crate) fn clean() -> Transcript {
    let rounds = json!([round(1, "complies", None, None)]);
    transcript("Fine.", &rounds, ("Fine.", 0), "compliant")
}

/// A draft that one revision mended.
pub(crate) fn mended() -> Transcript {
    let rounds = json!([
        round(1, "violates", Some("high"), Some(("Good.", true))),
        round(2, "complies", None, None),
    ]);
    transcript("Bad.", &rounds, ("Good.", 1), "compliant")
}

/// A draft whose revision was worse and not kept.
pub(crate) fn worse() -> Transcript {
    let rounds = json!([
        round(1, "violates", Some("high"), Some(("Worse.", false))),
        round(2, "violates", Some("critical"), None),
    ]);
    transcript("Bad.", &rounds, ("Bad.", 0), "unresolved")
}

/// A draft whose revision was as bad, and kept.
pub(crate) fn equal() -> Transcript {
    let rounds = json!([
        round(1, "violates", Some("high"), Some(("Other.", true))),
        round(2, "violates", Some("high"), None),
    ]);
    transcript("Bad.", &rounds, ("Other.", 1), "unresolved")
}

/// A draft that could not be assessed.
pub(crate) fn unassessed() -> Transcript {
    let rounds = json!([round(1, "error", None, None)]);
    transcript("Bad.", &rounds, ("Bad.", 0), "unresolved")
}

/// Three rounds in free text; the last gave back what it was given.
pub(crate) fn chat_run() -> Transcript {
    let round = |n: u32, text: &str, kept: bool| {
        json!({
            "n": n,
            "principles": ["be-kind"],
            "critique": format!("Critique {n}."),
            "revision": { "text": text, "by": "model" },
            "kept": kept,
            "why": "because",
        })
    };
    let rounds = json!([
        round(1, "One.", true),
        round(2, "Two.", true),
        round(3, "Two.", false),
    ]);
    transcript("Zero.", &rounds, ("Two.", 2), "revised")
}

/// The rows that a format makes of a transcript.
pub(crate) fn rows_of(
    format: &mut dyn Format,
    transcript: &Transcript,
) -> Result<Vec<Value>, LeftOut> {
    let rows = format.rows(&Item {
        decided: Decided::Not,
        transcript,
        body: b"",
        content: Digest::of(b"x"),
        requests: &Requests::default(),
    })?;
    let parsed = rows.iter().map(|row| serde_json::from_slice(row).unwrap());
    Ok(parsed.collect())
}
