//! An endpoint, measured step by step: twice as many calls at once, until that brings nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::choice::{best, mostly_failed, no_growth};
use super::counted::Counted;
use super::probe::{self, Prefix, StructuredReplies};
use crate::message::Message;
use crate::model::{ChatModel, ChatRequest, ModelError, Retry, Sampling};

/// A step takes at least so long, and at most so large a part of the time that there is.
const SHORTEST_STEP: Duration = Duration::from_secs(1);
const STEPS_IN_TIME: u32 = 10;
/// A step lasts as long as so many calls one after the other, if there is time.
const CALLS_IN_STEP: u32 = 3;
/// A wait that a server asks for is kept for so long and no longer.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// How an endpoint is measured.
#[derive(Clone, Debug)]
pub struct MeasureOptions {
    /// How long it may take, about.
    pub time: Duration,
    /// The most calls at once that are tried.
    pub most: usize,
    /// The most tokens of a reply.
    pub max_tokens: u32,
    /// A text that no earlier measurement had, so that no cache knows the prompts.
    pub nonce: String,
}

/// What an endpoint is good for.
#[derive(Clone, Debug, Serialize)]
pub struct EndpointReport {
    /// The model that was asked.
    pub model: String,
    /// The steps, from one call at once upwards.
    pub steps: Vec<Step>,
    /// The fewest calls at once that bring about as much as any number did.
    pub concurrency: usize,
    /// Whether the last step brought nothing more; if not, the best concurrency may be higher.
    pub settled: bool,
    /// Whether the beginning of a prompt is cached.
    pub prefix: Prefix,
    /// Whether replies can be held to a schema.
    pub structured: StructuredReplies,
    /// How often calls failed, by kind.
    pub errors: BTreeMap<String, u64>,
    /// Calls made altogether, those that tried the prefix cache and structured replies among them.
    pub calls: u64,
    /// Tokens altogether, as far as the server told them: of prompts, and of replies.
    pub tokens: (u64, u64),
}

/// So many calls at once, for a while.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// How many calls ran at once.
    pub concurrency: usize,
    /// Calls that were answered.
    pub answered: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Answers per second.
    pub per_second: f64,
    /// Tokens of answers per second, where the server tells them.
    pub tokens_per_second: Option<f64>,
    /// The median latency of an answer, in milliseconds.
    pub p50_ms: f64,
    /// The latency that 95 % of the answers stay below, in milliseconds.
    pub p95_ms: f64,
}

/// Measures the endpoint behind `model`. `on_step` is told of each step.
///
/// # Errors
///
/// When a call fails before any was answered, in a way that no repetition helps, or because nothing
/// listens there.
pub async fn measure_endpoint(
    model: Arc<dyn ChatModel>,
    options: &MeasureOptions,
    mut on_step: impl FnMut(&Step),
) -> Result<EndpointReport, ModelError> {
    let counted = Arc::new(Counted::new(model));
    let model: Arc<dyn ChatModel> = counted.clone();
    let began = Instant::now();
    let prefix = probe::prefix(model.as_ref(), options).await;
    let structured = probe::structured(Arc::clone(&model), options).await;
    let tally = Arc::new(Mutex::new(Tally::default()));
    let mut steps: Vec<Step> = Vec::new();
    let mut settled = false;
    let mut concurrency = 1;
    while concurrency <= options.most && !settled {
        let left = options.time.saturating_sub(began.elapsed());
        let wanted = step_time(steps.last(), options.time);
        if left < wanted / 2 && !steps.is_empty() {
            break;
        }
        let step = take_step(&model, options, concurrency, wanted.min(left), &tally).await?;
        on_step(&step);
        steps.push(step);
        settled = mostly_failed(&steps) || no_growth(&steps);
        concurrency *= 2;
    }
    let tally = std::mem::take(&mut *lock(&tally));
    Ok(EndpointReport {
        model: model.name().to_owned(),
        concurrency: best(&steps),
        steps,
        settled,
        prefix,
        structured,
        errors: tally.errors,
        calls: counted.calls(),
        tokens: counted.tokens(),
    })
}

/// How long the step after `last` takes.
fn step_time(last: Option<&Step>, time: Duration) -> Duration {
    let latency = last.map_or(0.0, |step| step.p50_ms / 1000.0);
    let longest = (time / STEPS_IN_TIME).max(SHORTEST_STEP);
    (Duration::from_secs_f64(latency) * CALLS_IN_STEP).clamp(SHORTEST_STEP, longest)
}

/// What all calls have shown so far.
#[derive(Debug, Default)]
struct Tally {
    answered: u64,
    /// Of replies.
    tokens: u64,
    tells_tokens: bool,
    errors: BTreeMap<String, u64>,
    /// Of the step under way, in seconds.
    latencies: Vec<f64>,
    failed: u64,
}

