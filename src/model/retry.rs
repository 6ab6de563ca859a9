//! Trying again what may pass: whether, after how long, and the loop that does it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::Instant;

use super::dispatch::is_refusal;
use super::traffic::Traffic;
use super::{ChatModel, ChatRequest, Completion, ModelError, Retry as Decision};

/// How often a call is tried, and how long is waited in between.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    /// How often a call is tried in all, the first time included. That a server put it off, with
    /// 429 or 503, does not count.
    pub attempts: usize,
    /// The wait before the second attempt.
    pub first_delay: Duration,
    /// By how much each wait is longer than the one before.
    pub factor: f32,
    /// The longest wait. A random share is added to every wait, at most as much again, so that
    /// calls which failed together do not come back together.
    pub max_delay: Duration,
    /// A server that asks to wait longer than this is not waited for.
    pub max_retry_after: Duration,
    /// How long a call is tried that servers only put off.
    pub patience: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 6,
            first_delay: Duration::from_millis(500),
            factor: 2.0,
            max_delay: Duration::from_secs(30),
            max_retry_after: Duration::from_secs(300),
            patience: Duration::from_secs(3600),
        }
    }
}

impl RetryPolicy {
    /// The waits between so many attempts of one call.
    fn delays(&self, attempts: usize) -> impl Iterator<Item = Duration> + Send + use<> {
        ExponentialBuilder::new()
            .with_min_delay(self.first_delay)
            .with_max_delay(self.max_delay)
            .with_factor(self.factor)
            .with_max_times(attempts.saturating_sub(1))
            .with_jitter()
            .build()
    }

    /// How long to wait before trying again after `error`; nothing when that is of no use.
    fn wait(
        &self,
        error: &ModelError,
        delays: &mut impl Iterator<Item = Duration>,
    ) -> Option<Duration> {
        match error.retry() {
            Decision::Never => None,
            Decision::Backoff => delays.next(),
            Decision::After(wait) if wait > self.max_retry_after => None,
            Decision::After(wait) => delays.next().map(|delay| delay.max(wait)),
        }
    }
}

/// A [`ChatModel`] whose failed calls are tried again where [`ModelError::retry`] says that this
/// may help.
#[derive(Debug)]
pub struct Retry {
    model: Arc<dyn ChatModel>,
    policy: RetryPolicy,
    traffic: Arc<Traffic>,
}

