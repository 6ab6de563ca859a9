//! `redraft bench --simulated`: this machine's own ceiling.

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::numbers::from_one;
use crate::bench::{BenchError, CeilingReport, Work, measure_ceiling};
use crate::cli::Exit;
use crate::cli::terminal::{Paint, counted, safe, thousands};
use crate::model::Concurrency;
use crate::simulated::SimulatedOptions;

/// What is done against the simulated server.
#[derive(Debug, Args)]
#[command(next_help_heading = "Simulated run")]
pub(super) struct CeilingArgs {
    /// How many records
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = from_one::<u64>)]
    records: u64,
    /// How long each prompt is
    #[arg(long, value_name = "N", default_value_t = 300)]
    prompt_characters: usize,
    /// The recipe: audit or cai
    #[arg(long, value_name = "NAME", default_value = "cai", value_parser = ["audit", "cai"])]
    recipe: String,
    /// The most revisions
    #[arg(long, value_name = "N", default_value_t = 2)]
    rounds: u32,
    /// The constitution: a YAML file, or the name of a shipped one
    #[arg(short, long, value_name = "FILE|NAME", default_value = "harmlessness")]
    constitution: String,
    /// How many calls to one endpoint run at once
    #[arg(long, value_name = "N|auto", default_value_t)]
    concurrency: Concurrency,
    /// How many servers there are; they share slots, rate and cache
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = from_one::<usize>)]
    replicas: usize,
}

impl CeilingArgs {
    pub(super) async fn run(self, server: SimulatedOptions, json: bool) -> anyhow::Result<Exit> {
        let program = std::env::current_exe().context("cannot find this program itself")?;
        let work = Work {
            records: self.records,
            prompt_characters: self.prompt_characters,
            constitution: self.constitution,
            recipe: self.recipe,
            rounds: self.rounds,
            concurrency: self.concurrency,
            replicas: self.replicas,
            server,
        };
        eprintln!("SIMULATED: no model is asked; the server on this machine only waits.");
        let style = ProgressStyle::with_template("  SIMULATED {bar:30} {pos}/{len} {per_sec}");
        let bar = ProgressBar::new(work.records)
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        // Dropped, the measurement takes its servers and its folder with it.
        let report = tokio::select! {
            biased;
            _ = tokio::signal::ctrl_c() => {
                bar.finish_and_clear();
                return Ok(Exit::Interrupted);
            }
            report = measure_ceiling(&work, &program, |done| bar.set_position(done)) => report,
        };
        bar.finish_and_clear();
        // A wrong constitution is told of as everywhere else.
        let report = report.map_err(|error| match error {
            BenchError::App(error) => error.into(),
            BenchError::Settings(error) => error.into(),
            other => anyhow::Error::from(other),
        })?;
        if json {
            outln!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            print(&report);
        }
        let whole = report.failed == 0 && report.sealed == report.records;
        Ok(if whole { Exit::Done } else { Exit::SomeFailed })
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn line(name: &str, text: &str) {
    outln!("  {name:<22}{text}");
}

fn print(report: &CeilingReport) {
    let paint = Paint::STDOUT;
    outln!(
        "{}",
        paint.bold("SIMULATED server: figures of this machine and of redraft, not of any model")
    );
    let server = &report.server;
    let servers = counted(report.replicas as u64, "server");
    let slots = counted(server.slots as u64, "slot");
    let latency = format!("{} ms", server.latency.as_millis());
    line(
        "server",
        &format!("{servers}, {slots} of {latency} together"),
    );
    let work = format!(
        "{}, {} with {}, concurrency {}",
        counted(report.records, "record"),
        safe(&report.recipe),
        counted(report.rounds.into(), "round"),
        report.concurrency
    );
    line("work", &work);
    let failed = match report.failed {
        0 => String::new(),
        failed => format!(", {} of them failed", thousands(failed)),
    };
    let done = format!(
        "{}{failed}, in {:.2} s",
        counted(report.sealed, "transcript"),
        report.seconds
    );
    line("done", &done);
    if let Some(first) = report.first_record {
        line("first record", &format!("after {first:.2} s"));
    }
    outln!("");
    print_calls(report);
    outln!("");
    print_machine(report);
}

fn print_calls(report: &CeilingReport) {
    let (calls, statistics) = (&report.calls, &report.statistics);
    line("calls", &thousands(statistics.answered));
    line("calls/s", &format!("{:.1}", calls.per_second));
    line("capacity used", &percent(statistics.utilisation));
    if let Some(used) = calls.allowance_used {
        line("rate limit used", &percent(used));
    }
    let refused = format!(
        "{} ({} requests)",
        percent(calls.refused),
        thousands(statistics.refused)
    );
    line("answered with 429", &refused);
    line("retries", &thousands(calls.counts.retries));
    if report.server.faults > 0.0 {
        line("faults", &thousands(statistics.faults));
    }
    let queue = format!(
        "{:.1} on average, {} at most; {} in flight at most",
        statistics.mean_queue,
        thousands(statistics.most_queued),
        thousands(statistics.most_in_flight)
    );
    line("queue", &queue);
    if report.server.cache_blocks > 0 {
        line(
            "prefix cache",
            &format!("{} of prompt tokens", percent(calls.cached)),
        );
    }
    for follow in &report.follows {
        let took = match follow.seconds {
            Some(seconds) => format!("followed after {seconds:.0} s"),
            None => "not followed".to_owned(),
        };
        let to = counted(follow.slots as u64, "slot");
        line(
            "capacity changed",
            &format!("at {:.0} s to {to}: {took}", follow.at),
        );
    }
}

fn print_machine(report: &CeilingReport) {
    let Some(cpu) = &report.cpu else {
        outln!("  This system does not tell what the client used.");
        return;
    };
    let all = format!(
        "{:.0} µs of CPU a call, {:.2} s together",
        cpu.per_call, cpu.seconds
    );
    line("client", &all);
    for share in &cpu.shares {
        outln!("    {:>6.0} µs  {}", share.per_call, share.threads);
    }
    if let Some(bytes) = report.peak_memory {
        line("peak memory", &format!("{} MiB", bytes >> 20));
    }
}
