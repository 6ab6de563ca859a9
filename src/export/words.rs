//! A critique in words, for formats that have one text where a transcript may have findings.

use std::fmt::Write as _;

use crate::transcript::{Finding, Round, Verdict};

/// The critique of a round: its free text, or its findings in words; absent where there was none.
pub(super) fn critique(round: &Round) -> Option<String> {
    if let Some(text) = &round.critique {
        return Some(text.clone());
    }
    if round.findings.is_empty() {
        return None;
    }
    let notable = round
        .findings
        .iter()
        .filter(|finding| matches!(finding.verdict, Verdict::Violates | Verdict::Error));
    let told: Vec<String> = notable.map(in_words).collect();
    if told.is_empty() {
        return Some("No principle is violated.".to_owned());
    }
    Some(told.join("\n"))
}

fn in_words(finding: &Finding) -> String {
    let mut told = finding.principle.clone();
    match (finding.verdict, finding.severity) {
        (Verdict::Error, _) => told.push_str(" (not assessed)"),
        (_, Some(severity)) => {
            let _ = write!(told, " ({severity})");
        }
        _ => {}
    }
    told.push(':');
    if !finding.explanation.is_empty() {
        let _ = write!(told, " {}", finding.explanation);
    }
    for quote in &finding.evidence {
        let _ = write!(told, " “{quote}”");
    }
    if let Some(fix) = &finding.fix {
        let _ = write!(told, " {fix}");
    }
    told
}
