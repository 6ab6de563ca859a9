//! This machine's own ceiling: the real client, pipeline and store against simulated servers.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::child::ServerProcess;
use super::process::{Used, peak_memory};
use super::work::TemporaryFolder;
use super::{BenchError, Follow, Work, follows};
use crate::app::{self, Connections};
use crate::dataset::{ReadOptions, Source};
use crate::model::traffic::{CallCounts, Traffic};
use crate::run::{RunEvent, RunPlan, Stop, decided_by, run};
use crate::simulated::{SimulatedOptions, SimulatedStatistics};
use crate::transcript::Outcome;

/// What a run against simulated servers showed. No model was asked.
#[derive(Clone, Debug, Serialize)]
pub struct CeilingReport {
    /// Always true: these are figures of this machine and of redraft, not of any model's server.
    pub simulated: bool,
    /// What the servers were together.
    pub server: SimulatedOptions,
    /// How many there were.
    pub replicas: usize,
    /// The concurrency that was asked for.
    pub concurrency: String,
    /// The recipe's preset.
    pub recipe: String,
    /// The most revisions.
    pub rounds: u32,
    /// Records that were to be done.
    pub records: u64,
    /// Records that have their transcript.
    pub sealed: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Seconds from the run's begin to its end.
    pub seconds: f64,
    /// Seconds until the first record had its transcript.
    pub first_record: Option<f64>,
    /// The calls.
    pub calls: CallRates,
    /// What the client used of the processor, where the system tells.
    pub cpu: Option<Cpu>,
    /// The most memory that the client had resident, in bytes, where the system tells.
    pub peak_memory: Option<u64>,
    /// How quickly the load followed each change of the capacity.
    pub follows: Vec<Follow>,
    /// What the servers counted, together.
    pub statistics: SimulatedStatistics,
}

/// Calls, as the client made them and as the servers saw them.
#[derive(Clone, Debug, Serialize)]
pub struct CallRates {
    /// Answers per second, from the first request to the last reply.
    pub per_second: f64,
    /// The share of requests that were refused with 429 for the rate limit or for want of a slot.
    pub refused: f64,
    /// The share of the requests that the rate limit allows which were sent, where there is one.
    pub allowance_used: Option<f64>,
    /// The share of prompt tokens that the prefix cache held.
    pub cached: f64,
    /// What the client counted.
    pub counts: CallCounts,
}

/// Processor time of the client.
#[derive(Clone, Debug, Serialize)]
pub struct Cpu {
    /// Seconds altogether.
    pub seconds: f64,
    /// Microseconds per answered call.
    pub per_call: f64,
    /// By threads.
    pub shares: Vec<CpuShare>,
}

/// The processor time of threads of one name.
#[derive(Clone, Debug, Serialize)]
pub struct CpuShare {
    /// What the threads do.
    pub threads: String,
    /// Microseconds per answered call.
    pub per_call: f64,
}

/// Does the work with `program`, which is redraft, as the servers' processes. `on_progress` is told
/// of the records done.
///
/// # Errors
///
/// [`BenchError`] when the servers, the pipeline, the store or the run fail.
pub async fn measure_ceiling(
    work: &Work,
    program: &Path,
    on_progress: impl Fn(u64) + Send + Sync,
) -> Result<CeilingReport, BenchError> {
    let folder = TemporaryFolder::new()?;
    let rows = folder.write("rows.jsonl", |to| work.write_rows(to))?;
    let servers = start(work, program)?;
    let addresses: Vec<String> = servers
        .iter()
        .map(|one| one.base_url().to_owned())
        .collect();
    let settings = work.settings(&folder, &addresses)?;
    let seen = Seen::new(on_progress);
    let before = Used::so_far();
    let began = Instant::now();
    let traffic = Traffic::new();
    let used = {
        let store = app::open_store(&settings.store)?;
        let connections = Connections {
            store: Some(Arc::clone(&store)),
            traffic: Arc::clone(&traffic),
            ..Connections::default()
        };
        let pipeline = app::pipeline(&settings, |_| None, &connections)?;
        let source = Source::open(&rows)?;
        let plan = plan(
            &source,
            decided_by(pipeline.provenance(), &ReadOptions::default()),
            &traffic,
        );
        let (_handle, stop) = Stop::new();
        let observer = |event: &RunEvent<'_>| seen.note(event);
        run(plan, Arc::new(pipeline), store, source, &observer, stop).await?;
        // While the store's threads are still there.
        Used::so_far()
    };
    let seconds = began.elapsed().as_secs_f64();
    let used = used.zip(before).map(|(now, before)| now.since(&before));
    let mut statistics = Vec::new();
    for server in servers {
        statistics.push(server.end().map_err(BenchError::Server)?);
    }
    let statistics = SimulatedStatistics::together(&statistics);
    Ok(CeilingReport {
        simulated: true,
        replicas: work.replicas.max(1),
        concurrency: work.concurrency.to_string(),
        recipe: work.recipe.clone(),
        rounds: work.rounds,
        records: work.records,
        sealed: seen.sealed.load(Ordering::Relaxed),
        failed: seen.failed.load(Ordering::Relaxed),
        seconds,
        first_record: seen.first.get().map(|when| (*when - began).as_secs_f64()),
        calls: rates(&statistics, traffic.counts()),
        cpu: used.map(|used| cpu(&used, statistics.answered)),
        peak_memory: peak_memory(),
        follows: follows(&work.server, &statistics),
        server: work.server.clone(),
        statistics,
    })
}

