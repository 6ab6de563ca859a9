//! Tests of budgets, through the wrapper.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use tokio::time::{sleep, timeout};

use super::amount::Amount;
use super::budgeted::{BYTES_PER_TOKEN, LONG_REPLY, length};
use super::*;
use crate::message::Message;
use crate::model::first_call::Access;
use crate::model::scripted::Scripted;
use crate::model::stack::{StackOptions, wrap};
use crate::model::traffic::Traffic;
use crate::model::{
    ChatModel, ChatRequest, Completion, MemoryJournal, ModelError, Price, Reach, Sampling,
    TimeLimit, TokenUsage,
};

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
