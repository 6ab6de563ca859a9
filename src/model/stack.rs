//! A model with everything around it, in the one order that works.

use std::sync::Arc;
use std::time::Duration;

use super::batch::{BatchOptions, Batched};
use super::budget::Budgeted;
use super::dispatch::{Dispatch, DispatchOptions, Replica};
use super::first_call::{Access, FirstCall};
use super::journal::{Journal, Journalled};
use super::openai::{Endpoint, EndpointError, OpenAi};
use super::pace::{Pace, Paces};
use super::retry::{Retry, RetryPolicy};
use super::structured::{Rung, Structured, StructuredSetting};
use super::traffic::Traffic;
use super::{ChatModel, Concurrency, Price};

/// How [`stack`] and [`wrap`] set up the wrappers.
#[derive(Clone, Debug)]
pub struct StackOptions {
    /// How often a call is tried, and how long is waited in between.
    pub retry: RetryPolicy,
    /// How many calls to one address run at once.
    pub concurrency: Concurrency,
    /// What the model's tokens cost.
    pub price: Option<Price>,
    /// By which means replies are held to a schema.
    pub structured: StructuredSetting,
    /// Where replies are kept; without one every call is asked.
    pub journal: Option<Arc<dyn Journal>>,
    /// The journal's scope; calls under it neither see nor serve calls outside it.
    pub scope: Option<String>,
    /// Where the calls are counted; several models may share one.
    pub traffic: Arc<Traffic>,
    /// The paces of all keys; models that share a key share its pace by sharing this.
    pub paces: Arc<Paces>,
    /// How calls gather into batches; without it every call is sent by itself.
    pub batch: Option<BatchOptions>,
    /// How long calls wait while no address answers. With none, a lone address is not set aside
    /// either: its failures are those of the calls that met them.
    pub outage_patience: Duration,
}

impl Default for StackOptions {
    fn default() -> Self {
        Self {
            retry: RetryPolicy::default(),
            concurrency: Concurrency::default(),
            price: None,
            structured: StructuredSetting::default(),
            journal: None,
            scope: None,
            traffic: Arc::default(),
            paces: Arc::default(),
            batch: None,
            outage_patience: Duration::from_secs(300),
        }
    }
}

impl StackOptions {
    /// For calls that somebody waits for: what fails is tried again, but not for long.
    #[must_use]
    pub fn awaited() -> Self {
        Self {
            retry: RetryPolicy {
                attempts: 3,
                first_delay: Duration::from_millis(200),
                max_delay: Duration::from_secs(2),
                max_retry_after: Duration::from_secs(5),
                patience: Duration::from_secs(10),
                ..RetryPolicy::default()
            },
            outage_patience: Duration::ZERO,
            ..Self::default()
        }
    }
}

/// The model at `endpoint`, with everything around it.
///
/// # Errors
///
/// [`EndpointError`] when no client can be made for the endpoint.
///
/// # Examples
///
/// ```
/// use redraft::model::openai::Endpoint;
/// use redraft::model::stack::{StackOptions, stack};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let endpoint = Endpoint::new("Qwen/Qwen3-8B", "http://localhost:8000/v1".parse()?);
/// let model = stack(&endpoint, StackOptions::default())?;
/// assert_eq!(model.name(), "Qwen/Qwen3-8B");
/// # Ok(())
/// # }
/// ```
pub fn stack(
    endpoint: &Endpoint,
    options: StackOptions,
) -> Result<Arc<dyn ChatModel>, EndpointError> {
    stack_replicas(std::slice::from_ref(endpoint), options)
}

/// One model that several endpoints serve, with everything around it. The calls of a record go to
/// one of them while it has room, and one that fails is left out until it answers again.
///
/// # Errors
///
/// [`EndpointError`] when there is no endpoint, more than one for batches, or no client can be made
/// for one of them.
pub fn stack_replicas(
    endpoints: &[Endpoint],
    options: StackOptions,
) -> Result<Arc<dyn ChatModel>, EndpointError> {
    let first = endpoints.first().ok_or(EndpointError::None)?;
    let key = first.api_key.as_ref().filter(|key| !key.is_empty());
    let addresses: Vec<_> = endpoints
        .iter()
        .map(|endpoint| endpoint.base_url.to_string())
        .collect();
    let access = Access {
        base_url: addresses.join(", "),
        has_key: key.is_some(),
        key_origin: key.and_then(|key| key.origin()).map(ToOwned::to_owned),
    };
    if let Some(batch) = &options.batch {
        if endpoints.len() > 1 {
            return Err(EndpointError::SeveralForBatches);
        }
        let batch = batch.clone();
        return batched(first, access, batch, options);
    }
    let replicas = endpoints
        .iter()
        .map(|endpoint| {
            let pace = options.paces.of(
                endpoint.account(),
                endpoint.requests_per_minute,
                endpoint.tokens_per_minute,
            );
            let client = OpenAi::new(endpoint)?.telling(Arc::clone(&pace) as _);
            Ok(Replica {
                address: endpoint.base_url.to_string(),
                model: Arc::new(client),
                pace,
            })
        })
        .collect::<Result<_, EndpointError>>()?;
    Ok(wrap_replicas(replicas, access, options))
}

