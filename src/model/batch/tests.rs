//! Batches over a provider that is a script, on a clock that does not wait.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::time::{Instant, timeout};

use super::batched::Batched;
use super::desk::Desk;
use super::note::{BatchNote, PREFIX};
use super::provider::{BatchState, BatchStatus, Provider};
use super::setback::RowEnd;
use super::{BatchOptions, Setback, left_open};
use crate::digest::Digest;
use crate::message::Message;
use crate::model::journal::{Journal, Journalled, JournalledCall, question};
use crate::model::retry::RetryPolicy;
use crate::model::traffic::{EndpointState, Traffic};
use crate::model::{
    ChatModel, ChatRequest, Completion, MemoryJournal, ModelError, NotConnected, Reach,
};

/// A provider whose files are lists of row ids, and which answers each with its id.
#[derive(Debug, Default)]
struct Fake {
    stock: Mutex<Stock>,
}

#[derive(Debug, Default)]
struct Stock {
    files: Vec<Bytes>,
    /// Of each batch its file and its tag.
    batches: Vec<(usize, String)>,
    retrieved: usize,
    /// Errors of the next calls, by the call's name.
    failures: VecDeque<(&'static str, ModelError)>,
    /// Whether batches end.
    is_slow: bool,
    uploads_hang: bool,
    /// The next answer to a row.
    row_refused: Option<ModelError>,
}

impl Fake {
    fn stock(&self) -> MutexGuard<'_, Stock> {
        self.stock.lock().expect("no test panics with it")
    }

    fn fail_next(&self, call: &'static str, error: ModelError) {
        self.stock().failures.push_back((call, error));
    }

    fn failure(&self, call: &str) -> Result<(), ModelError> {
        let mut stock = self.stock();
        match stock.failures.front() {
            Some((next, _)) if *next == call => {
                let (_, error) = stock.failures.pop_front().expect("it is there");
                Err(error)
            }
            _ => Ok(()),
        }
    }

    fn state(&self, batch: usize) -> BatchState {
        let stock = self.stock();
        BatchState {
            id: batch.to_string(),
            status: if stock.is_slow {
                BatchStatus::UnderWay
            } else {
                BatchStatus::Completed
            },
            output_file: Some(stock.batches[batch].0.to_string()),
            ..BatchState::default()
        }
    }

    fn rows(&self) -> usize {
        let stock = self.stock();
        let rows = stock
            .batches
            .iter()
            .map(|(file, _)| stock.files[*file].len() / 33);
        rows.sum()
    }
}

#[async_trait]
impl Provider for Fake {
    fn model(&self) -> &'static str {
        "fake"
    }

    fn address(&self) -> &'static str {
        "http://fake/v1"
    }

    fn line(&self, id: Digest, _: &ChatRequest) -> Result<Vec<u8>, ModelError> {
        Ok(format!("{id}\n").into_bytes())
    }

    async fn upload(&self, lines: Bytes, _: &str) -> Result<String, ModelError> {
        self.failure("upload")?;
        let hangs = self.stock().uploads_hang;
        if hangs {
            std::future::pending::<()>().await;
        }
        let mut stock = self.stock();
        stock.files.push(lines);
        Ok((stock.files.len() - 1).to_string())
    }

    async fn create(&self, file: &str, tag: &str) -> Result<BatchState, ModelError> {
        self.failure("create")?;
        let number = {
            let mut stock = self.stock();
            stock
                .batches
                .push((file.parse().expect("a file"), tag.to_owned()));
            stock.batches.len() - 1
        };
        self.failure("created")?;
        Ok(self.state(number))
    }

    async fn retrieve(&self, batch: &str) -> Result<BatchState, ModelError> {
        self.stock().retrieved += 1;
        self.failure("retrieve")?;
        Ok(self.state(batch.parse().expect("a batch")))
    }

    async fn find(&self, _: &str, tag: &str) -> Result<Option<BatchState>, ModelError> {
        self.failure("find")?;
        if self.failure("see").is_err() {
            return Ok(None);
        }
        let found = (self.stock().batches.iter()).position(|(_, known)| known == tag);
        Ok(found.map(|batch| self.state(batch)))
    }

    async fn content(&self, file: &str) -> Result<Bytes, ModelError> {
        self.failure("content")?;
        let file: usize = file.parse().expect("a file");
        Ok(self.stock().files[file].clone())
    }

    fn read_line(&self, line: &Bytes) -> Option<(Digest, RowEnd)> {
        let text = std::str::from_utf8(line).ok()?;
        if let Some(error) = self.stock().row_refused.take() {
            return Some((text.parse().ok()?, Err(Setback::Failed(error))));
        }
        let completion = Completion {
            raw: Some(Bytes::from(format!("{{\"text\":\"{text}\"}}"))),
            ..Completion::from_text(text)
        };
        Some((text.parse().ok()?, Ok(completion)))
    }

    fn read(&self, raw: &[u8]) -> Result<Completion, ModelError> {
        Ok(serde_json::from_slice(raw).expect("a completion"))
    }
}

