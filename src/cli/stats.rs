//! `redraft stats [RUN]`: what the transcripts of a run say together.

use clap::Args;
use serde_json::json;

use super::Exit;
use super::args::StoreArgs;
use super::progress::Money;
use super::tables::{asked_anew, outcomes, percent, principles, spent, usage};
use super::terminal::{Paint, counted, safe, thousands};
use crate::app;
use crate::audit::{Interval, Statistics, gather, wilson};
use crate::model::budget::BudgetLimits;
use crate::review::{Measured, PrincipleMeasured, Reviews};
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
        let people = people(store.as_ref(), &run).await?;
        let spent = store.spent(&run).await?;
        let money = Money::of(&spent, BudgetLimits::default(), spent.cost > 0.0);
        if self.json {
            outln!("{}", as_json(&run, &statistics, &money, &people)?);
        } else {
            print(&run, &statistics, &money);
            print_people(&people);
        }
        Ok(Exit::Done)
    }
}

/// What critic and people said about the same texts of a run.
async fn people(store: &dyn Store, run: &str) -> anyhow::Result<Measured> {
    let reviews = Reviews::read(store).await?;
    let mut measured = Measured::default();
    for (record, reviews) in reviews.of_run(run) {
        let Some(stored) = store.transcript(run, record).await? else {
            continue;
        };
        let transcript = stored.row.sealed.open()?;
        for review in reviews {
            measured.add(&transcript, review);
        }
    }
    Ok(measured)
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

fn as_json(
    run: &str,
    statistics: &Statistics,
    money: &Money,
    people: &Measured,
) -> Result<String, serde_json::Error> {
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
    let people: serde_json::Map<String, serde_json::Value> = people
        .principles()
        .map(|(id, measured)| (id.to_owned(), json!(measured)))
        .collect();
    if !people.is_empty() {
        value["critic_against_people"] = people.into();
    }
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

fn print_people(people: &Measured) {
    let paint = Paint::STDOUT;
    let rows: Vec<(&str, PrincipleMeasured)> = people.principles().collect();
    let Some(width) = rows.iter().map(|(id, _)| id.len()).max() else {
        return;
    };
    let width = width.max("principle".len());
    outln!("\n{}", paint.bold("The critic against people"));
    let heading = format!(
        "{:<width$}{:>10}{:>9}{:>20}{:>24}{:>24}",
        "principle", "findings", "agree", "κ", "precision", "recall (sample)"
    );
    outln!("  {}", paint.dim(heading));
    for (id, measured) in rows {
        let agreement = measured.agreement;
        let kappa = kappa(&measured);
        outln!(
            "  {:<width$}{:>10}{:>9}{kappa:>20}{:>24}{:>24}",
            safe(id),
            thousands(agreement.judged),
            percent(agreement.agreed, agreement.judged),
            within(measured.precision, measured.precision_interval),
            within(measured.recall, measured.recall_interval),
        );
    }
}

/// Cohen's κ with its interval, where it has one.
fn kappa(measured: &PrincipleMeasured) -> String {
    match (measured.agreement.kappa, measured.kappa_interval) {
        (None, _) => "–".to_owned(),
        (Some(kappa), None) => format!("{kappa:.2}"),
        (Some(kappa), Some(Interval { low, high })) => {
            format!("{kappa:.2} ({low:.2} to {high:.2})")
        }
    }
}

/// A share with its interval.
fn within(share: Option<f64>, interval: Interval) -> String {
    share.map_or_else(
        || "–".to_owned(),
        |share| {
            let [share, low, high] = [share, interval.low, interval.high].map(|one| one * 100.0);
            format!("{share:.1} % ({low:.1}–{high:.1})")
        },
    )
}
