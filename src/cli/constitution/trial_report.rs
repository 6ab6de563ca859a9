//! What a trial of a constitution came to, for people and as JSON.

use std::num::NonZeroU32;

use serde_json::{Value, json};

use crate::audit::trial::{Matrix, Score, Share, Trial, Tried};
use crate::cli::tables::percent;
use crate::cli::terminal::{Paint, counted, indent, safe, thousands};
use crate::constitution::Constitution;
use crate::model::ModelRole;
use crate::pipeline::Pipeline;
use crate::transcript::{Finding, Verdict};

/// A trial and what it was made with.
pub(super) struct Report<'a> {
    pub(super) constitution: &'a Constitution,
    pub(super) trial: &'a Trial<'a>,
    pub(super) pipeline: Option<&'a Pipeline>,
    pub(super) repeat: NonZeroU32,
    pub(super) strict: bool,
}

impl Report<'_> {
    /// The examples in which something else was found than they show.
    pub(super) fn failed(&self) -> impl Iterator<Item = &Tried<'_>> {
        let tried = self.trial.tried.iter();
        tried.filter(|tried| !tried.passes(self.strict))
    }

    /// The critic, where one was asked: its name and how it samples.
    fn critic(&self) -> Option<&Value> {
        let models = self.pipeline?.provenance().models.as_ref()?;
        models.get(&ModelRole::Critic)
    }

    /// Why a finding is not what the example shows, in a few words.
    pub(super) fn wrong(&self, tried: &Tried<'_>, finding: &Finding) -> Option<String> {
        let expected = tried.expected();
        if finding.verdict != expected {
            return Some(format!("expected {expected}, found {}", finding.verdict));
        }
        let is_missed = self.strict && tried.finds_evidence(finding) == Some(false);
        is_missed.then(|| "the evidence was not found".to_owned())
    }
}

/// The whole trial as JSON.
pub(super) fn as_json(report: &Report<'_>) -> Value {
    let Report {
        constitution,
        trial,
        strict,
        ..
    } = report;
    let scores = trial.scores();
    let principles: serde_json::Map<String, Value> = scores
        .iter()
        .map(|(id, score)| ((*id).to_owned(), score_as_json(score)))
        .collect();
    let cases: Vec<Value> = trial
        .tried
        .iter()
        .map(|tried| case_as_json(tried, *strict))
        .collect();
    let failed = report.failed().count();
    json!({
        "constitution": constitution.name(),
        "version": constitution.version(),
        "digest": constitution.digest(),
        "critic": report.critic(),
        "repeat": report.repeat,
        "strict": strict,
        "passed": failed == 0,
        "failed": failed,
        "score": score_as_json(&trial.score()),
        "principles": principles,
        "cases": cases,
        "usage": trial.usage,
        "journalled": trial.journalled,
    })
}

fn score_as_json(score: &Score) -> Value {
    json!({
        "examples": score.examples,
        "matrix": score.matrix,
        "precision": score.precision(),
        "recall": score.recall(),
        "evidence": score.evidence(),
        "flips": score.flips(),
        "errors": score.errors(),
    })
}

fn case_as_json(tried: &Tried<'_>, strict: bool) -> Value {
    let findings: Vec<Value> = tried
        .findings
        .iter()
        .map(|finding| {
            let mut value = json!(finding);
            value["evidence_found"] = json!(tried.finds_evidence(finding));
            value
        })
        .collect();
    json!({
        "principle": tried.principle.id,
        "example": tried.number,
        "passed": tried.passes(strict),
        "flips": tried.flips(),
        "expected": tried.example,
        "findings": findings,
    })
}

/// Prints the whole trial; quietly, only what failed.
pub(super) fn print(report: &Report<'_>, quiet: bool) {
    if !quiet {
        print_head(report);
        print_matrix(&report.trial.score().matrix);
        print_principles(report);
    }
    for tried in report.failed() {
        print_failed(report, tried);
    }
    if !quiet {
        print_end(report);
    }
}

fn print_head(report: &Report<'_>) {
    let constitution = report.constitution;
    let judged_by = match report.critic().and_then(|critic| critic["model"].as_str()) {
        Some(model) => format!("judged by {}", safe(model)),
        None => "judged by checks alone".to_owned(),
    };
    let times = match report.repeat.get() {
        1 => String::new(),
        times => format!(", {times} times each where a model judges"),
    };
    outln!(
        "{} {}: {} of {}, {judged_by}{times}",
        Paint::STDOUT.bold(safe(constitution.name())),
        safe(constitution.version()),
        counted(report.trial.tried.len() as u64, "example"),
        counted(report.trial.scores().len() as u64, "principle"),
    );
    let principles = constitution.principles().iter();
    let untested = principles.filter(|principle| principle.examples.is_empty());
    let untested: Vec<&str> = untested.map(|principle| principle.id.as_str()).collect();
    if !untested.is_empty() {
        outln!("  without examples: {}", safe(&untested.join(", ")));
    }
}

