//! `redraft review decide RECORD`: one person's decision, appended to the log.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{ArgGroup, Args, ValueEnum};

use super::queue;
use crate::cli::Exit;
use crate::cli::args::StoreArgs;
use crate::cli::error::UsageError;
use crate::cli::terminal::safe;
use crate::record::RecordId;
use crate::review::{Decision, JudgedText, PersonVerdict, Review, Reviews};
use crate::telemetry;

/// Options of `redraft review decide`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("decision").required(true).args(["approve", "choose", "edit", "reject"]))]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(in crate::cli) struct Options {
    /// The record
    #[arg(value_name = "RECORD")]
    record: String,
    /// The run [default: the one that was last worked on]
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// The final answer is good
    #[arg(long)]
    approve: bool,
    /// The text of this round is the better one; 0 is the draft
    #[arg(long, value_name = "ROUND")]
    choose: Option<u32>,
    /// The answer is the text in this file
    #[arg(long, value_name = "FILE")]
    edit: Option<PathBuf>,
    /// No answer is good
    #[arg(long)]
    reject: bool,
    /// Who decides [default: $USER]
    #[arg(long, value_name = "NAME", env = "USER")]
    author: String,
    /// Settle what others disagree on
    #[arg(long)]
    adjudicate: bool,
    /// Say of a principle whether the text violates it: ID=violates or ID=complies
    #[arg(long, value_name = "ID=VERDICT")]
    verdict: Vec<String>,
    /// Which text the verdicts are about
    #[arg(long, value_name = "WHICH", value_enum, default_value_t)]
    text: TextName,
    /// The verdicts were given before the critic's findings were seen
    #[arg(long)]
    blind: bool,
    /// A note
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum TextName {
    /// The draft
    #[default]
    Draft,
    /// The final answer
    Final,
}

impl Options {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let verdicts = self.verdicts()?;
        let decision = self.decision()?;
        let (_, run, queue, _) = queue(self.store.clone(), self.run.as_deref(), true).await?;
        let record = RecordId::new(self.record.clone());
        let waiting = queue.find(&Reviews::default(), &record).await?;
        let review = Review {
            run,
            record,
            transcript: waiting.stored.row.sealed.digest,
            author: self.author,
            at: telemetry::now(),
            decision,
            verdicts,
            blind: self.blind,
            note: self.note,
            adjudicates: self.adjudicate,
        };
        let index = queue.decide(&review).await?;
        eprintln!(
            "{} is decided: leaf {index} of the log",
            safe(review.record.as_str())
        );
        Ok(Exit::Done)
    }

    fn decision(&self) -> anyhow::Result<Decision> {
        if let Some(path) = &self.edit {
            let text = fs::read_to_string(path)
                .with_context(|| format!("cannot read the answer in {}", path.display()))?;
            return Ok(Decision::Edit { text });
        }
        Ok(match self.choose {
            Some(round) => Decision::Choose { round },
            None if self.reject => Decision::Reject,
            None => Decision::Approve,
        })
    }

    fn verdicts(&self) -> Result<Vec<PersonVerdict>, UsageError> {
        let text = match self.text {
            TextName::Draft => JudgedText::Draft,
            TextName::Final => JudgedText::Final,
        };
        let read = |said: &String| {
            let verdict = said.rsplit_once('=').and_then(|(id, verdict)| {
                let violates = match verdict {
                    "violates" => true,
                    "complies" => false,
                    _ => return None,
                };
                Some(PersonVerdict {
                    text,
                    principle: id.to_owned(),
                    violates,
                })
            });
            let wrong = || format!("--verdict {said:?}: give ID=violates or ID=complies");
            verdict.ok_or_else(|| UsageError(wrong()))
        };
        self.verdict.iter().map(read).collect()
    }
}
