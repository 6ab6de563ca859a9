//! Replicas that fail and come back, places that are held, calls that are dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use tokio::time::{Instant, sleep, timeout};

use super::{Dispatch, DispatchOptions, Replica};
use crate::message::Message;
use crate::model::traffic::{EndpointState, Traffic, TrafficEvent};
use crate::model::{
    ChatModel, ChatRequest, Completion, Concurrency, ModelError, Origin, TimeLimit,
};

/// Takes a second for a call, unless it is down.
#[derive(Debug, Default)]
struct Stub {
    is_down: AtomicBool,
    hangs: AtomicBool,
    asked: AtomicU64,
}

#[async_trait]
impl ChatModel for Stub {
    fn name(&self) -> &'static str {
        "stub"
    }

    async fn complete(&self, _: &ChatRequest) -> Result<Completion, ModelError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.hangs.load(Ordering::SeqCst) {
            let limit = Duration::from_secs(600);
            sleep(limit).await;
            return Err(ModelError::Timeout {
                endpoint: "http://stub/v1".to_owned(),
                which: TimeLimit::FirstByte,
                limit,
            });
        }
        if self.is_down.load(Ordering::SeqCst) {
            return Err(ModelError::Connection {
                endpoint: "http://stub/v1".to_owned(),
                source: "reset".into(),
            });
        }
        sleep(Duration::from_secs(1)).await;
        Ok(Completion::from_text("done"))
    }
}

impl Stub {
    fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }
}

fn dispatch(stubs: &[&Arc<Stub>], limit: usize, traffic: &Arc<Traffic>) -> Arc<Dispatch> {
    let replicas = stubs.iter().enumerate().map(|(index, stub)| Replica {
        address: format!("http://gpu-{index}/v1"),
        model: Arc::clone(*stub) as Arc<dyn ChatModel>,
        pace: Arc::default(),
    });
    let options = DispatchOptions {
        concurrency: Concurrency::Fixed(limit),
        outage_patience: Duration::from_secs(300),
        hold_places: true,
    };
    Arc::new(Dispatch::new(replicas.collect(), &options, traffic))
}

fn request(record: u64) -> ChatRequest {
    ChatRequest {
        origin: Origin {
            home: record,
            place: record,
        },
        ..ChatRequest::new(vec![Message::user("Hi")])
    }
}

/// As many calls as asked for, each of another record; how many failed.
async fn failures(model: &Arc<Dispatch>, calls: u64) -> usize {
    let calls = (0..calls).map(|record| async move {
        let reply = model.complete(&request(record)).await;
        reply.map(drop).is_err()
    });
    join_all(calls)
        .await
        .into_iter()
        .filter(|failed| *failed)
        .count()
}

