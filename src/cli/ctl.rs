//! `redraft ctl`: watch and steer a run from another terminal.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Exit;
use super::args::StoreArgs;
use super::error::UsageError;
use super::progress::View;
use super::steering::NOT_DONE;
use super::terminal::{Paint, safe, width};
use crate::app;
use crate::model::{Concurrency, NoConcurrency};
use crate::run::{BudgetChange, Command, MOST_CALLS_AT_ONCE};
use crate::store::{RunRow, RunState, Store, StoreError};
use crate::telemetry;

/// How long the run has to take a command.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often is looked whether it did.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Options of `redraft ctl`.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(subcommand)]
    order: Order,
    /// The run [default: the one that is going on]
    #[arg(long, value_name = "NAME", global = true)]
    run: Option<String>,
    /// The store [default: redraft.db]
    #[arg(long, value_name = "FILE", global = true)]
    store: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Order {
    /// Say how the run stands
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Let no further call begin; those in flight go on
    Pause,
    /// Let calls begin again
    Resume,
    /// Begin no further record, let those in flight run to their end, and stop there
    Drain,
    /// Pin how many calls to each endpoint run at once
    Limit {
        /// How many
        #[arg(value_name = "N", value_parser = limit)]
        number: Concurrency,
    },
    /// Let the number of calls at once find itself
    Auto,
    /// Change what the run may cost
    #[command(group = ArgGroup::new("limits").args(["cost", "tokens"]).required(true).multiple(true))]
    Budget {
        /// The most money, in the currency of the prices, or `off`
        #[arg(
            long,
            value_name = "X|off",
            value_parser = money,
            allow_negative_numbers = true
        )]
        cost: Option<Bound<f64>>,
        /// The most tokens, of prompts and replies together, or `off`
        #[arg(
            long,
            value_name = "N|off",
            value_parser = tokens,
            allow_negative_numbers = true
        )]
        tokens: Option<Bound<u64>>,
    },
}

/// A limit, or none.
#[derive(Clone, Copy, Debug)]
struct Bound<T>(Option<T>);

impl<T: FromStr> Bound<T> {
    fn of(text: &str) -> Option<Self> {
        match text {
            "off" => Some(Self(None)),
            number => number.parse().ok().map(|number| Self(Some(number))),
        }
    }
}

fn money(text: &str) -> Result<Bound<f64>, String> {
    let is_amount = |amount: f64| amount.is_finite() && amount >= 0.0;
    Bound::of(text)
        .filter(|bound| bound.0.is_none_or(is_amount))
        .ok_or_else(|| "an amount is a number from 0, or `off`".to_owned())
}

fn tokens(text: &str) -> Result<Bound<u64>, String> {
    Bound::of(text).ok_or_else(|| "it is a whole number from 0, or `off`".to_owned())
}

fn limit(text: &str) -> Result<Concurrency, String> {
    let limit = text
        .parse()
        .map_err(|error: NoConcurrency| error.to_string())?;
    match limit {
        Concurrency::Fixed(number) if number > MOST_CALLS_AT_ONCE => {
            Err("at most 65536 calls run at once".to_owned())
        }
        limit => Ok(limit),
    }
}

impl Options {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let store = StoreArgs { store: self.store }.path()?;
        // Only a store that is there is opened: it is not made.
        drop(app::open_store_to_read(&store)?);
        let store = app::open_store(&store)?;
        let row = find(&store, self.run.as_deref()).await?;
        let name = row.run.name.clone();
        let is_alive = is_alive(&store, &name).await?;
        let command = match self.order {
            Order::Status { json } => return status(&store, &row, is_alive, json).await,
            Order::Pause => Command::Pause,
            Order::Resume => Command::Resume,
            Order::Drain => Command::Drain,
            Order::Limit { number } => Command::Limit(number),
            Order::Auto => Command::Limit(Concurrency::Auto),
            Order::Budget { cost, tokens } => Command::Budget(BudgetChange {
                cost: cost.map(|bound| bound.0),
                tokens: tokens.map(|bound| bound.0),
            }),
        };
        if !is_alive {
            anyhow::bail!(
                "no process works on the run {name} now, so there is nothing to steer; the command \
                 that began it continues it"
            );
        }
        send(&store, &name, command).await
    }
}

