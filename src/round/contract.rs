//! The critique contract: every principle asked about stands in exactly one list, and every quote
//! occurs in the judged text.

use std::collections::HashMap;

use serde::Deserialize;

use super::evidence::locate_quote;
use crate::constitution::{Principle, Severity};
use crate::model::structured::extract_json;
use crate::model::{Completion, Finish};
use crate::transcript::{Assessor, Finding, Verdict};

/// What a critic's reply settles, and what is wrong with it.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// Findings that hold.
    pub(super) findings: Vec<Finding>,
    /// What is wrong, in sentences that the critic can be told.
    pub(super) faults: Vec<String>,
    /// Whether the reply was cut off.
    pub(super) cut_off: bool,
}

#[derive(Deserialize)]
struct Reply {
    violations: Vec<Violation>,
    complies: Vec<String>,
    not_applicable: Vec<String>,
}

#[derive(Deserialize)]
struct Violation {
    principle: String,
    #[serde(default)]
    evidence: Option<String>,
    #[serde(default)]
    explanation: Option<String>,
    #[serde(default)]
    severity: Option<String>,
    #[serde(default)]
    fix: Option<String>,
}

/// Reads a critic's reply about `asked`, whose judged text is `answer`.
pub(super) fn read(completion: &Completion, asked: &[&Principle], answer: &str) -> Reading {
    match parse(completion) {
        Err(fault) => Reading {
            faults: vec![fault],
            cut_off: completion.finish == Finish::Length,
            ..Reading::default()
        },
        Ok(reply) => settle(&reply, asked, answer),
    }
}

fn parse(completion: &Completion) -> Result<Reply, String> {
    if completion.refusal.is_some() {
        return Err("It was a refusal. Judging an answer is not endorsing it.".to_owned());
    }
    if completion.finish == Finish::Length {
        return Err("It was cut off before its end. Be shorter.".to_owned());
    }
    let json = extract_json(&completion.text).ok_or("It holds no JSON object.")?;
    serde_json::from_str(json)
        .map_err(|error| format!("It does not have the form asked for: {error}."))
}

fn settle(reply: &Reply, asked: &[&Principle], answer: &str) -> Reading {
    let mut reading = Reading::default();
    let mut verdicts: HashMap<&str, Vec<Verdict>> = HashMap::new();
    for (ids, verdict) in [
        (
            reply
                .violations
                .iter()
                .map(|violation| violation.principle.as_str())
                .collect::<Vec<_>>(),
            Verdict::Violates,
        ),
        (
            reply.complies.iter().map(String::as_str).collect(),
            Verdict::Complies,
        ),
        (
            reply.not_applicable.iter().map(String::as_str).collect(),
            Verdict::NotApplicable,
        ),
    ] {
        for id in ids {
            let given = verdicts.entry(id.trim()).or_default();
            if !given.contains(&verdict) {
                given.push(verdict);
            }
        }
    }
    let mut unknown: Vec<&str> = verdicts
        .keys()
        .copied()
        .filter(|id| !asked.iter().any(|principle| principle.id == **id))
        .collect();
    unknown.sort_unstable();
    for id in unknown {
        reading.faults.push(format!(
            "It names {id:?}, which is none of the principles to assess."
        ));
    }
    for principle in asked {
        match verdicts.get(principle.id.as_str()).map(Vec::as_slice) {
            None => reading
                .faults
                .push(format!("{} stands in none of the lists.", principle.id)),
            Some([verdict]) => match finding(principle, *verdict, reply, answer) {
                Ok(finding) => reading.findings.push(finding),
                Err(fault) => reading.faults.push(fault),
            },
            Some(_) => reading
                .faults
                .push(format!("{} stands in more than one list.", principle.id)),
        }
    }
    reading
}

/// The finding about one principle; several violations of it become one with several quotes.
fn finding(
    principle: &Principle,
    verdict: Verdict,
    reply: &Reply,
    answer: &str,
) -> Result<Finding, String> {
    let mut finding = Finding {
        principle: principle.id.clone(),
        verdict,
        evidence: Vec::new(),
        explanation: String::new(),
        severity: None,
        fix: None,
        by: Assessor::Model,
    };
    if verdict != Verdict::Violates {
        return Ok(finding);
    }
    let mut explanations = Vec::new();
    let mut fixes = Vec::new();
    for violation in reply
        .violations
        .iter()
        .filter(|violation| violation.principle.trim() == principle.id)
    {
        let quote = violation.evidence.as_deref().unwrap_or_default();
        if !quote.trim().is_empty() {
            let range = locate_quote(answer, quote).ok_or_else(|| {
                format!(
                    "The evidence for {} does not occur in the answer; copy it exactly.",
                    principle.id
                )
            })?;
            finding.evidence.push(answer[range].to_owned());
        }
        explanations.extend(non_empty(violation.explanation.as_deref()));
        fixes.extend(non_empty(violation.fix.as_deref()));
        finding.severity = finding.severity.max(Some(severity(violation, principle)));
    }
    finding.explanation = explanations.join(" ");
    finding.fix = Some(fixes.join(" ")).filter(|fix| !fix.is_empty());
    Ok(finding)
}