fn request(text: &str) -> ChatRequest {
    ChatRequest::new(vec![Message::user(text)])
}

fn key(text: &str) -> Digest {
    question(None, "fake", &request(text)).expect("a key").key
}

fn batched(fake: &Arc<Fake>, journal: &Arc<MemoryJournal>, traffic: &Arc<Traffic>) -> Batched {
    let desk = Desk::new(
        fake.clone(),
        Some(journal.clone()),
        BatchOptions::default(),
        RetryPolicy::default(),
        Arc::clone(traffic),
    );
    Batched::at(desk, None)
}

fn journalled(fake: &Arc<Fake>, journal: &Arc<MemoryJournal>) -> Journalled {
    let model = batched(fake, journal, &Traffic::new());
    Journalled::new(Arc::new(model), journal.clone(), None)
}

async fn noted(journal: &MemoryJournal) -> usize {
    journal.notes("fake", PREFIX).await.expect("notes").len()
}

fn broken() -> ModelError {
    ModelError::Connection {
        endpoint: "http://fake/v1".to_owned(),
        source: "reset".into(),
    }
}

fn refused() -> ModelError {
    ModelError::Connection {
        endpoint: "http://fake/v1".to_owned(),
        source: Box::new(NotConnected::new("refused")),
    }
}

fn status(status: u16) -> ModelError {
    ModelError::Status {
        endpoint: "http://fake/v1".to_owned(),
        status,
        message: "no".to_owned(),
        retry_after: None,
    }
}

async fn leave_note(journal: &MemoryJournal, address: &str, batch: Option<&str>, rows: &[&str]) {
    let note = BatchNote {
        address: address.to_owned(),
        file: "0".to_owned(),
        batch: batch.map(ToOwned::to_owned),
        rows: rows.iter().map(|row| key(row)).collect(),
    };
    let note = serde_json::to_string(&note).expect("JSON");
    let name = format!("{PREFIX}left");
    let kept = journal.set_note("fake", &name, &note).await;
    kept.expect("a note");
}

/// What is at the provider when another process has made a batch of these rows.
async fn made_before(fake: &Fake, rows: &[&str]) {
    let lines: Vec<String> = rows.iter().map(|row| key(row).to_string()).collect();
    let lines = lines.join("\n") + "\n";
    let file = fake.upload(lines.into(), "left").await.expect("a file");
    fake.create(&file, "left").await.expect("a batch");
}