/// `Structured(Journalled(Budgeted(FirstCall(Batched))))`: a batch limits and repeats by itself.
fn batched(
    endpoint: &Endpoint,
    access: Access,
    batch: BatchOptions,
    options: StackOptions,
) -> Result<Arc<dyn ChatModel>, EndpointError> {
    let model = Batched::new(
        endpoint,
        batch,
        options.retry,
        options.journal.clone(),
        options.scope.clone(),
        Arc::clone(&options.traffic),
    )?;
    let model = Arc::new(FirstCall::new(Arc::new(model), access));
    let model = Arc::new(Budgeted::new(model, options.price, options.traffic));
    // To find out which form works would take a batch for each.
    let structured = match options.structured {
        StructuredSetting::Auto => StructuredSetting::Presumed(Rung::JsonSchema),
        pinned => pinned,
    };
    Ok(remembered(
        model,
        structured,
        options.journal,
        options.scope,
    ))
}

/// Any model, with everything around it:
/// `Structured(Journalled(Budgeted(FirstCall(Retry(Dispatch([model]))))))`.
pub fn wrap(
    model: Arc<dyn ChatModel>,
    access: Access,
    options: StackOptions,
) -> Arc<dyn ChatModel> {
    let replica = Replica {
        address: access.base_url.clone(),
        model,
        pace: Arc::new(Pace::configured(None, None)),
    };
    wrap_replicas(vec![replica], access, options)
}

/// The replicas of one model, with everything around them.
///
/// The order matters. A place among the concurrent calls is free while a failed call waits;
/// a model is called unusable only after the repetitions; a call is paid for once, however often it
/// is repeated; what the journal knows costs none of that; and the journal holds what was really
/// asked, after the form of the reply was chosen.
fn wrap_replicas(
    replicas: Vec<Replica>,
    access: Access,
    options: StackOptions,
) -> Arc<dyn ChatModel> {
    let StackOptions {
        retry,
        concurrency,
        price,
        structured,
        journal,
        scope,
        traffic,
        outage_patience,
        paces: _,
        batch: _,
    } = options;
    let dispatch = DispatchOptions {
        concurrency,
        outage_patience,
        hold_places: journal.is_some(),
    };
    let model = Arc::new(Dispatch::new(replicas, &dispatch, &traffic));
    let model = Arc::new(Retry::new(model, retry, Arc::clone(&traffic)));
    let model = Arc::new(FirstCall::new(model, access));
    let model: Arc<dyn ChatModel> = Arc::new(Budgeted::new(model, price, traffic));
    remembered(model, structured, journal, scope)
}

