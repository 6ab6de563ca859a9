//! A run from its lock to its report.

use std::num::NonZeroU32;
use std::sync::Arc;

use serde_json::json;
use tokio::time::Instant;

use super::output::write_output;
use super::reader::{Span, read};
use super::record::Workshop;
use super::window::Window;
use super::{RunEnd, RunError, RunEvent, RunObserver, RunPlan, RunReport, Stop, changes};
use crate::dataset::{Position, Source};
use crate::digest::Digest;
use crate::pipeline::Pipeline;
use crate::store::{Checkpoint, EventEntry, NewRun, RunState, Store, rejected_root};
use crate::telemetry;
use crate::transcript::Outcome;

/// Runs a dataset through a pipeline into a store, and writes the rows back.
///
/// # Errors
///
/// When something reaches every record. What is sealed stays sealed: the same run goes on there.
pub async fn run(
    plan: RunPlan,
    pipeline: Arc<Pipeline>,
    store: Arc<dyn Store>,
    mut source: Source,
    observer: &dyn RunObserver,
    stop: Stop,
) -> Result<RunReport, RunError> {
    let began = Instant::now();
    let _lock = store.lock_run(&plan.name).await?;
    let earlier = store.run(&plan.name).await?.map(|row| row.state);
    open(&plan, store.as_ref()).await?;
    let constitution = pipeline.constitution();
    store
        .keep_constitution(constitution.digest(), &constitution.content())
        .await?;
    let unsealed = if plan.retry_failed {
        store
            .unseal(&plan.name, Outcome::Failed, &telemetry::now())
            .await?
    } else {
        0
    };
    // Rows that are picked out take nothing from a run that had all of them.
    let is_kept = plan.only_rows.is_some() && unsealed == 0;
    let unfinished = match earlier {
        Some(RunState::Finished) if is_kept => RunState::Finished,
        _ => RunState::Stopped,
    };
    let checkpoint = known_checkpoint(&plan, store.as_ref()).await?;
    let span = Span {
        after: position_of(&checkpoint),
        rows_before: checkpoint.rows,
        limit: plan.limit,
    };
    let reading = read(source.first_pass()?, plan.read.clone(), span).await?;
    let start = if reading.resumed {
        checkpoint
    } else {
        Checkpoint::default()
    };
    if plan.only_rows.is_none() {
        store.forget_rejected_after(&plan.name, start.lines).await?;
    }
    observer.event(&RunEvent::Started {
        name: &plan.name,
        bytes: source.bytes(),
        done: start.bytes,
        rows: start.rows,
    });
    let workshop = Arc::new(Workshop {
        run: plan.name.clone(),
        pipeline,
        store: Arc::clone(&store),
    });
    let mut window = Window::new(&plan, workshop, observer, start);
    let passed = window.pass(reading, stop).await;
    let checkpointed = window.checkpoints.finish().await;
    let (end, state) = match &passed {
        Ok(end @ RunEnd::Finished) => (*end, RunState::Finished),
        Ok(end) => (*end, unfinished),
        Err(_) => (RunEnd::Interrupted, unfinished),
    };
    let mut report = window.report(&plan.name, end, start.rows);
    let logged = match end {
        RunEnd::Finished => {
            let is_news = earlier != Some(RunState::Finished) || unsealed > 0;
            finish(&plan, &mut report, is_news, store.as_ref()).await
        }
        _ => Ok(()),
    };
    // A run whose end the log does not know is not finished: the same command says it again.
    let state = if logged.is_ok() { state } else { unfinished };
    let noted = note_end(&plan.name, store.as_ref(), state).await;
    passed?;
    checkpointed?;
    logged?;
    noted?;
    if let (RunEnd::Finished, Some(target)) = (end, &plan.output) {
        observer.event(&RunEvent::Writing);
        report.rejected_file = write_output(&plan, target, &source, store.as_ref()).await?;
    }
    (_, report.rejected) = store.rejected(&plan.name, 0).await?;
    report.elapsed = began.elapsed();
    Ok(report)
}

