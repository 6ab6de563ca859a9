//! `redraft stats [RUN]`: what the transcripts of a run say together.

use clap::Args;
use serde_json::json;

use super::Exit;
use super::args::StoreArgs;
use super::progress::Money;
use super::tables::{asked_anew, outcomes, percent, principles, spent, usage};
use super::terminal::{Paint, counted, safe, thousands};
use crate::app;
use crate::audit::{Statistics, gather, wilson};
use crate::model::budget::BudgetLimits;
use crate::store::Store;

/// Options of `redraft stats`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The run [default: the one that was last worked on]
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreArgs,
}

impl Options {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let store = app::open_store_to_read(&self.store.path()?)?;
        let run = find_run(store.as_ref(), self.run.as_deref()).await?;
        let (statistics, _) = gather(store.as_ref(), &run).await?;
        let spent = store.spent(&run).await?;
        let money = Money::of(&spent, BudgetLimits::default(), spent.cost > 0.0);
        if self.json {
            outln!("{}", as_json(&run, &statistics, &money)?);
        } else {
            print(&run, &statistics, &money);
        }
        Ok(Exit::Done)
    }
}

/// The run of that name, or the one that was last worked on.
pub(super) async fn find_run(store: &dyn Store, name: Option<&str>) -> anyhow::Result<String> {
    let runs = store.runs().await?;
    let found = match name {
        None => runs.first(),
        Some(name) => runs.iter().find(|row| row.run.name == name),
    };
    match (found, name) {
        (Some(row), _) => Ok(row.run.name.clone()),
        (None, None) => anyhow::bail!("there are no runs in {} yet", store.location()),
        (None, Some(name)) => {
            anyhow::bail!(
                "there is no run {name:?} in {}; `redraft runs` lists them",
                store.location()
            )
        }
    }
}

fn as_json(run: &str, statistics: &Statistics, money: &Money) -> Result<String, serde_json::Error> {
    let mut value = serde_json::to_value(statistics)?;
    if let Some(counts) = value["principles"].as_object_mut() {
        for (id, count) in counts.iter_mut() {
            if let Some(known) = statistics.principles.get(id) {
                count["violated_interval"] = json!(wilson(known.violated, known.assessed));
                count["mended_interval"] = json!(wilson(known.mended, known.violated));
            }
        }
    }
    value["run"] = json!(run);
    value["spent"] = json!(money);
    serde_json::to_string_pretty(&value)
}

fn print(run: &str, statistics: &Statistics, money: &Money) {
    let paint = Paint::STDOUT;
    let Statistics {
        records, changed, ..
    } = statistics;
    outln!(
        "{} {}: {}, {} changed ({})\n",
        paint.bold("Run"),
        safe(run),
        counted(*records, "record"),
        thousands(*changed),
        percent(*changed, *records)
    );
    out!("{}", outcomes(paint, statistics));
    if !statistics.principles.is_empty() {
        outln!("\n{}", paint.bold("Principles"));
        out!("{}", principles(paint, statistics, true));
    }
    outln!("\n{}", paint.bold("Revisions per record"));
    for (revisions, count) in &statistics.revisions {
        outln!(
            "  {revisions:>2}  {:>12}  {:>7}",
            thousands(*count),
            percent(*count, *records)
        );
    }
    let used = usage(paint, &statistics.usage);
    if !used.is_empty() {
        outln!("\n{}", paint.bold("Models"));
        out!("{used}");
        let Statistics {
            contract_retries,
            policy_retries,
            ..
        } = statistics;
        if *contract_retries + *policy_retries > 0 {
            let line = asked_anew(*contract_retries, *policy_retries);
            outln!("  {}", paint.dim(line));
        }
    }
    let spent = spent(money);
    if !spent.is_empty() {
        outln!("  {}", paint.dim(spent));
    }
}
