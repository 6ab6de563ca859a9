//! Observed answers that wait for their critique: a bounded queue that says when it overflows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

use super::call::Call;
use super::judge::judge;
use super::part::Part;
use super::tally::Tally;

/// How many bytes of texts may wait.
const MOST_BYTES: usize = 64 << 20;

/// An answer that has left.
#[derive(Debug)]
pub(super) struct Observation {
    pub(super) call: Call,
    pub(super) parts: Vec<Part>,
}

/// The queue, and those who work it off.
#[derive(Debug)]
pub(super) struct Observations {
    sender: std::sync::Mutex<Option<mpsc::Sender<Observation>>>,
    bytes: Arc<AtomicUsize>,
    dropped: AtomicU64,
    observers: std::sync::Mutex<Vec<JoinHandle<()>>>,
}

impl Observations {
    /// A queue for so many answers, worked off by so many at once.
    pub(super) fn start(waiting: usize, observers: usize) -> Self {
        let (sender, receiver) = mpsc::channel::<Observation>(waiting);
        let receiver = Arc::new(Mutex::new(receiver));
        let bytes = Arc::<AtomicUsize>::default();
        let work = |_| {
            let (receiver, bytes) = (Arc::clone(&receiver), Arc::clone(&bytes));
            // Followed by `close`.
            tokio::spawn(async move {
                loop {
                    let mut queue = receiver.lock().await;
                    let Some(observation) = queue.recv().await else {
                        break;
                    };
                    let reporter = &observation.call.gateway.reporter;
                    reporter.observations_waiting(queue.len());
                    drop(queue);
                    let size = observation.size();
                    observation.criticise().await;
                    bytes.fetch_sub(size, Ordering::Relaxed);
                }
            })
        };
        Self {
            sender: std::sync::Mutex::new(Some(sender)),
            dropped: AtomicU64::new(0),
            observers: std::sync::Mutex::new((0..observers).map(work).collect()),
            bytes,
        }
    }

    /// Has an answer criticised, some time.
    ///
    /// # Errors
    ///
    /// Gives it back when too many wait.
    pub(super) fn offer(&self, observation: Observation) -> Result<(), Box<Observation>> {
        let size = observation.size();
        let reporter = Arc::clone(&observation.call.gateway.reporter);
        let sender = self.sender.lock().ok().and_then(|sender| sender.clone());
        let waiting = self.bytes.fetch_add(size, Ordering::Relaxed);
        let refused = match sender {
            Some(queue) if waiting + size <= MOST_BYTES => match queue.try_send(observation) {
                Ok(()) => {
                    reporter.observations_waiting(queue.max_capacity() - queue.capacity());
                    return Ok(());
                }
                Err(error) => error.into_inner(),
            },
            _ => observation,
        };
        self.bytes.fetch_sub(size, Ordering::Relaxed);
        let dropped = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
        // Every one is counted; the log tells of the first, and of ever more.
        if dropped.is_power_of_two() || dropped.is_multiple_of(1000) {
            tracing::warn!(
                model = refused.call.served.name,
                dropped,
                "an observed answer is not criticised: too many wait"
            );
        }
        Err(Box::new(refused))
    }

    /// Takes no more, and waits until those that wait are criticised.
    pub(super) async fn close(&self) {
        if let Ok(mut sender) = self.sender.lock() {
            sender.take();
        }
        let observers = self
            .observers
            .lock()
            .map(|mut observers| std::mem::take(&mut *observers));
        for observer in observers.unwrap_or_default() {
            let _ = observer.await;
        }
    }

    /// Ends those who work, whatever still waits.
    pub(super) fn abort(&self) {
        for observer in self
            .observers
            .lock()
            .iter()
            .flat_map(|observers| observers.iter())
        {
            observer.abort();
        }
    }
}

impl Observation {
    fn size(&self) -> usize {
        let said = self.call.requested.conversation.messages().iter();
        let said: usize = said.map(|message| message.content.len()).sum();
        said + self.parts.iter().map(|part| part.text.len()).sum::<usize>()
    }

    async fn criticise(self) {
        let Self { call, parts } = self;
        let Some(panel) = &call.served.panel else {
            return;
        };
        let judged = judge(call.case(), panel, parts).await;
        let tally = Tally::of(&judged);
        call.gateway
            .reporter
            .observed(&call.facts(200, &tally, None));
        let unsealed = judged.into_iter().map(|one| one.unsealed).collect();
        // A failure is logged where it happens.
        let _ = call.gateway.keep(&call.served, || unsealed).await;
    }
}
