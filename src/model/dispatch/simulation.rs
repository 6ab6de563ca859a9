//! Simulated servers on a clock that does not wait: what share of them is used, and how they are
//! treated.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::{Dispatch, DispatchOptions, Replica};
use crate::message::Message;
use crate::model::pace::Pace;
use crate::model::retry::{Retry, RetryPolicy};
use crate::model::traffic::Traffic;
use crate::model::{
    Allowance, ChatModel, ChatRequest, Completion, Concurrency, ModelError, Origin, RateNotice,
    RateSink,
};

type Latency = dyn Fn(u64, usize) -> Duration + Send + Sync;

/// A server with so many slots and a queue, first come first served.
struct Server {
    slots: Semaphore,
    /// How long a call takes: by its number, and how many run.
    latency: Box<Latency>,
    /// Whether a call that finds no slot is refused instead of queued.
    refuses: bool,
    bucket: Option<Mutex<(f64, Instant)>>,
    headers: Option<Arc<Pace>>,
    /// Whether a refusal names the moment at which the next call would be let in.
    is_exact: bool,
    /// Whether one call in eight fails, whatever the load is.
    fails_by_chance: bool,
    began: Instant,
    asked: AtomicU64,
    refused: AtomicU64,
    running: AtomicUsize,
    present: AtomicUsize,
    /// The most calls present since the last look, and the calls answered in each second.
    most: AtomicUsize,
    by_second: Mutex<HashMap<u64, u64>>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Server")
    }
}

const RATE: f64 = 10.0;
const BURST: f64 = 20.0;

impl Server {
    fn new(slots: usize, latency: impl Fn(u64, usize) -> Duration + Send + Sync + 'static) -> Self {
        Self {
            slots: Semaphore::new(slots),
            latency: Box::new(latency),
            refuses: false,
            bucket: None,
            headers: None,
            is_exact: false,
            fails_by_chance: false,
            began: Instant::now(),
            asked: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            running: AtomicUsize::new(0),
            present: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            by_second: Mutex::default(),
        }
    }

    fn refuse(&self, status: u16) -> ModelError {
        self.refused.fetch_add(1, Ordering::Relaxed);
        let exact = self
            .bucket
            .as_ref()
            .filter(|_| self.is_exact)
            .map(|bucket| {
                let level = bucket.lock().expect("a bucket").0;
                Duration::from_secs_f64((1.0 - level) / RATE + 0.001)
            });
        ModelError::Status {
            endpoint: "http://simulated/v1".to_owned(),
            status,
            message: "slow down".to_owned(),
            retry_after: exact.or(Some(Duration::from_secs(1))),
        }
    }

    /// Takes a token of the rate limit.
    fn is_too_fast(&self) -> bool {
        let Some(bucket) = &self.bucket else {
            return false;
        };
        let mut bucket = bucket.lock().expect("a bucket");
        let now = Instant::now();
        let filled = now.duration_since(bucket.1).as_secs_f64() * RATE;
        *bucket = ((bucket.0 + filled).min(BURST), now);
        if bucket.0 < 1.0 {
            return true;
        }
        bucket.0 -= 1.0;
        if let Some(pace) = &self.headers {
            pace.told(&RateNotice {
                requests: Some(Allowance {
                    limit: Some(600),
                    remaining: Some(Duration::from_secs_f64(bucket.0).as_secs()),
                    reset: Some(Duration::from_secs_f64((BURST - bucket.0) / RATE)),
                }),
                tokens: None,
            });
        }
        false
    }

    fn answered_in(&self, seconds: std::ops::Range<u64>) -> u64 {
        let by_second = self.by_second.lock().expect("counts");
        seconds
            .map(|second| by_second.get(&second).copied().unwrap_or(0))
            .sum()
    }
}

#[async_trait]
impl ChatModel for Server {
    fn name(&self) -> &'static str {
        "simulated"
    }

    async fn complete(&self, _: &ChatRequest) -> Result<Completion, ModelError> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        // The way there.
        tokio::task::yield_now().await;
        if self.is_too_fast() || self.refuses && self.slots.available_permits() == 0 {
            let error = self.refuse(429);
            sleep(Duration::from_millis(1)).await;
            return Err(error);
        }
        if self.fails_by_chance && number % 8 == 5 {
            let status = [429, 503, 500][usize::try_from(number / 8 % 3).expect("small")];
            return Err(self.refuse(status));
        }
        let present = self.present.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(present, Ordering::Relaxed);
        let slot = self.slots.acquire().await.expect("never closed");
        let running = self.running.fetch_add(1, Ordering::Relaxed) + 1;
        sleep((self.latency)(number, running)).await;
        self.running.fetch_sub(1, Ordering::Relaxed);
        self.present.fetch_sub(1, Ordering::Relaxed);
        drop(slot);
        let second = self.began.elapsed().as_secs();
        *self
            .by_second
            .lock()
            .expect("counts")
            .entry(second)
            .or_default() += 1;
        Ok(Completion::from_text("done"))
    }
}