/// `Structured(Journalled(model))`.
fn remembered(
    model: Arc<dyn ChatModel>,
    structured: StructuredSetting,
    journal: Option<Arc<dyn Journal>>,
    scope: Option<String>,
) -> Arc<dyn ChatModel> {
    let model = match &journal {
        Some(journal) => Arc::new(Journalled::new(model, Arc::clone(journal), scope)),
        None => model,
    };
    Arc::new(Structured::new(model, structured, journal))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use axum::Json;
    use axum::http::StatusCode;
    use axum::response::IntoResponse;
    use serde_json::{Value, json};

    use super::*;
    use crate::message::Message;
    use crate::model::openai::test_server::{nobody, serve};
    use crate::model::scripted::Scripted;
    use crate::model::{
        ChatRequest, Completion, MemoryJournal, ModelError, Reach, ReplyFormat, ReplySchema,
    };

    fn quick() -> RetryPolicy {
        RetryPolicy {
            first_delay: Duration::from_millis(1),
            ..RetryPolicy::default()
        }
    }

    fn structured() -> ChatRequest {
        let schema = ReplySchema {
            name: "critique".to_owned(),
            description: "A critique.".to_owned(),
            schema: json!({ "type": "object" }).into(),
        };
        ChatRequest {
            format: ReplyFormat::Structured(Arc::new(schema)),
            ..ChatRequest::new(vec![Message::user("Hi")])
        }
    }

    #[tokio::test]
    async fn a_stack_retries_steps_down_and_never_asks_twice() {
        let asked = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&asked);
        let endpoint = serve(move |Json(body): Json<Value>| async move {
            let number = count.fetch_add(1, Ordering::SeqCst);
            if number == 0 {
                return StatusCode::SERVICE_UNAVAILABLE.into_response();
            }
            if body["response_format"]["type"] == "json_schema" {
                return (StatusCode::BAD_REQUEST, "no schemas here").into_response();
            }
            let call = json!({ "function": { "name": "critique", "arguments": "{\"a\":1}" } });
            let message = json!({ "content": null, "tool_calls": [call] });
            Json(json!({ "choices": [{ "message": message }] })).into_response()
        })
        .await;
        let journal = Arc::new(MemoryJournal::new());
        let options = StackOptions {
            retry: quick(),
            journal: Some(journal.clone()),
            ..StackOptions::default()
        };
        let model = stack(&endpoint, options.clone()).expect("a model");
        let reply = model.complete(&structured()).await.expect("a reply");
        assert_eq!(
            (reply.text.as_str(), reply.journalled),
            (r#"{"a":1}"#, false)
        );
        assert_eq!(asked.load(Ordering::SeqCst), 3);
        let counts = options.traffic.counts();
        assert_eq!((counts.asked, counts.retries, counts.failed), (3, 1, 1));

        let later = stack(&endpoint, options).expect("a model");
        let reply = later.complete(&structured()).await.expect("a reply");
        assert_eq!(
            (reply.text.as_str(), reply.journalled),
            (r#"{"a":1}"#, true)
        );
        assert_eq!(asked.load(Ordering::SeqCst), 3);
        assert_eq!(journal.calls().len(), 1);
    }

    #[test]
    fn batches_have_one_address() {
        let endpoint = |port| {
            let address = format!("http://127.0.0.1:{port}/v1");
            Endpoint::new("m", address.parse().expect("a URL"))
        };
        let options = StackOptions {
            batch: Some(BatchOptions::default()),
            ..StackOptions::default()
        };
        assert!(stack(&endpoint(1), options.clone()).is_ok());
        let several = stack_replicas(&[endpoint(1), endpoint(2)], options);
        assert!(matches!(several, Err(EndpointError::SeveralForBatches)));
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_ends_the_run_after_the_repetitions() {
        let options = StackOptions {
            retry: quick(),
            ..StackOptions::default()
        };
        let endpoint = nobody().await;
        let model = stack(&endpoint, options.clone()).expect("a model");
        let error = model.complete(&structured()).await.expect_err("an error");
        assert_eq!(error.reach(), Reach::Run);
        assert_eq!(options.traffic.counts().asked, 6);
        let ModelError::Unusable { hint, .. } = error else {
            panic!("{error}");
        };
        assert!(hint.contains(endpoint.base_url.as_str()), "{hint}");
    }

    #[tokio::test(start_paused = true)]
    async fn where_somebody_waits_a_lone_address_that_fails_is_not_set_aside() {
        let out_of_order = || {
            Err(ModelError::Status {
                endpoint: String::new(),
                status: 500,
                message: "out of order".to_owned(),
                retry_after: None,
            })
        };
        let answered = || Ok(Completion::from_text("done"));
        let failures = std::iter::repeat_with(out_of_order).take(30);
        let replies = std::iter::once(answered())
            .chain(failures)
            .chain([answered()]);
        let options = StackOptions::awaited();
        let attempts = options.retry.attempts;
        let model = wrap(Arc::new(Scripted::new(replies)), Access::default(), options);
        let request = ChatRequest::new(vec![Message::user("Hi")]);
        assert!(model.complete(&request).await.is_ok());
        for _ in 0..30 / attempts {
            let error = model.complete(&request).await.expect_err("an error");
            assert!(matches!(error, ModelError::Status { .. }), "{error}");
        }
        assert!(model.complete(&request).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_waits_to_be_repeated_leaves_its_place_to_others() {
        let busy = ModelError::Status {
            endpoint: String::new(),
            status: 429,
            message: "busy".to_owned(),
            retry_after: Some(Duration::from_secs(60)),
        };
        let answered = || Ok(Completion::from_text("done"));
        let scripted = Scripted::new([Err(busy), answered(), answered()]);
        let options = StackOptions {
            concurrency: Concurrency::Fixed(1),
            ..StackOptions::default()
        };
        let model = wrap(Arc::new(scripted), Access::default(), options);
        let request = ChatRequest::new(vec![Message::user("Hi")]);
        let started = tokio::time::Instant::now();
        let timed = async || {
            model.complete(&request).await.expect("a reply");
            started.elapsed().as_secs()
        };
        let (waiting, other) = tokio::join!(timed(), timed());
        assert_eq!((waiting, other), (60, 0));
    }
}
