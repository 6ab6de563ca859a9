//! What the calls of a run may spend, and what they have spent: no call begins whose worst case
//! does not fit.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::traffic::Traffic;
use super::{ChatModel, ChatRequest, Completion, ModelError, Price, TokenUsage};

/// Text of a request has about one token for so many bytes, and seldom more.
const BYTES_PER_TOKEN: u64 = 3;

/// A reply without a token limit is taken to be this long at worst, until a longer one was seen.
const LONG_REPLY: u64 = 4096;

/// Costs are counted in billionths.
const BILLION: f64 = 1e9;

/// How much may be spent; what is absent is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BudgetLimits {
    /// In the currency of the prices.
    pub cost: Option<f64>,
    /// Tokens of prompts and replies together.
    pub tokens: Option<u64>,
}

impl BudgetLimits {
    fn is_none(&self) -> bool {
        self.cost.is_none() && self.tokens.is_none()
    }
}

/// What was spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spent {
    /// Tokens of prompts, those from a prefix cache included.
    pub input: u64,
    /// Those of them that came from a prefix cache.
    pub cached: u64,
    /// Tokens of replies.
    pub output: u64,
    /// What they cost, where the model has a price.
    pub cost: f64,
    /// Requests that may have cost something that is not in `cost`: the model has no price, the
    /// server did not say how many tokens it took, or the reply was lost on its way, even where
    /// another request brought one.
    pub unpriced_calls: u64,
}

impl Spent {
    /// Tokens of prompts and replies together.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.input.saturating_add(self.output)
    }

    fn and(self, other: &Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            cached: self.cached.saturating_add(other.cached),
            output: self.output.saturating_add(other.output),
            cost: self.cost + other.cost,
            unpriced_calls: self.unpriced_calls.saturating_add(other.unpriced_calls),
        }
    }
}

/// What all calls that share a [`Traffic`] may spend, and have spent.
///
/// While there is no limit, a call costs it a few additions. With one, every call first reserves
/// the most that it may spend; what it really spent replaces that afterwards.
#[derive(Debug, Default)]
pub struct Budget {
    input: AtomicU64,
    cached: AtomicU64,
    output: AtomicU64,
    billionths: AtomicU64,
    unpriced_calls: AtomicU64,
    is_limited: AtomicBool,
    has_price: AtomicBool,
    ledger: Mutex<Ledger>,
    given_back: Notify,
}

#[derive(Debug, Default)]
struct Ledger {
    limits: BudgetLimits,
    /// What earlier processes of the run spent.
    earlier: Spent,
    /// What calls took that did not say how many tokens it was; a guess, and counted against the
    /// limits alone.
    guessed: Amount,
    reserved: Amount,
    reservations: usize,
}

/// Tokens and their cost in billionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Amount {
    tokens: u64,
    billionths: u64,
}

impl Amount {
    fn of(usage: TokenUsage, price: Option<&Price>) -> Self {
        Self {
            tokens: usage.input.saturating_add(usage.output),
            billionths: billionths(usage, price),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_add(other.tokens),
            billionths: self.billionths.saturating_add(other.billionths),
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_sub(other.tokens),
            billionths: self.billionths.saturating_sub(other.billionths),
        }
    }
}

fn billionths(usage: TokenUsage, price: Option<&Price>) -> u64 {
    price.map_or(0, |price| in_billionths(price.of(usage)))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the conversion stops at the bounds, and no cost is negative"
)]
fn in_billionths(cost: f64) -> u64 {
    (cost * BILLION).round() as u64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "costs are far below 2^52 billionths"
)]
fn in_whole(billionths: u64) -> f64 {
    billionths as f64 / BILLION
}