impl Retry {
    /// Wraps `model`.
    pub fn new(model: Arc<dyn ChatModel>, policy: RetryPolicy, traffic: Arc<Traffic>) -> Self {
        Self {
            model,
            policy,
            traffic,
        }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ChatModel for Retry {
    fn name(&self) -> &str {
        self.model.name()
    }

    async fn complete(&self, request: &ChatRequest) -> Result<Completion, ModelError> {
        let began = Instant::now();
        let mut failures = self.policy.delays(self.policy.attempts);
        let mut refusals = self.policy.delays(usize::MAX);
        loop {
            let error = match self.model.complete(request).await {
                Ok(completion) => return Ok(completion),
                Err(error) => error,
            };
            let wait = if is_refusal(&error) {
                self.traffic.count_throttled();
                let is_patient = began.elapsed() < self.policy.patience;
                self.policy
                    .wait(&error, &mut refusals)
                    .filter(|_| is_patient)
            } else {
                self.policy.wait(&error, &mut failures)
            };
            let Some(wait) = wait else {
                self.traffic.count_failure();
                return Err(error);
            };
            tracing::debug!(
                model = self.name(),
                wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                %error,
                "a call failed and is tried again"
            );
            if error.may_have_cost() {
                self.traffic.budget().count_unpriced();
            }
            tokio::time::sleep(wait).await;
            self.traffic.count_retry();
        }
    }

    fn read(&self, raw: &[u8]) -> Result<Completion, ModelError> {
        self.model.read(raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;
    use crate::model::scripted::Scripted;

    fn status(status: u16, retry_after: Option<Duration>) -> ModelError {
        ModelError::Status {
            endpoint: "http://host/v1".to_owned(),
            status,
            message: "no".to_owned(),
            retry_after,
        }
    }

    fn broken() -> ModelError {
        ModelError::Connection {
            endpoint: "http://host/v1".to_owned(),
            source: "reset".into(),
        }
    }

    /// The outcome of a call to a model with this script, how long it took, how often it asked.
    async fn run(
        outcomes: Vec<Result<Completion, ModelError>>,
    ) -> (Result<Completion, ModelError>, Duration, u64) {
        let scripted = Arc::new(Scripted::new(outcomes));
        let traffic = Arc::new(Traffic::default());
        let retry = Retry::new(scripted.clone(), RetryPolicy::default(), traffic.clone());
        let started = Instant::now();
        let outcome = retry
            .complete(&ChatRequest::new(vec![Message::user("Hi")]))
            .await;
        let asked = scripted.requests().len() as u64;
        assert_eq!(traffic.counts().retries, asked - 1);
        assert_eq!(traffic.counts().failed, u64::from(outcome.is_err()));
        (outcome, started.elapsed(), asked)
    }

    fn passes_after(error: ModelError) -> Vec<Result<Completion, ModelError>> {
        vec![Err(error), Ok(Completion::from_text("done"))]
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_pass_is_tried_again() {
        let garbled = ModelError::Garbled {
            what: "half".to_owned(),
        };
        let slow = ModelError::Timeout {
            endpoint: "http://host/v1".to_owned(),
            which: crate::model::TimeLimit::Total,
            limit: Duration::from_secs(1),
        };
        let statuses = [408, 409, 429, 500, 502, 503, 504, 529].map(|code| status(code, None));
        for error in statuses.into_iter().chain([broken(), garbled, slow]) {
            let name = error.to_string();
            let (outcome, took, asked) = run(passes_after(error)).await;
            assert!(outcome.is_ok() && asked == 2, "{name}");
            assert!(
                took >= Duration::from_millis(500) && took <= Duration::from_secs(1),
                "{name}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_reply_that_was_lost_may_have_cost_although_another_came() {
        let lost_and_not = [Err(broken()), Err(status(500, None))];
        let outcomes = lost_and_not
            .into_iter()
            .chain([Ok(Completion::from_text("done"))]);
        let traffic = Arc::new(Traffic::default());
        let scripted = Arc::new(Scripted::new(outcomes));
        let retry = Retry::new(scripted, RetryPolicy::default(), traffic.clone());
        let request = ChatRequest::new(vec![Message::user("Hi")]);
        assert!(retry.complete(&request).await.is_ok());
        assert_eq!(traffic.budget().spent().unpriced_calls, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_would_fail_again_is_not_tried_again() {
        let full = ModelError::ContextLength {
            message: "long".to_owned(),
        };
        let statuses = [301, 400, 401, 403, 404, 422].map(|code| status(code, None));
        for error in statuses.into_iter().chain([full]) {
            let name = error.to_string();
            let (outcome, took, asked) = run(passes_after(error)).await;
            assert!(outcome.is_err() && asked == 1 && took.is_zero(), "{name}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waits_grow_and_the_last_error_is_the_outcome() {
        let errors = (0..10).map(|n| Err(status(504 + n, None))).collect();
        let (outcome, took, asked) = run(errors).await;
        assert_eq!(asked, 6);
        assert!(matches!(
            outcome,
            Err(ModelError::Status { status: 509, .. })
        ));
        // 0.5 + 1 + 2 + 4 + 8 seconds, each at most doubled by chance.
        assert!(took >= Duration::from_millis(15_500), "{took:?}");
        assert!(took <= Duration::from_secs(31), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_how_long_is_waited_for_that_long() {
        let wait = Duration::from_secs(7);
        let (outcome, took, _) = run(passes_after(status(429, Some(wait)))).await;
        assert!(outcome.is_ok());
        assert!(
            took >= wait && took < wait + Duration::from_millis(10),
            "{took:?}"
        );
        let (_, took, _) = run(passes_after(status(503, Some(Duration::ZERO)))).await;
        assert!(took >= Duration::from_millis(500), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_asks_for_hours_is_not_waited_for() {
        let (outcome, took, asked) =
            run(passes_after(status(429, Some(Duration::from_secs(3600))))).await;
        assert!(outcome.is_err() && asked == 1 && took.is_zero());
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_server_is_waited_for_much_longer_than_six_attempts() {
        let busy = || Err(status(429, Some(Duration::from_secs(20))));
        let mut outcomes: Vec<_> = (0..60).map(|_| busy()).collect();
        outcomes.push(Ok(Completion::from_text("done")));
        let (outcome, took, asked) = run(outcomes).await;
        assert!(outcome.is_ok() && asked == 61);
        assert!(took < Duration::from_secs(3600), "{took:?}");
        let (outcome, took, _) = run((0..400).map(|_| busy()).collect()).await;
        assert!(outcome.is_err());
        assert!(took >= Duration::from_secs(3600), "{took:?}");
        assert!(took < Duration::from_secs(3700), "{took:?}");
    }
}
