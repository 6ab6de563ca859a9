//! How a run ends before its rows do: stopped, drained, paused, at the end of its budget.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tempfile::TempDir;

use super::{RunEnd, RunEvent, RunPlan, RunReport, Stop, StopHandle, decided_by, run};
use crate::constitution::Constitution;
use crate::dataset::{ReadOptions, Source};
use crate::model::traffic::Traffic;
use crate::model::{ChatModel, ChatRequest, Completion, ModelError};
use crate::pipeline::Pipeline;
use crate::round::{Assigned, Cast};
use crate::store::Store;
use crate::store::sqlite::SqliteStore;

/// A drafter that answers after a minute, as often as it may.
#[derive(Debug)]
struct Slow {
    asked: AtomicUsize,
    most: usize,
}

#[async_trait]
impl ChatModel for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    async fn complete(&self, _: &ChatRequest) -> Result<Completion, ModelError> {
        if self.asked.fetch_add(1, Ordering::SeqCst) >= self.most {
            let what = "2 of 2 tokens are spent".to_owned();
            return Err(ModelError::BudgetReached { what });
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
        Ok(Completion::from_text("An answer."))
    }
}

struct Stage {
    folder: TempDir,
    model: Arc<Slow>,
    traffic: Arc<Traffic>,
    store: Arc<dyn Store>,
}

impl Stage {
    /// A dataset of that many rows, and a model that may be asked `most` times.
    fn new(rows: usize, most: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lines: Vec<String> = (0..rows)
            .map(|n| format!("{{\"id\": {n}, \"prompt\": \"Row {n}\"}}"))
            .collect();
        std::fs::write(folder.path().join("in.jsonl"), lines.join("\n")).unwrap();
        let asked = AtomicUsize::new(0);
        Self {
            model: Arc::new(Slow { asked, most }),
            traffic: Traffic::new(),
            store: Arc::new(SqliteStore::open(folder.path().join("store.db")).unwrap()),
            folder,
        }
    }

    async fn run(&self, stop: Stop, on_event: impl Fn(&RunEvent<'_>) + Send + Sync) -> RunReport {
        let model = Arc::clone(&self.model) as Arc<dyn ChatModel>;
        let cast = Cast {
            drafter: Some(Assigned::new(model)),
            ..Cast::default()
        };
        let constitution = Constitution::load("privacy").unwrap();
        let pipeline = Pipeline::builder(constitution).cast(cast).build().unwrap();
        let read = ReadOptions::default();
        let plan = RunPlan {
            name: "test".to_owned(),
            dataset: "in".to_owned(),
            decided_by: decided_by(pipeline.provenance(), &read),
            scope: None,
            limit: None,
            traffic: Arc::clone(&self.traffic),
            max_bad_rows: None,
            max_failed: 20,
            samples: NonZeroU32::MIN,
            only_rows: None,
            retry_failed: false,
            read,
            output: None,
        };
        let source = Source::open(&self.folder.path().join("in.jsonl")).unwrap();
        let store = Arc::clone(&self.store);
        run(plan, Arc::new(pipeline), store, source, &on_event, stop)
            .await
            .unwrap()
    }

    /// Runs, and does something as soon as every row has its call in flight.
    async fn run_and(&self, rows: usize, act: impl FnOnce(StopHandle)) -> RunReport {
        let (handle, stop) = Stop::new();
        let acting = async {
            while self.model.asked.load(Ordering::SeqCst) < rows {
                tokio::task::yield_now().await;
            }
            act(handle.clone());
        };
        let (report, ()) = tokio::join!(self.run(stop, |_: &RunEvent<'_>| {}), acting);
        report
    }
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_what_is_in_flight_and_a_stop_does_not() {
    let stage = Stage::new(3, usize::MAX);
    let report = stage.run_and(3, |handle| handle.stop()).await;
    assert_eq!((report.end, report.sealed), (RunEnd::Interrupted, 0));
    let stage = Stage::new(3, usize::MAX);
    let report = stage.run_and(3, |handle| handle.drain()).await;
    assert_eq!((report.end, report.sealed), (RunEnd::Interrupted, 3));
}

#[tokio::test(start_paused = true)]
async fn a_drain_begins_nothing_new() {
    // More rows than the window of a pipeline without limits has room for.
    let stage = Stage::new(1100, usize::MAX);
    let report = stage.run_and(1024, |handle| handle.drain()).await;
    assert_eq!((report.end, report.sealed), (RunEnd::Interrupted, 1024));
    assert_eq!(stage.model.asked.load(Ordering::SeqCst), 1024);
}

#[tokio::test(start_paused = true)]
async fn a_paused_run_begins_nothing_until_it_is_resumed() {
    let stage = Stage::new(5, usize::MAX);
    stage.traffic.pause();
    let (_handle, stop) = Stop::new();
    let resuming = async {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        let asked = stage.model.asked.load(Ordering::SeqCst);
        stage.traffic.resume();
        asked
    };
    let (report, asked) = tokio::join!(stage.run(stop, |_: &RunEvent<'_>| {}), resuming);
    assert_eq!(asked, 0);
    assert_eq!((report.end, report.sealed), (RunEnd::Finished, 5));
    assert!(stage.traffic.is_last_stretch());
}

#[tokio::test(start_paused = true)]
async fn at_the_end_of_the_budget_what_is_paid_for_is_kept() {
    let stage = Stage::new(9, 4);
    let (_handle, stop) = Stop::new();
    let report = stage.run(stop, |_: &RunEvent<'_>| {}).await;
    assert_eq!((report.end, report.sealed), (RunEnd::BudgetReached, 4));
    let stopped_by = report.stopped_by.unwrap();
    assert!(stopped_by.contains("tokens are spent"), "{stopped_by}");
}
