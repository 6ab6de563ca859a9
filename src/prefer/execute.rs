//! A run of comparisons from its lock to its report.
//!
//! Going on is asking again: every reply is in the journal, and labels are made of replies alone. So
//! nothing else is kept, and a pair that failed is asked about again.

use std::sync::Arc;

use tokio::time::Instant;

use super::source::Pairs;
use super::window::Window;
use super::work::Workshop;
use super::{Judge, PairSource, PreferPlan, PreferReport};
use crate::dataset::{Output, Source};
use crate::run::{RunEnd, RunError, RunEvent, RunObserver, Stop, note_end, open};
use crate::store::{RunState, Store};

/// Compares the answers of every pair, and writes the rows with their preferences.
///
/// # Errors
///
/// When something reaches every pair. What was replied is journalled: the same run goes on there.
pub async fn prefer(
    plan: PreferPlan,
    judge: Arc<Judge>,
    store: Arc<dyn Store>,
    mut source: PairSource,
    observer: &dyn RunObserver,
    stop: Stop,
) -> Result<PreferReport, RunError> {
    let began = Instant::now();
    let _lock = store.lock_run(&plan.run.name).await?;
    open(&plan.run, store.as_ref()).await?;
    let output = plan.run.output.as_ref().map(Output::create).transpose()?;
    let pairs = Pairs::open(&mut source, &plan.run, &store).await?;
    observer.event(&RunEvent::Started {
        name: &plan.run.name,
        bytes: source.rows().and_then(Source::bytes),
        done: 0,
        rows: 0,
    });
    let name = plan.run.name.clone();
    let workshop = Arc::new(Workshop { judge, plan });
    let mut window = Window::new(workshop, observer, output);
    let passed = window.pass(pairs, stop).await;
    let state = match passed {
        Ok(RunEnd::Finished) => RunState::Finished,
        _ => RunState::Stopped,
    };
    let noted = note_end(&name, store.as_ref(), state).await;
    let end = passed?;
    noted?;
    let mut report = window.close(&name, end)?;
    report.run.elapsed = began.elapsed();
    Ok(report)
}
