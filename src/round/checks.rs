//! What checks find and mend: free, deterministic, before any model is asked.

use crate::constitution::Principle;
use crate::transcript::{Assessor, Finding, Verdict};

/// The findings that checks alone settle: one for each principle that its checks settle, and one
/// for each other principle whose checks find something.
pub fn judge_by_checks(principles: &[&Principle], answer: &str) -> Vec<Finding> {
    principles
        .iter()
        .filter(|principle| !principle.checks.is_empty())
        .filter_map(|principle| {
            let finding = judge(principle, answer);
            let settled = finding.verdict == Verdict::Violates || principle.is_settled_by_checks();
            settled.then_some(finding)
        })
        .collect()
}

fn judge(principle: &Principle, answer: &str) -> Finding {
    let mut evidence = Vec::new();
    let mut found: Vec<String> = Vec::new();
    for hit in principle.hits(answer) {
        if let Some(range) = hit.range {
            evidence.push(answer[range].to_owned());
        }
        if !found.contains(&hit.what) {
            found.push(hit.what);
        }
    }
    let violated = !found.is_empty();
    Finding {
        principle: principle.id.clone(),
        verdict: if violated {
            Verdict::Violates
        } else {
            Verdict::Complies
        },
        evidence,
        explanation: found.join("; "),
        severity: violated.then_some(principle.severity),
        fix: None,
        by: Assessor::Checks,
    }
}

/// The answer after the checks of every violated principle have rewritten it; absent when that
/// changes nothing.
#[must_use]
pub fn rewrite_by_checks(
    principles: &[&Principle],
    findings: &[Finding],
    answer: &str,
) -> Option<String> {
    let violated = |principle: &Principle| {
        findings.iter().any(|finding| {
            finding.verdict == Verdict::Violates
                && finding.by == Assessor::Checks
                && finding.principle == principle.id
        })
    };
    let mut text: Option<String> = None;
    for principle in principles.iter().filter(|principle| violated(principle)) {
        let mended = principle.rewrite(text.as_deref().unwrap_or(answer));
        text = mended.or(text);
    }
    text.filter(|text| text != answer)
}