fn start(work: &Work, program: &Path) -> Result<Vec<ServerProcess>, BenchError> {
    let servers = work.shares();
    servers
        .iter()
        .map(|server| ServerProcess::start(program, server).map_err(BenchError::Server))
        .collect()
}

fn plan(source: &Source, decided_by: serde_json::Value, traffic: &Arc<Traffic>) -> RunPlan {
    RunPlan {
        name: "bench".to_owned(),
        dataset: source.name(),
        decided_by,
        scope: None,
        limit: None,
        traffic: Arc::clone(traffic),
        max_bad_rows: None,
        max_failed: 0,
        samples: NonZeroU32::MIN,
        only_rows: None,
        retry_failed: false,
        read: ReadOptions::default(),
        output: None,
    }
}

/// What is seen of a run as it goes.
struct Seen<F> {
    sealed: AtomicU64,
    failed: AtomicU64,
    first: OnceLock<Instant>,
    on_progress: F,
}

impl<F: Fn(u64)> Seen<F> {
    fn new(on_progress: F) -> Self {
        Self {
            sealed: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            first: OnceLock::new(),
            on_progress,
        }
    }

    fn note(&self, event: &RunEvent<'_>) {
        let RunEvent::Sealed { outcome, .. } = event else {
            return;
        };
        self.first.get_or_init(Instant::now);
        let sealed = self.sealed.fetch_add(1, Ordering::Relaxed) + 1;
        let failed = u64::from(*outcome == Outcome::Failed);
        self.failed.fetch_add(failed, Ordering::Relaxed);
        (self.on_progress)(sealed);
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn rates(statistics: &SimulatedStatistics, counts: CallCounts) -> CallRates {
    let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
    let let_in = statistics.requests - statistics.refused;
    CallRates {
        per_second: statistics.answered as f64 / statistics.elapsed.max(0.001),
        refused: share(statistics.refused, statistics.requests),
        allowance_used: statistics.allowed.map(|allowed| let_in as f64 / allowed),
        cached: share(statistics.cached, statistics.input),
        counts,
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn cpu(used: &Used, calls: u64) -> Cpu {
    let per_call = |time: Duration| time.as_secs_f64() * 1e6 / calls.max(1) as f64;
    let mut shares = Vec::new();
    let mut known = Duration::ZERO;
    for (thread, what) in [
        ("tokio-rt-worker", "runtime workers, blocking ones included"),
        ("store-writer", "store writer"),
    ] {
        let time = used.threads.get(thread).copied().unwrap_or_default();
        known += time;
        shares.push(CpuShare {
            threads: what.to_owned(),
            per_call: per_call(time),
        });
    }
    shares.push(CpuShare {
        threads: "others, ended ones included".to_owned(),
        per_call: per_call(used.total.saturating_sub(known)),
    });
    Cpu {
        seconds: used.total.as_secs_f64(),
        per_call: per_call(used.total),
        shares,
    }
}