#[tokio::test(start_paused = true)]
async fn calls_share_a_batch_and_each_gets_its_own_row() {
    let (fake, journal) = (Arc::<Fake>::default(), Arc::<MemoryJournal>::default());
    let model = journalled(&fake, &journal);
    let started = Instant::now();
    let requests: Vec<_> = (0..50).map(|n| request(&n.to_string())).collect();
    let replies = requests.iter().map(|request| model.complete(request));
    for (n, reply) in futures::future::join_all(replies)
        .await
        .into_iter()
        .enumerate()
    {
        assert_eq!(
            reply.expect("a reply").text,
            key(&n.to_string()).to_string()
        );
    }
    assert_eq!(fake.stock().batches.len(), 1);
    assert_eq!(started.elapsed().as_secs(), 5, "a quiet while and no more");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(noted(&journal).await, 0, "all replies are journalled");
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_was_not_journalled_is_found_in_its_batch() {
    let (fake, journal) = (Arc::<Fake>::default(), Arc::<MemoryJournal>::default());
    let traffic = Traffic::new();
    let model = batched(&fake, &journal, &traffic);
    model.complete(&request("a")).await.expect("a reply");
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(noted(&journal).await, 1, "nobody has kept the reply");
    drop(model);

    let model = journalled(&fake, &journal);
    model.complete(&request("a")).await.expect("a reply");
    assert_eq!(fake.rows(), 1);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(noted(&journal).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_was_made_and_not_noted_is_found_by_its_tag() {
    let (fake, journal) = (Arc::<Fake>::default(), Arc::<MemoryJournal>::default());
    made_before(&fake, &["a", "b"]).await;
    leave_note(&journal, "http://fake/v1", None, &["a", "b"]).await;
    assert_eq!(left_open(journal.as_ref(), "fake").await.ok(), Some(2));
    assert_eq!(left_open(journal.as_ref(), "other").await.ok(), Some(0));
    let model = journalled(&fake, &journal);
    for text in ["a", "b", "c"] {
        model.complete(&request(text)).await.expect("a reply");
    }
    assert_eq!(left_open(journal.as_ref(), "fake").await.ok(), Some(0));
    assert_eq!(fake.rows(), 3, "only the third is submitted");
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_was_never_made_is_made_anew() {
    let (fake, journal) = (Arc::<Fake>::default(), Arc::<MemoryJournal>::default());
    leave_note(&journal, "http://fake/v1", None, &["a"]).await;
    let model = journalled(&fake, &journal);
    model.complete(&request("a")).await.expect("a reply");
    assert_eq!(fake.rows(), 1);
}

#[tokio::test(start_paused = true)]
async fn notes_of_other_places_and_of_journalled_rows_are_left_alone() {
    let (fake, journal) = (Arc::<Fake>::default(), Arc::<MemoryJournal>::default());
    leave_note(&journal, "http://other/v1", Some("7"), &["a"]).await;
    let model = journalled(&fake, &journal);
    model.complete(&request("a")).await.expect("a reply");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!((fake.rows(), noted(&journal).await), (1, 1));

    let kept = journal.keep(JournalledCall {
        key: key("b"),
        model: "fake".to_owned(),
        request: Bytes::new(),
        head: 0,
        reply: Bytes::from_static(b"{\"text\":\"b\"}"),
        latency: Duration::ZERO,
    });
    kept.await.expect("a journal");
    leave_note(&journal, "http://fake/v1", Some("99"), &["b"]).await;
    let model = journalled(&fake, &journal);
    model.complete(&request("c")).await.expect("a reply");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(noted(&journal).await, 0, "its one reply was journalled");
}

#[tokio::test(start_paused = true)]
async fn an_unclear_answer_to_making_a_batch_is_cleared_up_first() {
    let (fake, journal) = (Arc::<Fake>::default(), Arc::<MemoryJournal>::default());
    fake.fail_next("created", broken());
    fake.fail_next("find", broken());
    let model = journalled(&fake, &journal);
    model.complete(&request("a")).await.expect("a reply");
    assert_eq!(fake.stock().batches.len(), 1, "it is not made twice");

    fake.fail_next("create", broken());
    model.complete(&request("b")).await.expect("a reply");
    assert_eq!(fake.stock().batches.len(), 2, "it is made after all");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_seen_at_once_is_not_taken_to_be_gone() {
    let (fake, journal) = (Arc::<Fake>::default(), Arc::<MemoryJournal>::default());
    for call in ["retrieve", "retrieve", "content", "content"] {
        fake.fail_next(call, status(404));
    }
    let model = journalled(&fake, &journal);
    model.complete(&request("a")).await.expect("a reply");
    assert_eq!((fake.rows(), fake.stock().failures.len()), (1, 0));

    // Made, but neither told nor listed at first.
    for (call, error) in [("created", broken()), ("see", broken()), ("see", broken())] {
        fake.fail_next(call, error);
    }
    model.complete(&request("b")).await.expect("a reply");
    assert_eq!((fake.rows(), fake.stock().failures.len()), (2, 0));

    // What stays unknown is gone.
    for _ in 0..4 {
        fake.fail_next("retrieve", status(404));
    }
    model.complete(&request("c")).await.expect("a reply");
    assert_eq!((fake.rows(), fake.stock().failures.len()), (4, 0));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_was_never_reached_is_given_up_and_another_waited_for() {
    let (fake, journal) = (Arc::<Fake>::default(), Arc::<MemoryJournal>::default());
    for _ in 0..6 {
        fake.fail_next("upload", refused());
    }
    let model = journalled(&fake, &journal);
    let error = model.complete(&request("a")).await.expect_err("an error");
    assert!(error.is_not_connected(), "{error}");

    model.complete(&request("b")).await.expect("a reply");
    for _ in 0..40 {
        fake.fail_next("retrieve", refused());
    }
    model.complete(&request("c")).await.expect("a reply");
    assert_eq!(fake.stock().failures.len(), 0);
    assert_eq!(fake.rows(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_withdrawn_stops_the_run_and_loses_nothing() {
    let (fake, journal) = (Arc::<Fake>::default(), Arc::<MemoryJournal>::default());
    fake.fail_next("retrieve", status(401));
    let model = journalled(&fake, &journal);
    let error = model.complete(&request("a")).await.expect_err("an error");
    assert_eq!(error.reach(), Reach::Run);
    assert_eq!(noted(&journal).await, 1);
    let model = journalled(&fake, &journal);
    model.complete(&request("a")).await.expect("a reply");
    assert_eq!(fake.rows(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_traffic_knows_what_waits_where() {
    let (fake, journal) = (Arc::<Fake>::default(), Arc::<MemoryJournal>::default());
    fake.stock().is_slow = true;
    let traffic = Traffic::new();
    let model = batched(&fake, &journal, &traffic);
    assert!(traffic.window() > 50_000);
    assert!(!traffic.has_concurrency());
    let (one, other) = (request("a"), request("b"));
    let waits = timeout(Duration::from_secs(2), model.complete(&one));
    assert!(waits.await.is_err());
    assert_eq!(traffic.endpoints()[0].waiting, 1);
    let waits = timeout(Duration::from_secs(7200), model.complete(&other));
    assert!(waits.await.is_err());
    let status = &traffic.endpoints()[0];
    assert_eq!((status.waiting, status.in_flight), (0, 1));
    assert_eq!(status.state, EndpointState::Starting);
    assert_eq!((traffic.open_batches(), fake.rows()), (1, 1));
    let looks = fake.stock().retrieved;
    assert!((110..140).contains(&looks), "{looks} looks in two hours");
    assert_eq!(traffic.counts().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_was_not_made_yet_is_not_said_to_go_on() {
    let (fake, journal) = (Arc::<Fake>::default(), Arc::<MemoryJournal>::default());
    fake.stock().uploads_hang = true;
    let traffic = Traffic::new();
    let model = batched(&fake, &journal, &traffic);
    let asked = request("a");
    let waits = timeout(Duration::from_secs(60), model.complete(&asked));
    assert!(waits.await.is_err());
    assert_eq!(traffic.endpoints()[0].in_flight, 1);
    assert_eq!(traffic.open_batches(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_process_was_refused_is_asked_again() {
    let (fake, journal) = (Arc::<Fake>::default(), Arc::<MemoryJournal>::default());
    made_before(&fake, &["a"]).await;
    leave_note(&journal, "http://fake/v1", Some("0"), &["a"]).await;
    fake.stock().row_refused = Some(ModelError::OutOfMoney {
        endpoint: "http://fake/v1".to_owned(),
        message: "no credit, then".to_owned(),
    });
    let model = journalled(&fake, &journal);
    model.complete(&request("a")).await.expect("a reply");
    assert_eq!(fake.rows(), 2);
}

#[tokio::test(start_paused = true)]
async fn while_the_traffic_is_paused_nothing_is_submitted() {
    let (fake, journal) = (Arc::<Fake>::default(), Arc::<MemoryJournal>::default());
    let traffic = Traffic::new();
    let model = batched(&fake, &journal, &traffic);
    traffic.pause();
    let asked = request("a");
    let waits = timeout(Duration::from_secs(100), model.complete(&asked));
    assert!(waits.await.is_err());
    assert_eq!(fake.stock().files.len(), 0);
    traffic.resume();
    model.complete(&asked).await.expect("a reply");

    // What gathers when the pause begins gathers until it ends.
    let later = request("b");
    let pause = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        traffic.pause();
        tokio::time::sleep(Duration::from_secs(100)).await;
        let made = fake.stock().batches.len();
        traffic.resume();
        made
    };
    let (reply, made) = tokio::join!(model.complete(&later), pause);
    reply.expect("a reply");
    assert_eq!((made, fake.rows()), (1, 2));
}

#[test]
fn a_setback_can_be_told_to_many() {
    let setback = Setback::Final(broken());
    assert!(matches!(
        setback.clone(),
        Setback::Final(ModelError::Connection { .. })
    ));
}