/// Runs records of five calls each against a server, and says how long it took.
async fn run(server: &Arc<Server>, records: u64, pace: Arc<Pace>) -> Duration {
    run_at(Concurrency::Auto, server, records, pace).await
}

async fn run_at(
    concurrency: Concurrency,
    server: &Arc<Server>,
    records: u64,
    pace: Arc<Pace>,
) -> Duration {
    let began = Instant::now();
    let traffic = Traffic::new();
    let replica = Replica {
        address: "http://simulated/v1".to_owned(),
        model: server.clone(),
        pace,
    };
    let options = DispatchOptions {
        concurrency,
        outage_patience: Duration::from_secs(300),
        hold_places: false,
    };
    let dispatch = Arc::new(Dispatch::new(vec![replica], &options, &traffic));
    let model = Arc::new(Retry::new(
        dispatch,
        RetryPolicy::default(),
        Arc::clone(&traffic),
    ));
    let mut tasks = JoinSet::new();
    let mut started = 0;
    while started < records || !tasks.is_empty() {
        while started < records && tasks.len() < traffic.window() {
            started += 1;
            let model = Arc::clone(&model);
            let request = ChatRequest {
                origin: Origin {
                    home: started,
                    place: started,
                },
                ..ChatRequest::new(vec![Message::user("Hi")])
            };
            tasks.spawn(async move {
                for _ in 0..5 {
                    model.complete(&request).await.expect("a reply");
                }
            });
        }
        if started == records {
            traffic.set_last_stretch(true);
        }
        tokio::select! {
            Some(ended) = tasks.join_next() => ended.expect("a record"),
            () = traffic.changed() => {}
        }
    }
    began.elapsed()
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn share(records: u64, capacity: f64, took: Duration) -> f64 {
    (records * 5) as f64 / (capacity * took.as_secs_f64())
}

fn fixed(milliseconds: u64) -> impl Fn(u64, usize) -> Duration + Send + Sync {
    move |_, _| Duration::from_millis(milliseconds)
}

#[tokio::test(start_paused = true)]
async fn a_server_of_256_slots_is_kept_busy_from_start_to_tail() {
    let server = Arc::new(Server::new(256, fixed(200)));
    let took = run(&server, 10_000, Arc::default()).await;
    let share = share(10_000, 1280.0, took);
    println!("256 slots: {share:.4}");
    assert!(share >= 0.97, "{share}");
}

#[tokio::test(start_paused = true)]
async fn a_server_of_8_slots_is_kept_busy_and_not_crowded() {
    let server = Arc::new(Server::new(8, fixed(200)));
    let watched = Arc::clone(&server);
    let watch = tokio::spawn(async move {
        sleep(Duration::from_secs(15)).await;
        watched.most.store(0, Ordering::Relaxed);
    });
    let took = run(&server, 800, Arc::default()).await;
    watch.await.expect("a watch");
    let share = share(800, 40.0, took);
    let most = server.most.load(Ordering::Relaxed);
    println!("8 slots: {share:.4}, {most} at most");
    assert!(share >= 0.95, "{share}");
    assert!(most <= 13, "{most}");
}

#[tokio::test(start_paused = true)]
async fn capacity_that_halves_and_returns_is_followed_within_five_seconds() {
    let server = Arc::new(Server::new(256, fixed(200)));
    let changing = Arc::clone(&server);
    let change = tokio::spawn(async move {
        sleep(Duration::from_secs(20)).await;
        let gone = changing
            .slots
            .acquire_many(128)
            .await
            .expect("never closed");
        sleep(Duration::from_secs(25)).await;
        changing.most.store(0, Ordering::Relaxed);
        sleep(Duration::from_secs(5)).await;
        let most = changing.most.load(Ordering::Relaxed);
        drop(gone);
        most
    });
    run(&server, 14_000, Arc::default()).await;
    let most = change.await.expect("a change");
    let (low, high) = (server.answered_in(26..50), server.answered_in(56..62));
    println!(
        "halved: {low} of {}, {most} at most, back: {high} of {}",
        640 * 24,
        1280 * 6
    );
    assert!(low >= 640 * 24 * 95 / 100, "{low}");
    assert!(most <= 128 * 3 / 2, "{most}");
    assert!(high >= 1280 * 6 * 95 / 100, "{high}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_when_full_is_kept_busy_below_that() {
    let server = Arc::new(Server {
        refuses: true,
        ..Server::new(32, fixed(100))
    });
    let took = run(&server, 1000, Arc::default()).await;
    let share = share(1000, 320.0, took);
    let refused = server.refused.load(Ordering::Relaxed);
    println!("refusing: {share:.4}, {refused} refused");
    assert!(share >= 0.8, "{share}");
}

/// Log-normal, with a mean of 200 ms, from the call's number.
fn spread(number: u64) -> Duration {
    let uniform = |salt: u64| {
        let digest = crate::digest::Digest::of(&(number * 2 + salt).to_le_bytes());
        let hash = digest.to_string().bytes().fold(7_u64, |hash, byte| {
            hash.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
        f64::from(u32::try_from(hash >> 32).unwrap_or(0))
            .mul_add(1.0 / f64::from(u32::MAX), 1e-9)
            .min(1.0)
    };
    let normal = (-2.0 * uniform(0).ln()).sqrt() * (std::f64::consts::TAU * uniform(1)).cos();
    Duration::from_secs_f64(0.2 * (0.5 * normal - 0.125).exp())
}

#[tokio::test(start_paused = true)]
async fn latencies_that_spread_widely_do_not_look_like_a_full_server() {
    let mean: f64 = (0..40_000)
        .map(|number| spread(number).as_secs_f64())
        .sum::<f64>()
        / 40_000.0;
    assert!((mean - 0.2).abs() < 0.005, "{mean}");
    for slots in [8_u32, 256] {
        let server = Arc::new(Server::new(slots as usize, |number, _| spread(number)));
        let records = u64::from(slots) * 32;
        let took = run(&server, records, Arc::default()).await;
        let share = share(records, f64::from(slots) / mean, took);
        println!("log-normal, {slots} slots: {share:.4}");
        assert!(share >= 0.93, "{slots}: {share}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_slows_down_while_its_batch_grows_is_filled_all_the_same() {
    let slower = |_, running: usize| Duration::from_millis(1000 + 1000 * running as u64 / 64);
    let server = Arc::new(Server::new(256, slower));
    let took = run(&server, 4000, Arc::default()).await;
    let share = share(4000, 256.0 / 5.0, took);
    println!("growing latency: {share:.4}");
    assert!(share >= 0.9, "{share}");
}

fn limited(headers: Option<Arc<Pace>>) -> Arc<Server> {
    Arc::new(Server {
        bucket: Some(Mutex::new((BURST, Instant::now()))),
        headers,
        ..Server::new(1000, fixed(100))
    })
}

#[tokio::test(start_paused = true)]
async fn failures_by_chance_are_no_limits_of_any_kind() {
    for concurrency in [Concurrency::Auto, Concurrency::Fixed(64)] {
        let mut server = Server::new(64, |_, _| Duration::from_millis(100));
        server.fails_by_chance = true;
        let server = Arc::new(server);
        run_at(concurrency, &server, 2_000, Arc::default()).await;
        // The last calls are waited for as chance has it; until then the server is in full use.
        let answered = server.answered_in(18..24);
        assert!(
            answered > 6 * 512,
            "{concurrency}: {answered} of {}",
            6 * 640
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_learned_from_refusals() {
    let server = limited(None);
    let took = run(&server, 400, Arc::default()).await;
    let share = 2000.0 / (BURST + RATE * took.as_secs_f64());
    let refused = server.refused.load(Ordering::Relaxed);
    println!("rate limit: {share:.4}, {refused} refused");
    assert!(share >= 0.97, "{share}");
    assert!(refused <= 22, "{refused}");
}

/// The first estimates are from a call or two, and often too low.
#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_learned_where_refusals_name_short_waits() {
    for salt in 0..12 {
        let server = Arc::new(Server {
            bucket: Some(Mutex::new((BURST, Instant::now()))),
            is_exact: true,
            ..Server::new(1000, move |number, _| spread(number + 1000 * salt) / 2)
        });
        let took = run(&server, 400, Arc::default()).await;
        let share = 2000.0 / (BURST + RATE * took.as_secs_f64());
        let refused = server.refused.load(Ordering::Relaxed);
        println!("short waits, {salt}: {share:.4}, {refused} refused");
        assert!(share >= 0.95, "{salt}: {share}");
        assert!(refused <= 20, "{salt}: {refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_that_is_told_is_obeyed() {
    let pace = Arc::new(Pace::default());
    let server = limited(Some(Arc::clone(&pace)));
    let took = run(&server, 400, pace).await;
    let share = 2000.0 / (BURST + RATE * took.as_secs_f64());
    let refused = server.refused.load(Ordering::Relaxed);
    println!("told rate limit: {share:.4}, {refused} refused");
    assert!(share >= 0.97, "{share}");
    assert!(refused <= 3, "{refused}");
}
