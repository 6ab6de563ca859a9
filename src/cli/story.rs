//! The story of one answer: draft, findings with their quotes, revisions as differences, outcome.

use std::fmt::Write as _;

use super::terminal::{Paint, indent, one_line, safe, width};
use crate::message::Role;
use crate::transcript::{
    Draft, DraftSource, Finding, Outcome, RecordEntry, Revision, RevisionAuthor, Transcript,
    Verdict,
};

/// Tells the story in parts, each as text to print.
#[derive(Clone, Copy, Debug)]
pub(super) struct Story {
    paint: Paint,
}

impl Story {
    pub(super) fn new(paint: Paint) -> Self {
        Self { paint }
    }

    fn heading(self, title: &str, note: &str) -> String {
        let note = if note.is_empty() {
            String::new()
        } else {
            format!(" {}", self.paint.dim(note))
        };
        format!("\n{}{note}\n", self.paint.bold(title))
    }

    /// What was said before the answer.
    pub(super) fn conversation(self, record: &RecordEntry) -> String {
        let mut told = self.heading("Conversation", "");
        for message in record.conversation.messages() {
            let name = self.paint.dim(format!("{}:", message.role));
            let text = safe(message.content.trim());
            let text = match message.role {
                Role::User if !text.contains('\n') => text.into_owned(),
                _ => format!("\n{}", indent(&text, "    ")),
            };
            let _ = writeln!(told, "  {name} {text}");
        }
        told
    }

    /// The first answer.
    pub(super) fn draft(self, draft: &Draft) -> String {
        let note = match (draft.source, &draft.note) {
            (_, Some(note)) => note.as_str(),
            (DraftSource::Given, None) => "given",
            (DraftSource::Model, None) => "",
        };
        let text = indent(&safe(&draft.text), "  ");
        format!("{}{text}\n", self.heading("Draft", note))
    }

    /// What was found in a text.
    pub(super) fn critique(
        self,
        round: u32,
        findings: &[Finding],
        critique: Option<&str>,
    ) -> String {
        let mut told = self.heading(&format!("Round {round} · critique"), &tally(findings));
        if let Some(critique) = critique {
            let _ = writeln!(told, "{}", indent(&safe(critique), "  "));
        }
        let notable =
            |finding: &&Finding| matches!(finding.verdict, Verdict::Violates | Verdict::Error);
        for finding in findings.iter().filter(notable) {
            told.push_str(&self.finding(finding));
        }
        told
    }

    fn finding(self, finding: &Finding) -> String {
        let mut told = match finding.verdict {
            Verdict::Violates => format!(
                "  {} {}",
                self.paint.bad("✗"),
                self.paint.bold(&finding.principle)
            ),
            _ => format!(
                "  {} {}",
                self.paint.notable("?"),
                self.paint.bold(&finding.principle)
            ),
        };
        if let Some(severity) = finding.severity {
            let _ = write!(told, " {}", self.paint.dim(format!("({severity})")));
        }
        told.push('\n');
        if !finding.explanation.is_empty() {
            let _ = writeln!(told, "{}", indent(&safe(&finding.explanation), "    "));
        }
        for quote in &finding.evidence {
            let _ = writeln!(
                told,
                "    {}",
                self.paint
                    .notable(format!("“{}”", one_line(quote, width() - 8)))
            );
        }
        told
    }

    /// A new answer, as what it changes.
    pub(super) fn revision(self, round: u32, before: &str, revision: &Revision) -> String {
        let by = match revision.by {
            RevisionAuthor::Checks => "by checks",
            RevisionAuthor::Model => "by the model",
            RevisionAuthor::ChecksAndModel => "by checks and the model",
        };
        let text = indent(&self.paint.word_diff(before, &revision.text), "  ");
        format!(
            "{}{text}\n",
            self.heading(&format!("Round {round} · revision"), by)
        )
    }

    /// How it ended.
    pub(super) fn outcome(self, transcript: &Transcript) -> String {
        let outcome = self.outcome_word(transcript.outcome);
        let why = safe(&transcript.why).into_owned();
        let given = transcript
            .delivered
            .as_ref()
            .map_or_else(String::new, |given| {
                let how = given.how.as_str();
                let why = given
                    .why
                    .as_deref()
                    .map(|why| format!(" ({why})"))
                    .unwrap_or_default();
                let text = indent(&safe(&given.text), "  ");
                format!(
                    "{}{text}\n",
                    self.heading("Given to the client", &format!("{how}{}", safe(&why)))
                )
            });
        format!("{}  {outcome}: {why}\n{given}", self.heading("Outcome", ""))
    }

    /// An outcome in its colour.
    pub(super) fn outcome_word(self, outcome: Outcome) -> String {
        match outcome {
            Outcome::Compliant | Outcome::Revised => self.paint.good(outcome).to_string(),
            Outcome::Unresolved | Outcome::Held => self.paint.notable(outcome).to_string(),
            Outcome::Failed => self.paint.bad(outcome).to_string(),
        }
    }

    /// The whole story of a stored transcript.
    pub(super) fn whole(self, transcript: &Transcript) -> String {
        let mut told = self.conversation(&transcript.record);
        let mut text = String::new();
        if let Some(draft) = &transcript.draft {
            told.push_str(&self.draft(draft));
            text.clone_from(&draft.text);
        }
        for round in &transcript.rounds {
            told.push_str(&self.critique(round.n, &round.findings, round.critique.as_deref()));
            for fault in &round.faults {
                let _ = writeln!(told, "  {}", self.paint.dim(safe(fault)));
            }
            if let Some(revision) = &round.revision {
                told.push_str(&self.revision(round.n, &text, revision));
                text.clone_from(&revision.text);
                let kept = if round.kept { "kept" } else { "not kept" };
                let _ = writeln!(
                    told,
                    "  {}",
                    self.paint.dim(format!("{kept}: {}", safe(&round.why)))
                );
            }
        }
        told.push_str(&self.outcome(transcript));
        if let Some(last) = transcript
            .final_answer
            .as_ref()
            .filter(|last| last.text != text)
        {
            let title = format!("Final answer · round {}", last.round);
            let _ = writeln!(
                told,
                "{}{}",
                self.heading(&title, ""),
                indent(&safe(&last.text), "  ")
            );
        }
        told
    }
}

fn tally(findings: &[Finding]) -> String {
    [
        (Verdict::Violates, "violated"),
        (Verdict::Complies, "kept"),
        (Verdict::NotApplicable, "not applicable"),
        (Verdict::Error, "could not be assessed"),
    ]
    .into_iter()
    .filter_map(|(verdict, word)| {
        let count = findings
            .iter()
            .filter(|finding| finding.verdict == verdict)
            .count();
        (count > 0).then(|| format!("{count} {word}"))
    })
    .collect::<Vec<_>>()
    .join(", ")
}
