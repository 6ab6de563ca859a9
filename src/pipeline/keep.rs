//! Which of the assessed texts is kept.

use crate::constitution::Constitution;
use crate::transcript::{Finding, Verdict};

/// How much a text violates: severity points times weight, summed over the findings. What could not
/// be assessed counts as violated here, and only here: an unread text must not beat a read one.
pub(super) fn violation_points(findings: &[Finding], constitution: &Constitution) -> f64 {
    findings
        .iter()
        .filter_map(|finding| {
            let principle = constitution.principle(&finding.principle)?;
            let severity = match finding.verdict {
                Verdict::Violates => finding.severity.unwrap_or(principle.severity),
                Verdict::Error => principle.severity,
                Verdict::Complies | Verdict::NotApplicable => return None,
            };
            Some(severity.points() * principle.weight)
        })
        .sum()
}