/// The run of that name, or the one that is going on.
async fn find(store: &Arc<dyn Store>, name: Option<&str>) -> anyhow::Result<RunRow> {
    if let Some(name) = name {
        return match store.run(name).await? {
            Some(row) => Ok(row),
            None => anyhow::bail!(
                "there is no run {name:?} in {}; `redraft runs` lists them",
                store.location()
            ),
        };
    }
    let mut alive = Vec::new();
    for row in store.runs().await? {
        if row.state == RunState::Running && is_alive(store, &row.run.name).await? {
            alive.push(row);
        }
    }
    let names: Vec<&str> = alive.iter().map(|row| row.run.name.as_str()).collect();
    match &names[..] {
        [_] => Ok(alive.remove(0)),
        [] => anyhow::bail!(
            "no run is going on in {}; `redraft runs` lists those that it has",
            store.location()
        ),
        several => Err(UsageError(format!(
            "several runs are going on: {}; say which with --run NAME",
            several.join(", ")
        ))
        .into()),
    }
}

/// Whether a process works on the run: then its lock is held.
async fn is_alive(store: &Arc<dyn Store>, run: &str) -> Result<bool, StoreError> {
    match store.lock_run(run).await {
        Ok(_) => Ok(false),
        Err(StoreError::RunInUse { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Sends a command, and waits until the run says what came of it.
async fn send(store: &Arc<dyn Store>, run: &str, command: Command) -> anyhow::Result<Exit> {
    let text = command.to_string();
    // What no run would understand is not sent.
    text.parse::<Command>()
        .map_err(|error| UsageError(error.to_string()))?;
    let number = store.send_command(run, &text, &telemetry::now()).await?;
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        // Looked at first: what it answered at its very end is there then.
        let is_alive = is_alive(store, run).await?;
        let sent = store.command(run, number).await?;
        if let Some(answer) = sent.and_then(|sent| sent.answer) {
            if answer.starts_with(NOT_DONE) {
                anyhow::bail!("{answer}");
            }
            eprintln!("{}: {}", safe(run), safe(&answer));
            return Ok(Exit::Done);
        }
        if !is_alive {
            anyhow::bail!("the run {run} has ended, and did not take it any more");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    anyhow::bail!(
        "the run {run} has not taken it within {} s; it takes it when it can, \
         unless its process ends before",
        PATIENCE.as_secs()
    )
}

/// Says how the run stands.
async fn status(
    store: &Arc<dyn Store>,
    row: &RunRow,
    is_alive: bool,
    as_json: bool,
) -> anyhow::Result<Exit> {
    let name = &row.run.name;
    let status = store.status(name).await?.filter(|_| is_alive);
    if as_json {
        let figures: Value = match &status {
            Some(status) => serde_json::from_str(&status.text)?,
            None => Value::Null,
        };
        let whole = json!({
            "run": name,
            "alive": is_alive,
            "state": row.state,
            "sealed": row.sealed,
            "at": status.map(|status| status.at),
            "status": figures,
        });
        outln!("{whole}");
        return Ok(Exit::Done);
    }
    let paint = Paint::STDOUT;
    let Some(status) = status else {
        let state = match (is_alive, row.state) {
            (true, _) => "has just begun",
            (false, RunState::Finished) => "is finished",
            (false, RunState::Stopped | RunState::Running) => {
                "is stopped; the same command again continues it"
            }
        };
        outln!("{} {} {state}", paint.bold("Run"), safe(name));
        return Ok(Exit::Done);
    };
    let view: View = serde_json::from_str(&status.text)?;
    outln!(
        "{} {}, process {}, at {}",
        paint.bold("Run"),
        safe(name),
        view.process,
        safe(&status.at)
    );
    for line in view.lines(paint, width(), "") {
        outln!("{line}");
    }
    Ok(Exit::Done)
}