impl Tally {
    /// What the step that took so long showed.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    fn step(&mut self, concurrency: usize, tokens: u64, took: Duration) -> Step {
        let took = took.as_secs_f64().max(0.001);
        self.latencies.sort_by(f64::total_cmp);
        let answered = self.latencies.len() as u64;
        Step {
            concurrency,
            answered,
            failed: self.failed,
            per_second: answered as f64 / took,
            tokens_per_second: self.tells_tokens.then(|| tokens as f64 / took),
            p50_ms: percentile(&self.latencies, 50) * 1000.0,
            p95_ms: percentile(&self.latencies, 95) * 1000.0,
        }
    }
}

fn lock(tally: &Mutex<Tally>) -> std::sync::MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn take_step(
    model: &Arc<dyn ChatModel>,
    options: &MeasureOptions,
    concurrency: usize,
    time: Duration,
    tally: &Arc<Mutex<Tally>>,
) -> Result<Step, ModelError> {
    let tokens_before = {
        let mut tally = lock(tally);
        tally.latencies.clear();
        tally.failed = 0;
        tally.tokens
    };
    let began = Instant::now();
    let mut workers = JoinSet::new();
    for worker in 0..concurrency {
        let (model, tally) = (Arc::clone(model), Arc::clone(tally));
        let options = options.clone();
        workers.spawn(async move {
            let mut number = 0;
            while number == 0 || began.elapsed() < time {
                let tail = format!("{}-{concurrency}-{worker}-{number}", options.nonce);
                call(model.as_ref(), &options, &tail, &tally).await?;
                number += 1;
            }
            Ok::<(), ModelError>(())
        });
    }
    while let Some(ended) = workers.join_next().await {
        ended.map_err(|error| ModelError::Other(error.to_string()))??;
    }
    let mut tally = lock(tally);
    let tokens = tally.tokens - tokens_before;
    Ok(tally.step(concurrency, tokens, began.elapsed()))
}

/// One call; an error that no repetition helps is given back while nothing was ever answered.
async fn call(
    model: &dyn ChatModel,
    options: &MeasureOptions,
    tail: &str,
    tally: &Mutex<Tally>,
) -> Result<(), ModelError> {
    let request = ChatRequest {
        sampling: Sampling {
            max_tokens: Some(options.max_tokens),
            ..Sampling::default()
        },
        ..ChatRequest::new(prompt(&options.nonce, tail))
    };
    let began = Instant::now();
    let reply = model.complete(&request).await;
    let wait = {
        let mut tally = lock(tally);
        match reply {
            Ok(completion) => {
                tally.answered += 1;
                tally.latencies.push(began.elapsed().as_secs_f64());
                if let Some(usage) = completion.usage {
                    tally.tells_tokens = true;
                    tally.tokens += usage.output;
                }
                return Ok(());
            }
            Err(error) if tally.answered == 0 && is_hopeless(&error) => {
                return Err(error);
            }
            Err(error) => {
                tally.failed += 1;
                *tally.errors.entry(kind(&error)).or_default() += 1;
                match error.retry() {
                    Retry::After(wait) => wait.min(LONGEST_WAIT),
                    _ => LONGEST_WAIT / 10,
                }
            }
        }
    };
    tokio::time::sleep(wait).await;
    Ok(())
}

/// Whether nobody need go on after this, where nothing was ever answered.
fn is_hopeless(error: &ModelError) -> bool {
    error.retry() == Retry::Never || error.is_not_connected()
}

/// A failure in a word or two, to be counted by.
fn kind(error: &ModelError) -> String {
    match error {
        ModelError::Status { status, .. } => format!("HTTP {status}"),
        ModelError::Connection { .. } => "no or a broken connection".to_owned(),
        ModelError::Timeout { .. } => "too slow".to_owned(),
        ModelError::Garbled { .. } => "not a chat completion".to_owned(),
        ModelError::ContextLength { .. } => "too long a prompt".to_owned(),
        other => other.to_string(),
    }
}

/// A prompt like that of a critique: instructions that are the same for every call with that head,
/// and then a text of its own.
pub(super) fn prompt(head: &str, tail: &str) -> Vec<Message> {
    let rule = "Judge the answer below by this principle, in a few sentences: it is kind to whoever \
                reads it, it says what it knows and what it does not, and it leaves nothing out that \
                the question needs. ";
    let instructions = format!("[{head}] {}", rule.repeat(8));
    let answer = "The shop opens at nine, and on Sundays it stays closed. ".repeat(5);
    vec![
        Message::system(instructions),
        Message::user(format!("Answer {tail}: {answer}")),
    ]
}

/// The value that so many per cent of the sorted values do not exceed.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0.0)
}