fn non_empty(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

fn severity(violation: &Violation, principle: &Principle) -> Severity {
    let named = violation
        .severity
        .as_deref()
        .unwrap_or_default()
        .trim()
        .to_lowercase();
    Severity::ALL
        .into_iter()
        .find(|severity| severity.as_str() == named)
        .unwrap_or(principle.severity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constitution::Constitution;

    const ANSWER: &str = "Wait for it,\n  you fool. Call Ann.";

    fn reading(reply: &str) -> Reading {
        reading_of(&Completion::from_text(reply))
    }

    fn reading_of(completion: &Completion) -> Reading {
        let text = "
constitution: two
principles:
  - { id: kind, text: Be kind to whoever asks., severity: high }
  - { id: private, text: Name nobody. }
";
        let constitution = Constitution::from_yaml("two", text).unwrap();
        let asked: Vec<&Principle> = constitution.principles().iter().collect();
        read(completion, &asked, ANSWER)
    }

    fn verdicts(reading: &Reading) -> Vec<(&str, Verdict)> {
        let findings = reading.findings.iter();
        findings
            .map(|finding| (finding.principle.as_str(), finding.verdict))
            .collect()
    }

    #[test]
    fn every_principle_in_one_list_is_settled() {
        let reply = r#"Sure: {"violations":[{"principle":"kind","evidence":"it, you fool",
            "explanation":"An insult.","severity":"CRITICAL","fix":"Drop it."}],
            "complies":[],"not_applicable":["private"]}"#;
        let reading = reading(reply);
        assert_eq!(reading.faults, Vec::<String>::new());
        assert_eq!(
            verdicts(&reading),
            [
                ("kind", Verdict::Violates),
                ("private", Verdict::NotApplicable)
            ]
        );
        let kind = &reading.findings[0];
        assert_eq!(
            kind.evidence,
            ["it,\n  you fool"],
            "the quote is as the answer has it"
        );
        assert_eq!(
            (kind.severity, kind.fix.as_deref()),
            (Some(Severity::Critical), Some("Drop it."))
        );
    }

    #[test]
    fn what_stands_nowhere_or_twice_is_open() {
        let reading = reading(
            r#"{"violations":[{"principle":"kind","evidence":"fool"}],"complies":["kind"],"not_applicable":[]}"#,
        );
        assert_eq!(verdicts(&reading), []);
        assert_eq!(
            reading.faults,
            [
                "kind stands in more than one list.",
                "private stands in none of the lists."
            ]
        );
    }

    #[test]
    fn a_quote_that_was_never_said_is_a_fault() {
        let reading = reading(
            r#"{"violations":[{"principle":"kind","evidence":"you idiot"}],"complies":["private"],"not_applicable":[]}"#,
        );
        assert_eq!(verdicts(&reading), [("private", Verdict::Complies)]);
        assert!(reading.faults[0].contains("does not occur in the answer"));
    }

    #[test]
    fn an_omission_needs_no_quote_and_takes_the_principles_severity() {
        let reading = reading(
            r#"{"violations":[{"principle":"kind","evidence":""}],"complies":["private"],"not_applicable":[]}"#,
        );
        assert_eq!(reading.findings[0].severity, Some(Severity::High));
        assert!(reading.findings[0].evidence.is_empty());
    }

    #[test]
    fn two_violations_of_one_principle_are_one_finding_with_two_quotes() {
        let reading = reading(
            r#"{"violations":[{"principle":"kind","evidence":"fool","severity":"low"},
                {"principle":"kind","evidence":"Wait","severity":"medium"}],
                "complies":["private"],"not_applicable":[]}"#,
        );
        assert_eq!(reading.findings[0].evidence, ["fool", "Wait"]);
        assert_eq!(reading.findings[0].severity, Some(Severity::Medium));
    }

    #[test]
    fn an_unknown_principle_is_a_fault_and_no_finding() {
        let reading = reading(
            r#"{"violations":[],"complies":["kind","private","be-rich"],"not_applicable":[]}"#,
        );
        assert_eq!(reading.findings.len(), 2);
        assert!(reading.faults[0].contains("be-rich"));
    }

    #[test]
    fn no_json_a_refusal_and_a_cut_settle_nothing() {
        assert_eq!(reading("It is fine.").findings.len(), 0);
        let refusal = Completion {
            refusal: Some("No.".to_owned()),
            ..Completion::default()
        };
        assert!(reading_of(&refusal).faults[0].contains("refusal"));
        let whole = r#"{"violations":[],"complies":["kind","private"],"not_applicable":[]}"#;
        let cut = Completion {
            finish: Finish::Length,
            ..Completion::from_text(whole)
        };
        assert!(reading_of(&cut).cut_off && reading_of(&cut).findings.is_empty());
    }
}
