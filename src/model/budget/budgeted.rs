//! The wrapper that counts calls in a budget, and holds them to it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;

use super::amount::Amount;
use crate::model::traffic::Traffic;
use crate::model::{ChatModel, ChatRequest, Completion, ModelError, Price, TokenUsage};

/// Text of a request has about one token for so many bytes, and seldom more.
pub(super) const BYTES_PER_TOKEN: u64 = 3;

/// A reply without a token limit is taken to be this long at worst, until a longer one was seen.
pub(super) const LONG_REPLY: u64 = 4096;

/// A [`ChatModel`] whose calls count in the [`Budget`](super::Budget) of their [`Traffic`], and fail with
/// [`ModelError::BudgetReached`] before they begin when the budget might not last.
///
/// While calls in flight may give back what they do not need, a call that does not fit waits.
/// It stands inside [`Journalled`](crate::model::journal::Journalled), so that replies which are known
/// cost nothing, and around [`Retry`](crate::model::retry::Retry): a call is one call, however often it is
/// repeated.
#[derive(Debug)]
pub struct Budgeted {
    model: Arc<dyn ChatModel>,
    price: Option<Price>,
    traffic: Arc<Traffic>,
    longest_reply: AtomicU64,
}

impl Budgeted {
    /// Wraps `model`, whose tokens cost `price`.
    pub fn new(model: Arc<dyn ChatModel>, price: Option<Price>, traffic: Arc<Traffic>) -> Self {
        if price.is_some() {
            traffic.budget().tell_of_price();
        }
        Self {
            model,
            price,
            traffic,
            longest_reply: AtomicU64::new(LONG_REPLY),
        }
    }

    /// The most that this request may take: its bytes as tokens, and the longest reply.
    fn at_worst(&self, request: &ChatRequest) -> TokenUsage {
        let limit = request.sampling.max_tokens.map(u64::from);
        TokenUsage {
            input: length(request).div_ceil(BYTES_PER_TOKEN),
            cached: 0,
            output: limit.unwrap_or_else(|| self.longest_reply.load(Ordering::Relaxed)),
        }
    }

    fn settle(&self, request: &ChatRequest, completion: &Completion) {
        let budget = self.traffic.budget();
        if let Some(usage) = completion.usage {
            budget.spend(usage, self.price.as_ref());
            self.longest_reply
                .fetch_max(usage.output, Ordering::Relaxed);
            return;
        }
        budget.count_unpriced();
        if budget.is_limited() {
            let guess = TokenUsage {
                output: (completion.to_raw().len() as u64).div_ceil(BYTES_PER_TOKEN),
                ..self.at_worst(request)
            };
            let mut ledger = budget.ledger();
            ledger.guessed = ledger.guessed.plus(Amount::of(guess, self.price.as_ref()));
        }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ChatModel for Budgeted {
    fn name(&self) -> &str {
        self.model.name()
    }

    async fn complete(&self, request: &ChatRequest) -> Result<Completion, ModelError> {
        let budget = self.traffic.budget();
        let _reservation = if budget.is_limited() {
            let worst = Amount::of(self.at_worst(request), self.price.as_ref());
            Some(budget.reserve(worst).await?)
        } else {
            None
        };
        let outcome = self.model.complete(request).await;
        match &outcome {
            Ok(completion) => self.settle(request, completion),
            Err(error) if error.may_have_cost() => budget.count_unpriced(),
            Err(_) => {}
        }
        outcome
    }

    fn read(&self, raw: &[u8]) -> Result<Completion, ModelError> {
        self.model.read(raw)
    }
}

/// The bytes of a request as JSON.
pub(super) fn length(request: &ChatRequest) -> u64 {
    struct Counter(u64);

    impl io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len() as u64;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut counter = Counter(0);
    serde_json::to_writer(&mut counter, request).expect("a request is plain data");
    counter.0
}