impl Budget {
    /// Sets the limits, from the next call on; calls that wait for room look again.
    pub fn set_limits(&self, limits: BudgetLimits) {
        self.ledger().limits = limits;
        self.is_limited.store(!limits.is_none(), Ordering::Relaxed);
        self.given_back.notify_waiters();
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> BudgetLimits {
        self.ledger().limits
    }

    /// Whether any model whose calls count here has a price; without one, nothing costs money.
    #[must_use]
    pub fn has_price(&self) -> bool {
        self.has_price.load(Ordering::Relaxed)
    }

    pub(crate) fn tell_of_price(&self) {
        self.has_price.store(true, Ordering::Relaxed);
    }

    /// What was spent, by earlier processes of the run, too.
    #[must_use]
    pub fn spent(&self) -> Spent {
        let earlier = self.ledger().earlier;
        self.spent_here().and(&earlier)
    }

    /// What was spent by this process.
    #[must_use]
    pub fn spent_here(&self) -> Spent {
        Spent {
            input: self.input.load(Ordering::Relaxed),
            cached: self.cached.load(Ordering::Relaxed),
            output: self.output.load(Ordering::Relaxed),
            cost: in_whole(self.billionths.load(Ordering::Relaxed)),
            unpriced_calls: self.unpriced_calls.load(Ordering::Relaxed),
        }
    }

    /// Adds what earlier processes of the run spent; it counts against the limits.
    pub fn add_earlier(&self, spent: Spent) {
        let mut ledger = self.ledger();
        ledger.earlier = ledger.earlier.and(&spent);
    }

    fn is_limited(&self) -> bool {
        self.is_limited.load(Ordering::Relaxed)
    }

    fn spend(&self, usage: TokenUsage, price: Option<&Price>) {
        self.input.fetch_add(usage.input, Ordering::Relaxed);
        self.cached.fetch_add(usage.cached, Ordering::Relaxed);
        self.output.fetch_add(usage.output, Ordering::Relaxed);
        match price {
            Some(_) => {
                let cost = billionths(usage, price);
                self.billionths.fetch_add(cost, Ordering::Relaxed);
            }
            None => self.count_unpriced(),
        }
    }

    /// Counts a request that may have cost something that nobody knows.
    pub(super) fn count_unpriced(&self) {
        self.unpriced_calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Reserves `amount`, once it fits beside what others have reserved.
    async fn reserve(&self, amount: Amount) -> Result<Reservation<'_>, ModelError> {
        loop {
            // Made before looking, so that what is given back in between is not missed.
            let given_back = self.given_back.notified();
            {
                let mut ledger = self.ledger();
                let Some(what) = self.lacks(&ledger, amount) else {
                    ledger.reserved = ledger.reserved.plus(amount);
                    ledger.reservations += 1;
                    return Ok(Reservation {
                        budget: self,
                        amount,
                    });
                };
                if ledger.reservations == 0 {
                    return Err(ModelError::BudgetReached { what });
                }
            }
            given_back.await;
        }
    }

    /// Which limit leaves no room for `amount`, in words.
    fn lacks(&self, ledger: &Ledger, amount: Amount) -> Option<String> {
        let spent = self.spent_here().and(&ledger.earlier);
        let taken = ledger.reserved.plus(ledger.guessed);
        let BudgetLimits { cost, tokens } = ledger.limits;
        if let Some(limit) = tokens {
            let wanted = taken.tokens.saturating_add(amount.tokens);
            if spent.tokens().saturating_add(wanted) > limit {
                return Some(format!(
                    "{} of {limit} tokens are spent, and the next call may take {}",
                    spent.tokens().saturating_add(ledger.guessed.tokens),
                    amount.tokens
                ));
            }
        }
        let limit = cost?;
        let wanted = taken.billionths.saturating_add(amount.billionths);
        let spent = in_billionths(spent.cost);
        if spent.saturating_add(wanted) <= in_billionths(limit) {
            return None;
        }
        Some(format!(
            "{:.4} of {limit} is spent, and the next call may cost {:.4}",
            in_whole(spent.saturating_add(ledger.guessed.billionths)),
            in_whole(amount.billionths)
        ))
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An amount that is set aside for a call until the call has ended, however it ends.
#[derive(Debug)]
struct Reservation<'a> {
    budget: &'a Budget,
    amount: Amount,
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        let mut ledger = self.budget.ledger();
        ledger.reserved = ledger.reserved.minus(self.amount);
        ledger.reservations -= 1;
        drop(ledger);
        self.budget.given_back.notify_waiters();
    }
}

/// A [`ChatModel`] whose calls count in the [`Budget`] of their [`Traffic`], and fail with
/// [`ModelError::BudgetReached`] before they begin when the budget might not last.
///
/// While calls in flight may give back what they do not need, a call that does not fit waits.
/// It stands inside [`Journalled`](super::journal::Journalled), so that replies which are known
/// cost nothing, and around [`Retry`](super::retry::Retry): a call is one call, however often it is
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
fn length(request: &ChatRequest) -> u64 {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::future::join_all;
    use tokio::time::{sleep, timeout};

    use super::*;
    use crate::message::Message;
    use crate::model::first_call::Access;
    use crate::model::scripted::Scripted;
    use crate::model::stack::{StackOptions, wrap};
    use crate::model::{MemoryJournal, Reach, Sampling, TimeLimit};

    const PRICE: Price = Price {
        input: 1.0,
        output: 10.0,
        cached: Some(0.5),
    };

    fn usage(input: u64, output: u64) -> TokenUsage {
        TokenUsage {
            input,
            cached: 0,
            output,
        }
    }

    fn reply(usage: Option<TokenUsage>) -> Completion {
        Completion {
            usage,
            ..Completion::from_text("done")
        }
    }

    fn lost(which: TimeLimit) -> ModelError {
        ModelError::Timeout {
            endpoint: "http://host/v1".to_owned(),
            which,
            limit: Duration::from_secs(1),
        }
    }

    /// A request whose reply has at most so many tokens.
    fn request(max_tokens: Option<u32>) -> ChatRequest {
        ChatRequest {
            sampling: Sampling {
                max_tokens,
                ..Sampling::default()
            },
            ..ChatRequest::new(vec![Message::user("Hi")])
        }
    }

    /// The tokens that such a request's prompt is taken to have at worst.
    fn prompt(max_tokens: Option<u32>) -> u64 {
        length(&request(max_tokens)).div_ceil(BYTES_PER_TOKEN)
    }

    fn tokens(limit: u64) -> BudgetLimits {
        BudgetLimits {
            cost: None,
            tokens: Some(limit),
        }
    }

    fn scripted(
        outcomes: impl IntoIterator<Item = Result<Completion, ModelError>>,
        price: Option<Price>,
    ) -> (Budgeted, Arc<Scripted>, Arc<Traffic>) {
        let model = Arc::new(Scripted::new(outcomes));
        let traffic = Traffic::new();
        let budgeted = Budgeted::new(model.clone(), price, traffic.clone());
        (budgeted, model, traffic)
    }

    /// Takes a second for a call, and 10 tokens of each kind.
    #[derive(Debug, Default)]
    struct Slow(AtomicU64);

    #[async_trait]
    impl ChatModel for Slow {
        fn name(&self) -> &'static str {
            "slow"
        }

        async fn complete(&self, _: &ChatRequest) -> Result<Completion, ModelError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            sleep(Duration::from_secs(1)).await;
            Ok(reply(Some(usage(10, 10))))
        }
    }

    #[tokio::test]
    async fn what_calls_spend_is_counted_with_its_price() {
        let cached = TokenUsage {
            input: 1000,
            cached: 400,
            output: 100,
        };
        let (model, _, traffic) = scripted([Ok(reply(Some(cached))), Ok(reply(None))], Some(PRICE));
        for _ in 0..2 {
            model.complete(&request(None)).await.expect("a reply");
        }
        let spent = traffic.budget().spent();
        assert_eq!((spent.input, spent.cached, spent.output), (1000, 400, 100));
        assert!((spent.cost - 0.0018).abs() < 1e-9, "{spent:?}");
        assert_eq!(spent.unpriced_calls, 1, "the reply without usage");
        let counts = traffic.counts();
        assert_eq!(
            (counts.input, counts.cached, counts.output),
            (1000, 400, 100)
        );
        assert!((counts.cost - spent.cost).abs() < 1e-12);
    }

    #[tokio::test]
    async fn only_what_may_have_cost_counts_as_unpriced() {
        let refused = Err(ModelError::Status {
            endpoint: String::new(),
            status: 400,
            message: "no".to_owned(),
            retry_after: None,
        });
        let outcomes = [
            refused,
            Err(lost(TimeLimit::Connect)),
            Err(lost(TimeLimit::Total)),
        ];
        let (model, _, traffic) = scripted(outcomes, Some(PRICE));
        for unpriced in [0, 0, 1] {
            assert!(model.complete(&request(None)).await.is_err());
            assert_eq!(traffic.budget().spent().unpriced_calls, unpriced);
        }
    }

    #[tokio::test]
    async fn a_call_that_might_spend_too_much_is_not_made() {
        let (model, asked, traffic) = scripted([Ok(reply(Some(usage(5, 50))))], None);
        let limit = prompt(Some(50)) + 50;
        traffic.budget().set_limits(tokens(limit - 1));
        let error = model
            .complete(&request(Some(50)))
            .await
            .expect_err("too much");
        assert!(matches!(error, ModelError::BudgetReached { .. }), "{error}");
        assert_eq!(error.reach(), Reach::Run);
        assert!(
            error.to_string().contains(&format!("0 of {}", limit - 1)),
            "{error}"
        );
        assert!(asked.requests().is_empty());
        traffic.budget().set_limits(tokens(limit));
        assert!(model.complete(&request(Some(50))).await.is_ok());
        assert_eq!(traffic.budget().spent().tokens(), 55);
    }

    #[tokio::test]
    async fn money_is_a_limit_too_and_earlier_processes_count() {
        let outcomes = [
            Ok(reply(Some(usage(1000, 100)))),
            Ok(reply(Some(usage(1000, 100)))),
        ];
        let (model, asked, traffic) = scripted(outcomes, Some(PRICE));
        let budget = traffic.budget();
        budget.set_limits(BudgetLimits {
            cost: Some(1.0),
            tokens: None,
        });
        budget.add_earlier(Spent {
            cost: 0.997,
            ..Spent::default()
        });
        model.complete(&request(Some(100))).await.expect("a reply");
        assert!((budget.spent().cost - 0.999).abs() < 1e-9);
        assert!(
            (traffic.counts().cost - 0.002).abs() < 1e-9,
            "this process alone"
        );
        let error = model
            .complete(&request(Some(100)))
            .await
            .expect_err("too dear");
        assert!(
            error.to_string().contains("0.9990 of 1 is spent"),
            "{error}"
        );
        assert_eq!(asked.requests().len(), 1);
    }

    #[tokio::test]
    async fn a_failed_call_gives_back_what_it_reserved() {
        let outcomes = [Err(lost(TimeLimit::Idle)), Ok(reply(Some(usage(1, 1))))];
        let (model, _, traffic) = scripted(outcomes, None);
        traffic.budget().set_limits(tokens(prompt(Some(50)) + 50));
        assert!(model.complete(&request(Some(50))).await.is_err());
        assert_eq!(traffic.budget().ledger().reserved, Amount::default());
        assert!(model.complete(&request(Some(50))).await.is_ok());
    }

    #[tokio::test]
    async fn without_a_token_limit_a_reply_may_be_as_long_as_any_before() {
        let outcomes = [
            Ok(reply(Some(usage(1, 9000)))),
            Ok(reply(Some(usage(1, 1)))),
        ];
        let (model, _, traffic) = scripted(outcomes, None);
        let worst = prompt(None) + LONG_REPLY;
        traffic.budget().set_limits(tokens(worst - 1));
        assert!(model.complete(&request(None)).await.is_err());
        traffic.budget().set_limits(tokens(worst));
        assert!(model.complete(&request(None)).await.is_ok());
        traffic
            .budget()
            .set_limits(tokens(9001 + prompt(None) + 8999));
        assert!(model.complete(&request(None)).await.is_err());
        traffic
            .budget()
            .set_limits(tokens(9001 + prompt(None) + 9000));
        assert!(model.complete(&request(None)).await.is_ok());
    }

    #[tokio::test]
    async fn a_server_that_counts_no_tokens_does_not_escape_the_limit() {
        let outcomes = (0..1000).map(|_| Ok(reply(None)));
        let (model, asked, traffic) = scripted(outcomes, None);
        traffic.budget().set_limits(tokens(2000));
        while model.complete(&request(Some(10))).await.is_ok() {}
        let made = asked.requests().len() as u64;
        assert!((10..1000).contains(&made), "{made}");
        let spent = traffic.budget().spent();
        assert_eq!((spent.tokens(), spent.unpriced_calls), (0, made));
    }

    #[tokio::test]
    async fn what_the_journal_knows_is_free_even_when_the_budget_is_reached() {
        let scripted = Scripted::new([Ok(reply(Some(usage(7, 3))))]);
        let options = StackOptions {
            journal: Some(Arc::new(MemoryJournal::new())),
            price: Some(PRICE),
            ..StackOptions::default()
        };
        let traffic = options.traffic.clone();
        let model = wrap(Arc::new(scripted), Access::default(), options);
        assert!(model.complete(&request(None)).await.is_ok());
        traffic.budget().set_limits(tokens(10));
        let known = model.complete(&request(None)).await.expect("a known reply");
        assert!(known.journalled);
        assert_eq!(traffic.budget().spent().tokens(), 10);
        assert!(model.complete(&request(Some(1))).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn calls_wait_for_what_others_may_give_back_and_never_pass_the_limit() {
        let slow = Arc::new(Slow::default());
        let traffic = Traffic::new();
        let model = Budgeted::new(slow.clone(), None, traffic.clone());
        let worst = prompt(Some(10)) + 10;
        // Two at once, as long as their worst cases fit beside what was spent.
        let limit = 2 * worst + 5 * 20;
        traffic.budget().set_limits(tokens(limit));
        let request = request(Some(10));
        let outcomes = join_all((0..40).map(|_| model.complete(&request))).await;
        let made = slow.0.load(Ordering::SeqCst);
        assert_eq!(
            outcomes.iter().filter(|outcome| outcome.is_ok()).count() as u64,
            made
        );
        let spent = traffic.budget().spent().tokens();
        assert_eq!(spent, made * 20);
        assert!(spent <= limit, "{spent} of {limit}");
        assert!(
            spent + worst > limit,
            "{spent} of {limit} leaves room for one more"
        );
        for outcome in outcomes.iter().filter(|outcome| outcome.is_err()) {
            assert!(matches!(outcome, Err(ModelError::BudgetReached { .. })));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_higher_limit_lets_waiting_calls_go_and_a_dropped_call_gives_back() {
        let traffic = Traffic::new();
        let model = Budgeted::new(Arc::new(Slow::default()), None, traffic.clone());
        let worst = prompt(Some(10)) + 10;
        traffic.budget().set_limits(tokens(worst));
        let request = request(Some(10));
        let began = tokio::time::Instant::now();
        let raise = async {
            sleep(Duration::from_millis(100)).await;
            traffic.budget().set_limits(BudgetLimits::default());
        };
        let both = async { tokio::join!(model.complete(&request), model.complete(&request)) };
        let ((first, second), ()) = tokio::join!(both, raise);
        assert!(first.is_ok() && second.is_ok());
        assert_eq!(began.elapsed(), Duration::from_millis(1100));

        traffic.budget().set_limits(tokens(40 + worst));
        let short = Duration::from_millis(10);
        assert!(timeout(short, model.complete(&request)).await.is_err());
        assert_eq!(traffic.budget().ledger().reservations, 0);
        assert!(model.complete(&request).await.is_ok());
        assert_eq!(
            traffic.budget().spent().unpriced_calls,
            3,
            "those that were answered, without a price"
        );
    }
}
