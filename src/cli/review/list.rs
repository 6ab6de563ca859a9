//! `redraft review list [RUN]`: what waits for people, and what they decided.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::queue;
use crate::cli::Exit;
use crate::cli::args::StoreArgs;
use crate::cli::terminal::{Paint, counted, one_line, safe};
use crate::review::{Standing, Waiting};

/// How many held transcripts are read at a time.
const PAGE: usize = 256;

/// Options of `redraft review list`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// The run [default: the one that was last worked on]
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// Only records that stand so
    #[arg(long, value_name = "HOW", value_enum)]
    standing: Option<StandingName>,
    /// Print one JSON object for each record
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StandingName {
    /// Not enough people have decided
    Waiting,
    /// Those who decided differ
    Disputed,
    /// A text of the transcript is good
    Approved,
    /// A person wrote the answer
    Edited,
    /// No answer is good
    Rejected,
}

impl Options {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let (_, run, queue, reviews) =
            queue(self.store.clone(), self.run.as_deref(), false).await?;
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        let mut after = None;
        loop {
            let (items, next) = queue.page(&reviews, after, PAGE).await?;
            for waiting in &items {
                let standing = waiting.standing.as_str();
                *counts.entry(standing).or_default() += 1;
                if self.shows(standing) {
                    self.show(waiting, &reviews)?;
                }
            }
            match next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        if !self.json {
            let held: u64 = counts.values().sum();
            let told: Vec<String> = counts
                .iter()
                .map(|(standing, count)| format!("{count} {standing}"))
                .collect();
            let told = match told.as_slice() {
                [] => String::new(),
                told => format!(": {}", told.join(", ")),
            };
            eprintln!(
                "{} held in run {}{told}",
                counted(held, "record"),
                safe(&run)
            );
        }
        Ok(Exit::Done)
    }

    fn shows(&self, standing: &str) -> bool {
        let wanted = self.standing.and_then(|wanted| wanted.to_possible_value());
        wanted.is_none_or(|wanted| wanted.get_name() == standing)
    }

    fn show(
        &self,
        waiting: &Waiting,
        reviews: &crate::review::Reviews,
    ) -> Result<(), serde_json::Error> {
        let transcript = &waiting.transcript;
        let id = &transcript.record.id;
        if self.json {
            let row = json!({
                "run": transcript.run,
                "record": id,
                "held": transcript.held,
                "standing": waiting.standing.as_str(),
                "reviews": reviews.of(&transcript.run, id),
            });
            outln!("{}", serde_json::to_string(&row)?);
            return Ok(());
        }
        let paint = Paint::STDOUT;
        let standing = match &waiting.standing {
            Standing::Waiting { have, need } if *need > 1 => format!("waiting, {have} of {need}"),
            standing => standing.as_str().to_owned(),
        };
        outln!(
            "{}  {}  {}",
            paint.bold(safe(id.as_str())),
            standing,
            paint.dim(one_line(&transcript.why, 120))
        );
        Ok(())
    }
}