/// Counts what a finished run came to, and says so in the log where that is news, so that what is
/// missing later is seen.
async fn finish(
    plan: &RunPlan,
    report: &mut RunReport,
    is_news: bool,
    store: &dyn Store,
) -> Result<(), RunError> {
    let (rejected, root) = rejected_root(store, &plan.name).await?;
    let sealed = store.run(&plan.name).await?.map_or(0, |row| row.sealed);
    // Only now: of a run that was stopped, some rows were read and then dropped. Transcripts of
    // rows that have left the dataset can hide doubles, and never make any.
    let records = sealed.div_ceil(u64::from(plan.samples.get()));
    report.doubled = report.rows.saturating_sub(rejected + records);
    if is_news || report.sealed > 0 || report.rows > report.resumed {
        let more = json!({
            "rows": report.rows,
            "doubled": report.doubled,
            "rejected": { "rows": rejected, "root": root },
            "samples": plan.samples,
            "transcripts": sealed,
            "limit": plan.limit,
        });
        let event = EventEntry::new("ended", &telemetry::now(), Some(&plan.name), more);
        store.append_event(event).await?;
    }
    Ok(())
}

/// Notes how far a run is, and waits until all of it is written.
pub(crate) async fn note_end(
    run: &str,
    store: &dyn Store,
    state: RunState,
) -> Result<(), RunError> {
    store.set_run_state(run, state, &telemetry::now()).await?;
    store.flush().await?;
    Ok(())
}

/// Begins a run, or goes on with it if what decides it is the same.
pub(crate) async fn open(plan: &RunPlan, store: &dyn Store) -> Result<(), RunError> {
    let new = NewRun {
        name: plan.name.clone(),
        dataset: plan.dataset.clone(),
        decided_by: plan.decided_by.clone(),
        scope: plan.scope.clone(),
        started: telemetry::now(),
    };
    let row = store.open_run(new).await?;
    let changes = changes(&row.run.decided_by, &plan.decided_by);
    if changes.is_empty() {
        Ok(())
    } else {
        Err(RunError::DecidedOtherwise {
            name: plan.name.clone(),
            changes,
        })
    }
}

/// How far the run is known to be. Rows that are picked out say nothing of those between.
async fn known_checkpoint(plan: &RunPlan, store: &dyn Store) -> Result<Checkpoint, RunError> {
    if plan.only_rows.is_some() {
        return Ok(Checkpoint::default());
    }
    let checkpoint = store.checkpoint(&plan.name).await?;
    Ok(under_samples(checkpoint, plan.samples))
}

fn position_of(checkpoint: &Checkpoint) -> Option<Position> {
    checkpoint.digest.map(|digest| Position {
        lines: checkpoint.lines,
        bytes: checkpoint.bytes,
        digest,
    })
}

/// The same checkpoint with its digest mixed with the number of samples, or with the mixture undone:
/// rows that are done for one number of samples are not done for another, and a digest that fits
/// nothing makes the input be read from its start.
pub(super) fn under_samples(checkpoint: Checkpoint, samples: NonZeroU32) -> Checkpoint {
    if samples.get() == 1 {
        return checkpoint;
    }
    let mask = Digest::of(format!("{samples} samples").as_bytes());
    let mixed = |digest: Digest| {
        let mut bytes = *digest.as_bytes();
        for (byte, mask) in bytes.iter_mut().zip(mask.as_bytes()) {
            *byte ^= mask;
        }
        Digest::from_bytes(bytes)
    };
    Checkpoint {
        digest: checkpoint.digest.map(mixed),
        ..checkpoint
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_holds_for_its_number_of_samples_alone() {
        let samples = |number| NonZeroU32::new(number).expect("at least one");
        let checkpoint = Checkpoint {
            rows: 7,
            digest: Some(Digest::of(b"rows")),
            ..Checkpoint::default()
        };
        let noted = under_samples(checkpoint, samples(3));
        assert_eq!(under_samples(noted, samples(3)), checkpoint);
        for other in [1, 2, 4] {
            assert_ne!(
                under_samples(noted, samples(other)).digest,
                checkpoint.digest
            );
        }
        assert_eq!(under_samples(checkpoint, samples(1)), checkpoint);
    }
}