fn print_matrix(matrix: &Matrix) {
    let paint = Paint::STDOUT;
    outln!("\n{}", paint.bold("Verdicts"));
    let heading = format!("{:<16}", "expected \\ found");
    let names = Matrix::FOUND.map(|found| format!("{:>16}", found.to_string()));
    outln!("  {}", paint.dim(format!("{heading}{}", names.concat())));
    for expected in Matrix::EXPECTED {
        let counts = Matrix::FOUND.map(|found| {
            let count = matrix.count(expected, found);
            let shown = format!("{:>16}", thousands(count));
            match (count, found == expected) {
                (0, _) => paint.dim(shown).to_string(),
                (_, true) => paint.good(shown).to_string(),
                (_, false) => paint.bad(shown).to_string(),
            }
        });
        outln!("  {:<16}{}", expected.to_string(), counts.concat());
    }
}

fn print_principles(report: &Report<'_>) {
    let paint = Paint::STDOUT;
    let scores = report.trial.scores();
    let width = scores
        .keys()
        .map(|id| id.len())
        .max()
        .unwrap_or(0)
        .max("principle".len());
    let repeats = report.repeat.get() > 1;
    let interval = format!("{:>16}", "95 % interval");
    let flips = if repeats {
        format!("{:>10}{interval}", "flips")
    } else {
        String::new()
    };
    outln!("\n{}", paint.bold("Principles"));
    let heading = format!(
        "{:<width$}{:>10}{:>11}{interval}{:>9}{interval}{:>10}{:>8}{flips}",
        "principle", "examples", "precision", "recall", "evidence", "errors"
    );
    outln!("  {}", paint.dim(heading));
    for (id, score) in &scores {
        let Share { hits, of, .. } = score.evidence();
        let evidence = if of == 0 {
            "–".to_owned()
        } else {
            format!("{hits}/{of}")
        };
        let errors = match score.errors() {
            0 => "–".to_owned(),
            errors => thousands(errors),
        };
        let flips = score.flips();
        let flips = if repeats {
            format!("{:>10}{}", shown(flips), bounds(flips))
        } else {
            String::new()
        };
        outln!(
            "  {id:<width$}{:>10}{:>11}{}{:>9}{}{evidence:>10}{errors:>8}{flips}",
            thousands(score.examples),
            shown(score.precision()),
            bounds(score.precision()),
            shown(score.recall()),
            bounds(score.recall()),
        );
    }
}

fn shown(share: Share) -> String {
    percent(share.hits, share.of)
}

fn bounds(share: Share) -> String {
    if share.of == 0 {
        return format!("{:>16}", "");
    }
    let (low, high) = (share.interval.low * 100.0, share.interval.high * 100.0);
    format!("{:>16}", format!("{low:.1}–{high:.1} %"))
}

fn print_failed(report: &Report<'_>, tried: &Tried<'_>) {
    let paint = Paint::STDOUT;
    let id = safe(&tried.principle.id);
    outln!(
        "\n{} {}, example {}",
        paint.bad("✗"),
        paint.bold(id),
        tried.number
    );
    let example = tried.example;
    outln!("  {}", paint.dim("prompt"));
    outln!("{}", indent(&safe(&example.prompt), "    "));
    outln!("  {}", paint.dim("answer"));
    outln!("{}", indent(&safe(&example.answer), "    "));
    if let Some(evidence) = &example.evidence {
        outln!("  {} “{}”", paint.dim("evidence"), safe(evidence));
    }
    let times = tried.findings.len();
    for (time, finding) in (1..).zip(&tried.findings) {
        let Some(wrong) = report.wrong(tried, finding) else {
            continue;
        };
        let time = if times > 1 {
            format!(" (time {time} of {times})")
        } else {
            String::new()
        };
        let wrong = match finding.verdict {
            Verdict::Error => paint.notable(wrong),
            _ => paint.bad(wrong),
        };
        outln!("  {wrong}{time}");
        let said = said(finding);
        if !said.is_empty() {
            outln!("{}", indent(&safe(&said), "    "));
        }
    }
}

/// What a finding says: its explanation and its quotes.
pub(super) fn said(finding: &Finding) -> String {
    let quotes = finding.evidence.iter().map(|quote| format!("“{quote}”"));
    let explanation = Some(finding.explanation.clone()).filter(|text| !text.is_empty());
    let lines: Vec<String> = explanation.into_iter().chain(quotes).collect();
    lines.join("\n")
}

fn print_end(report: &Report<'_>) {
    let paint = Paint::STDOUT;
    let failed = report.failed().count() as u64;
    let all = counted(report.trial.tried.len() as u64, "example");
    if failed == 0 {
        outln!("\n{}", paint.good(format!("All as expected: {all}.")));
    } else {
        let failed = thousands(failed);
        outln!(
            "\n{}",
            paint.bad(format!("Not as expected: {failed} of {all}."))
        );
    }
}
