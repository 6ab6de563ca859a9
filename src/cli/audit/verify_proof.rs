//! `redraft audit verify --proof`: a proof checked by itself.

use std::path::Path;

use anyhow::Context as _;

use super::files;
use crate::audit::proof::{CheckedProof, InclusionProof, PublicKey, check_proof};
use crate::cli::Exit;
use crate::cli::terminal::{Paint, safe};

/// Checks the proof in a file.
pub(super) fn run(path: &Path, key: Option<&PublicKey>, json: bool) -> anyhow::Result<Exit> {
    let proof: InclusionProof = serde_json::from_str(&files::read(path)?)
        .with_context(|| format!("{} holds no proof", path.display()))?;
    let checked = check_proof(&proof, key)
        .with_context(|| format!("the proof {} cannot be checked", path.display()))?;
    if json {
        let mut told = serde_json::to_value(&checked)?;
        told["holds"] = serde_json::json!(checked.holds());
        outln!("{told}");
    } else {
        tell(&checked);
    }
    Ok(if checked.holds() {
        Exit::Done
    } else {
        Exit::Failed
    })
}

fn tell(checked: &CheckedProof) {
    let paint = Paint::STDOUT;
    match &checked.entry {
        Some(entry) => outln!(
            "{} {} of run {}, line {}: {}",
            paint.bold("Record"),
            safe(&entry.record),
            safe(&entry.run),
            entry.line,
            safe(&entry.outcome)
        ),
        None => outln!("{}", paint.bad("the leaf is no transcript's")),
    }
    let head = &checked.checkpoint;
    let time = head.time.as_deref().unwrap_or("no time");
    let included = format!(
        "leaf {} of the {} of {}, {}",
        checked.index,
        head.size,
        safe(&head.origin),
        safe(time)
    );
    line("included", Some(checked.is_included), &included);
    line(
        "payload",
        checked.payload_matches,
        "what the leaf commits to",
    );
    if checked.erasure_is_included.is_some() {
        line(
            "erasure",
            checked.erasure_is_included,
            "an event of the same tree says so",
        );
    }
    line(
        "signature",
        checked.is_signed,
        "of the checkpoint, by the given key",
    );
}

fn line(name: &str, holds: Option<bool>, what: &str) {
    let paint = Paint::STDOUT;
    let state = match holds {
        Some(true) => paint.good("holds"),
        Some(false) => paint.bad("FAILS"),
        None => paint.dim("not checked"),
    };
    outln!("  {name:<11}{state}: {what}");
}
