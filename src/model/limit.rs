//! How many calls of one model run at once.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Semaphore;

use super::traffic::{EndpointStatus, Lane, Traffic};
use super::{ChatModel, ChatRequest, Completion, Concurrency, ModelError};

/// A [`ChatModel`] of which a fixed number of calls run at once; the others wait their turn.
///
/// A place is taken for the whole call, the reply's body included, and given back before any
/// waiting between repetitions, because [`Retry`](super::retry::Retry) wraps this.
#[derive(Debug)]
pub struct Limit {
    model: Arc<dyn ChatModel>,
    size: usize,
    places: Semaphore,
    traffic: Arc<Traffic>,
}

impl Limit {
    /// Wraps `model`; a fixed concurrency of 0 counts as 1.
    pub fn new(model: Arc<dyn ChatModel>, concurrency: Concurrency, traffic: Arc<Traffic>) -> Self {
        let size = match concurrency {
            Concurrency::Auto => 16,
            Concurrency::Fixed(size) => size.clamp(1, Semaphore::MAX_PERMITS),
        };
        Self {
            model,
            size,
            places: Semaphore::new(size),
            traffic,
        }
    }
}

impl Lane for Limit {
    fn endpoints(&self) -> Vec<EndpointStatus> {
        Vec::new()
    }

    fn limit(&self) -> usize {
        self.size
    }

    fn set_concurrency(&self, _: Concurrency) {}

    fn look_again(&self) {}
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ChatModel for Limit {
    fn name(&self) -> &str {
        self.model.name()
    }

    async fn complete(&self, request: &ChatRequest) -> Result<Completion, ModelError> {
        let _place = self
            .places
            .acquire()
            .await
            .expect("the semaphore is never closed");
        self.traffic.resumed().await;
        let _in_flight = self.traffic.begin();
        self.model.complete(request).await
    }

    fn read(&self, raw: &[u8]) -> Result<Completion, ModelError> {
        self.model.read(raw)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use futures::future::join_all;

    use super::*;
    use crate::message::Message;

    /// Takes a second for a call, and remembers how many ran at once.
    #[derive(Debug, Default)]
    struct Slow {
        running: AtomicU64,
        most: AtomicU64,
    }

    #[async_trait]
    impl ChatModel for Slow {
        fn name(&self) -> &'static str {
            "slow"
        }

        async fn complete(&self, _: &ChatRequest) -> Result<Completion, ModelError> {
            let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(running, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_secs(1)).await;
            self.running.fetch_sub(1, Ordering::SeqCst);
            Ok(Completion::from_text("done"))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_calls_than_places_run_at_once_and_all_places_are_used() {
        let slow = Arc::new(Slow::default());
        let traffic = Arc::new(Traffic::default());
        let limit = Limit::new(slow.clone(), Concurrency::Fixed(3), traffic.clone());
        let request = ChatRequest::new(vec![Message::user("Hi")]);
        let started = tokio::time::Instant::now();
        let replies = join_all((0..9).map(|_| limit.complete(&request))).await;
        assert!(replies.iter().all(Result::is_ok));
        assert_eq!(slow.most.load(Ordering::SeqCst), 3);
        assert_eq!(started.elapsed().as_secs(), 3);
        assert_eq!((traffic.counts().asked, traffic.counts().in_flight), (9, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_call_gives_its_place_back() {
        let traffic = Arc::new(Traffic::default());
        let limit = Limit::new(
            Arc::new(Slow::default()),
            Concurrency::Fixed(1),
            traffic.clone(),
        );
        let request = ChatRequest::new(vec![Message::user("Hi")]);
        let dropped =
            tokio::time::timeout(Duration::from_millis(10), limit.complete(&request)).await;
        assert!(dropped.is_err());
        assert_eq!(traffic.counts().in_flight, 0);
        assert!(limit.complete(&request).await.is_ok());
    }
}