impl EndpointReport {
    /// Settings to paste, for a model at `base_url` whose key is in `api_key_env`, if that is not
    /// where every key is looked for.
    #[must_use]
    pub fn settings(&self, base_url: &str, api_key_env: Option<&str>) -> String {
        // JSON's texts are YAML's, too.
        let text = |text: &str| Value::from(text).to_string();
        let structured = match &self.structured {
            StructuredReplies::Work { rung } => format!("    structured: {rung}\n"),
            StructuredReplies::DoNot { .. } => String::new(),
        };
        let key = api_key_env.map_or_else(String::new, |variable| {
            format!("    api_key_env: {}\n", text(variable))
        });
        format!(
            "models:\n  {name}:\n    model: {name}\n    base_url: {}\n{key}{structured}concurrency: {}\n",
            text(base_url),
            self.concurrency,
            name = text(&self.model),
        )
    }
}

#[cfg(test)]
pub(super) mod tests {
    use async_trait::async_trait;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::config::SettingsFile;
    use crate::model::{Completion, TokenUsage};
    use crate::yaml::{SourceFile, parse};

    pub(in crate::bench) fn options() -> MeasureOptions {
        MeasureOptions {
            time: Duration::from_secs(45),
            most: 256,
            max_tokens: 64,
            nonce: "n".to_owned(),
        }
    }

    /// Decodes so many calls at once, each for half a second.
    #[derive(Debug)]
    struct Slots(Semaphore);

    #[async_trait]
    impl ChatModel for Slots {
        fn name(&self) -> &'static str {
            "slots: \"8\""
        }

        async fn complete(&self, _: &ChatRequest) -> Result<Completion, ModelError> {
            let _slot = self.0.acquire().await.expect("it stays open");
            tokio::time::sleep(Duration::from_millis(500)).await;
            Ok(Completion {
                usage: Some(TokenUsage {
                    input: 10,
                    cached: 0,
                    output: 20,
                }),
                ..Completion::from_text("done")
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_best_concurrency_is_the_number_of_slots() {
        let model = Arc::new(Slots(Semaphore::new(8)));
        let mut told = 0;
        let began = Instant::now();
        let report = measure_endpoint(model, &options(), |_| told += 1)
            .await
            .expect("a report");
        assert_eq!((report.concurrency, report.settled), (8, true));
        assert_eq!(told, report.steps.len());
        assert!(
            began.elapsed() < Duration::from_secs(45),
            "{:?}",
            began.elapsed()
        );
        let eight = &report.steps[3];
        assert!(
            (eight.per_second - 16.0).abs() < 0.1 && (eight.p50_ms - 500.0).abs() < 5.0,
            "{eight:?}"
        );
        assert!(
            (eight.tokens_per_second.expect("tokens") - 320.0).abs() < 2.0,
            "{eight:?}"
        );

        let settings = report.settings("http://host/v1", Some("HOST_KEY"));
        let file: SettingsFile = parse(&SourceFile::new("settings", &settings)).expect("settings");
        assert_eq!(
            file.concurrency.map(|it| it.to_string()).as_deref(),
            Some("8")
        );
        assert_eq!(file.models[0].model, "slots: \"8\"");
        assert_eq!(file.models[0].api_key_env.as_deref(), Some("HOST_KEY"));
        assert!(!report.settings("http://host/v1", None).contains("api_key"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_endless_server_is_measured_until_the_most_that_is_asked_for() {
        let model = Arc::new(Slots(Semaphore::new(1_000)));
        let options = MeasureOptions {
            most: 16,
            ..options()
        };
        let report = measure_endpoint(model, &options, |_| {})
            .await
            .expect("a report");
        assert_eq!((report.concurrency, report.settled), (16, false));
    }

    /// Refuses every call.
    #[derive(Debug)]
    struct Refuses(u16);

    #[async_trait]
    impl ChatModel for Refuses {
        fn name(&self) -> &'static str {
            "refuses"
        }

        async fn complete(&self, _: &ChatRequest) -> Result<Completion, ModelError> {
            Err(ModelError::Status {
                endpoint: "http://host/v1".to_owned(),
                status: self.0,
                message: "no".to_owned(),
                retry_after: None,
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wrong_key_ends_it_at_once_and_a_busy_server_is_told_of() {
        let refused = measure_endpoint(Arc::new(Refuses(401)), &options(), |_| {}).await;
        assert!(refused.is_err());
        let busy = measure_endpoint(Arc::new(Refuses(429)), &options(), |_| {}).await;
        let busy = busy.expect("a report");
        assert_eq!((busy.steps.len(), busy.concurrency), (1, 1));
        assert!(busy.errors["HTTP 429"] > 0);
    }

    #[test]
    fn percentiles_are_values_that_were_there() {
        let sorted = [1.0, 2.0, 3.0, 4.0];
        assert!((percentile(&sorted, 50) - 2.0).abs() < 1e-9);
        assert!((percentile(&sorted, 95) - 4.0).abs() < 1e-9);
        assert!(percentile(&[], 50).abs() < 1e-9);
    }
}
