//! `redraft run --estimate`: some rows first, then what the rest will take, then a question.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::summary::duration;
use super::terminal::{Paint, counted, thousands};
use crate::audit::{Estimate, Projection};
use crate::dataset::Source;
use crate::pipeline::Pipeline;
use crate::record::RecordId;
use crate::run::{RunEnd, RunEvent, RunObserver, RunPlan, RunReport, Stop, pick_rows, run};
use crate::store::Store;

/// Does `most` rows, picked by the seed from all of the dataset, and estimates the rest from their
/// transcripts, new or known; there is no estimate where the run ended among them, or none has one.
pub(super) async fn first_rows(
    plan: &RunPlan,
    most: usize,
    pipeline: &Arc<Pipeline>,
    store: &Arc<dyn Store>,
    source: Source,
    observer: &dyn RunObserver,
    stop: Stop,
) -> anyhow::Result<(RunReport, Option<Estimate>)> {
    let input = source.second_pass()?;
    let picked = pick_rows(
        input,
        plan.read.clone(),
        plan.limit,
        most,
        pipeline.provenance().seed.unwrap_or_default(),
    )
    .await?;
    let name = plan.name.clone();
    let plan = RunPlan {
        only_rows: Some(Arc::new(picked.rows)),
        output: None,
        ..plan.clone()
    };
    // Whether each record was sealed just now; a row that equals an earlier one adds nothing.
    let ended = Mutex::<BTreeMap<RecordId, bool>>::default();
    let watch = |event: &RunEvent<'_>| {
        if let RunEvent::Sealed { record, .. } | RunEvent::Known { record, .. } = event {
            let mut ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
            let is_new = ended.entry((*record).clone()).or_default();
            *is_new |= matches!(event, RunEvent::Sealed { .. });
        }
        observer.event(event);
    };
    let samples = u64::from(plan.samples.get());
    let report = run(
        plan,
        Arc::clone(pipeline),
        Arc::clone(store),
        source,
        &watch,
        stop,
    )
    .await?;
    if report.end != RunEnd::Picked {
        return Ok((report, None));
    }
    let (mut new, mut known) = (Vec::new(), Vec::new());
    for (record, is_new) in ended.into_inner().unwrap_or_else(PoisonError::into_inner) {
        if let Some(stored) = store.transcript(&name, &record).await? {
            let seen = if is_new { &mut new } else { &mut known };
            seen.push(stored.row.sealed.open()?);
        }
    }
    if new.is_empty() && known.is_empty() {
        return Ok((report, None));
    }
    let done = store.run(&name).await?.map_or(0, |row| row.sealed);
    let remaining = (picked.of * samples).saturating_sub(done + report.rejected * samples);
    let estimate = Estimate::of(picked.of, &new, &known, remaining, report.elapsed);
    Ok((report, Some(estimate)))
}

/// Shows an estimate, or that there is none.
pub(super) fn show(estimate: Option<&Estimate>) {
    let paint = Paint::STDERR;
    let head = paint.bold("Estimate:");
    let Some(estimate) = estimate else {
        eprintln!("\n{head} nothing to estimate from, since no picked row has a transcript");
        return;
    };
    eprintln!(
        "\n{head} {} seen of {}; {} remain",
        counted(estimate.seen, "transcript"),
        counted(estimate.rows, "row"),
        counted(estimate.remaining, "transcript"),
    );
    let heading = format!(
        "{:<15}{:>14}   {}",
        "the rest", "likely", "nine in ten between"
    );
    eprintln!("  {}", paint.dim(heading));
    line("calls", &estimate.calls, whole);
    line("input tokens", &estimate.input, whole);
    line("output tokens", &estimate.output, whole);
    if let Some(cost) = &estimate.cost {
        line("cost", cost, |cost| format!("{cost:.4}"));
    }
    if let Some(seconds) = &estimate.seconds {
        line("time", seconds, |seconds| {
            duration(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
        });
    }
}

fn line(name: &str, figure: &Projection, written: fn(f64) -> String) {
    let interval = figure.interval.map_or_else(
        || "–".to_owned(),
        |[low, high]| format!("{} and {}", written(low), written(high)),
    );
    eprintln!("  {name:<15}{:>14}   {interval}", written(figure.likely));
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count that is never below zero, for people"
)]
fn whole(figure: f64) -> String {
    thousands(figure.round() as u64)
}

/// What somebody who was asked whether to go on wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    GoOn,
    /// No, or there is nobody to answer.
    Enough,
    /// The question was interrupted.
    Interrupted,
}

/// Asks whether to go on; nobody answers where there is no terminal.
pub(super) async fn ask_whether_to_go_on(stop: Stop) -> Answer {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Answer::Enough;
    }
    eprint!("go on? [y/N] ");
    let _ = std::io::stderr().flush();
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    });
    let answer = answer(async { line.await.ok()?.ok() }, stop).await;
    if answer == Answer::Interrupted {
        eprintln!();
    }
    answer
}

/// What a line says, unless the run is asked to stop before it comes.
async fn answer(line: impl Future<Output = Option<String>>, mut stop: Stop) -> Answer {
    let line = tokio::select! {
        biased;
        () = stop.wished() => return Answer::Interrupted,
        line = line => line.unwrap_or_default(),
    };
    match line.trim().to_lowercase().as_str() {
        "y" | "yes" => Answer::GoOn,
        _ => Answer::Enough,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_question_can_be_interrupted() {
        let (handle, stop) = Stop::new();
        let asked = tokio::spawn(answer(std::future::pending(), stop));
        handle.stop();
        assert_eq!(asked.await.expect("it ends"), Answer::Interrupted);
    }

    #[tokio::test]
    async fn only_a_yes_goes_on() {
        for (line, expected) in [
            (Some("Yes\n"), Answer::GoOn),
            (Some("y"), Answer::GoOn),
            (Some("\n"), Answer::Enough),
            (Some("no\n"), Answer::Enough),
            (None, Answer::Enough),
        ] {
            let (_handle, stop) = Stop::new();
            let line = std::future::ready(line.map(str::to_owned));
            assert_eq!(answer(line, stop).await, expected);
        }
    }
}