#[tokio::test(start_paused = true)]
async fn calls_of_a_replica_that_fails_move_on_and_it_is_taken_back() {
    let (good, bad) = (Arc::new(Stub::default()), Arc::new(Stub::default()));
    let traffic = Traffic::new();
    let events = Arc::new(std::sync::Mutex::new(Vec::new()));
    let heard = Arc::clone(&events);
    traffic.listen(move |event| {
        let name = match event {
            TrafficEvent::SetAside { address, .. } => format!("aside {address}"),
            TrafficEvent::TakenBack { address, .. } => format!("back {address}"),
            _ => return,
        };
        heard.lock().expect("events").push(name);
    });
    let model = dispatch(&[&good, &bad], 4, &traffic);
    assert_eq!(failures(&model, 20).await, 0);
    assert!(good.asked() > 4 && bad.asked() > 4);
    bad.set_down(true);
    assert_eq!(failures(&model, 100).await, 0);
    let aside = traffic.endpoints().remove(1).state;
    assert!(matches!(aside, EndpointState::SetAside { .. }), "{aside:?}");
    let asked = bad.asked();
    bad.set_down(false);
    sleep(Duration::from_secs(31)).await;
    assert_eq!(failures(&model, 100).await, 0);
    assert!(bad.asked() > asked + 20, "{}", bad.asked() - asked);
    assert_eq!(
        *events.lock().expect("events"),
        ["aside http://gpu-1/v1", "back http://gpu-1/v1"]
    );
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_waited_out_and_not_for_ever() {
    let stub = Arc::new(Stub::default());
    let model = dispatch(&[&stub], 4, &Traffic::new());
    assert_eq!(failures(&model, 1).await, 0);
    stub.set_down(true);
    let down = Arc::clone(&stub);
    let back = tokio::spawn(async move {
        sleep(Duration::from_secs(120)).await;
        down.set_down(false);
    });
    assert_eq!(failures(&model, 15).await, 4, "before it was set aside");
    back.await.expect("back");
    stub.set_down(true);
    let began = Instant::now();
    assert_eq!(failures(&model, 10).await, 10);
    let waited = began.elapsed();
    assert!(waited >= Duration::from_secs(250), "{waited:?}");
    assert!(waited <= Duration::from_secs(400), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn before_the_first_success_failures_go_straight_back() {
    let stub = Arc::new(Stub::default());
    stub.set_down(true);
    let model = dispatch(&[&stub], 4, &Traffic::new());
    assert_eq!(failures(&model, 10).await, 10);
    assert_eq!(stub.asked(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_from_the_start_is_given_up_like_one_that_went_away() {
    let stub = Arc::new(Stub::default());
    stub.hangs.store(true, Ordering::SeqCst);
    let model = dispatch(&[&stub], 10, &Traffic::new());
    let began = Instant::now();
    assert_eq!(failures(&model, 36).await, 36);
    // The first calls, and the one that asked whether the server is back; the others waited for it.
    let took = began.elapsed();
    assert!(took < Duration::from_secs(2 * 600 + 60), "{took:?}");
    assert!(stub.asked() < 20, "{}", stub.asked());
}

#[tokio::test(start_paused = true)]
async fn of_calls_that_are_dropped_those_in_flight_may_have_cost() {
    let stub = Arc::new(Stub::default());
    let traffic = Traffic::new();
    let model = dispatch(&[&stub], 4, &traffic);
    let all = timeout(Duration::from_millis(500), failures(&model, 20));
    assert!(all.await.is_err());
    assert_eq!(stub.asked(), 4);
    assert_eq!(traffic.budget().spent().unpriced_calls, 4);
}

#[tokio::test(start_paused = true)]
async fn it_is_told_what_an_endpoint_fails_with_before_it_ever_answered() {
    let stub = Arc::new(Stub::default());
    stub.set_down(true);
    let traffic = Traffic::new();
    let model = dispatch(&[&stub], 4, &traffic);
    let state = || traffic.endpoints().remove(0).state;
    failures(&model, 4).await;
    assert_eq!(state(), EndpointState::Steady);
    failures(&model, 1).await;
    let why = "reset".to_owned();
    assert_eq!(state(), EndpointState::Failing { why });
    stub.set_down(false);
    failures(&model, 1).await;
    assert_eq!(state(), EndpointState::Steady);
}

#[tokio::test(start_paused = true)]
async fn a_place_is_free_when_the_last_clone_of_the_reply_is_gone() {
    let stub = Arc::new(Stub::default());
    let model = dispatch(&[&stub], 1, &Traffic::new());
    let mut reply = model.complete(&request(0)).await.expect("a reply");
    let clone = reply.clone();
    let second = timeout(Duration::from_secs(9), async {
        model.complete(&request(1)).await
    });
    assert!(second.await.is_err(), "the place is held");
    reply.place.give_back();
    drop(clone);
    assert!(model.complete(&request(1)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_dropped_lose_no_place() {
    let stub = Arc::new(Stub::default());
    let traffic = Traffic::new();
    let model = dispatch(&[&stub], 2, &traffic);
    for after in [0, 500, 999, 1000, 1500] {
        let calls = failures(&model, 6);
        let _ = timeout(Duration::from_millis(after), calls).await;
        let status = traffic.endpoints().remove(0);
        assert_eq!((status.in_flight, status.waiting), (0, 0), "{after}");
    }
    let began = Instant::now();
    assert_eq!(failures(&model, 6).await, 0);
    assert_eq!(began.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn paused_traffic_begins_no_call() {
    let stub = Arc::new(Stub::default());
    let traffic = Traffic::new();
    let model = dispatch(&[&stub], 2, &traffic);
    traffic.pause();
    let waits = timeout(Duration::from_secs(9), failures(&model, 3)).await;
    assert!(waits.is_err() && stub.asked() == 0);
    let resuming = Arc::clone(&traffic);
    tokio::spawn(async move {
        sleep(Duration::from_secs(5)).await;
        resuming.resume();
    });
    let began = Instant::now();
    assert_eq!(failures(&model, 2).await, 0);
    assert_eq!(began.elapsed().as_secs(), 6);
}
