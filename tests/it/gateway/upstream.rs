//! A model's server for the gateway: drafts as requests order them, and plays critic and reviser.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, Uri};
use axum::routing::post;
use bytes::Bytes;
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{Part, answer, completion, material, runtime};

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) path: String,
    pub(super) text: String,
    pub(super) body: Value,
    pub(super) headers: HeaderMap,
}

/// What is sent back.
#[derive(Clone, Debug)]
pub(super) enum Say {
    /// A status and a body.
    Json(u16, String),
    /// Events, each after a pause, and then the end or a broken connection.
    Events {
        pieces: Vec<String>,
        pause: Duration,
        breaks: bool,
    },
    /// The same after a while.
    After(Duration, Box<Say>),
    /// Nothing, ever.
    Hang,
}

impl Say {
    pub(super) fn ok(body: &Value) -> Self {
        Self::Json(200, body.to_string())
    }
}

type Plan = dyn Fn(&Seen) -> Option<Say> + Send + Sync;

struct Inner {
    plan: Box<Plan>,
    seen: Mutex<Vec<Seen>>,
    in_flight: AtomicUsize,
}

/// A server under way; it goes away with the tests' process.
#[derive(Clone)]
pub(super) struct Upstream {
    url: String,
    inner: Arc<Inner>,
}

impl Upstream {
    /// A server that does what requests order in their `metadata`.
    pub(super) fn start() -> Self {
        Self::with(|_| None)
    }

    /// A server that does as the plan says, where it says something.
    pub(super) fn with(plan: impl Fn(&Seen) -> Option<Say> + Send + Sync + 'static) -> Self {
        let inner = Arc::new(Inner {
            plan: Box::new(plan),
            seen: Mutex::default(),
            in_flight: AtomicUsize::new(0),
        });
        let app = Router::new()
            .route("/v1/chat/completions", post(handle))
            .route("/v1/completions", post(handle))
            .route("/v1/responses", post(handle))
            .with_state(Arc::clone(&inner));
        let listener = runtime()
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        runtime().spawn(async move { axum::serve(listener, app).await });
        Self {
            url: format!("http://{address}/v1"),
            inner,
        }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.inner
            .seen
            .lock()
            .expect("no test panics with it")
            .clone()
    }

    /// How many requests are being answered now.
    pub(super) fn in_flight(&self) -> usize {
        self.inner.in_flight.load(Ordering::SeqCst)
    }
}

struct Under(Arc<Inner>);

impl Drop for Under {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn handle(
    State(inner): State<Arc<Inner>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let text = String::from_utf8(body.to_vec()).expect("UTF-8");
    let seen = Seen {
        path: uri.path().trim_start_matches("/v1/").to_owned(),
        body: serde_json::from_str(&text).expect("a JSON body"),
        text,
        headers,
    };
    inner
        .seen
        .lock()
        .expect("no test panics with it")
        .push(seen.clone());
    inner.in_flight.fetch_add(1, Ordering::SeqCst);
    let under = Under(Arc::clone(&inner));
    let mut say = (inner.plan)(&seen).unwrap_or_else(|| usual(&seen));
    loop {
        match say {
            Say::After(wait, then) => {
                tokio::time::sleep(wait).await;
                say = *then;
            }
            Say::Json(status, body) => {
                return respond(status, "application/json", Body::from(body));
            }
            Say::Hang => std::future::pending::<()>().await,
            Say::Events {
                pieces,
                pause,
                breaks,
            } => {
                let end = breaks.then(|| Err(std::io::Error::other("the connection breaks")));
                let pieces = pieces
                    .into_iter()
                    .map(|piece| Ok(Bytes::from(piece)))
                    .chain(end);
                let events = stream::iter(pieces).then(move |piece| {
                    let _ = &under;
                    async move {
                        tokio::time::sleep(pause).await;
                        piece
                    }
                });
                return respond(200, "text/event-stream", Body::from_stream(events));
            }
        }
    }
}

fn respond(status: u16, kind: &str, body: Body) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("content-type", kind)
        .body(body)
        .expect("a response")
}

/// Critic and reviser by their roles; a draft as `metadata` orders it.
pub(super) fn usual(seen: &Seen) -> Say {
    let part = Part::of(&seen.body);
    if seen.path == "chat/completions" && part != Part::Drafter {
        if material(&seen.body)["answer"]
            .as_str()
            .is_some_and(|text| text.contains("!no-critic"))
        {
            return Say::Json(
                500,
                r#"{"error":{"message":"secret-host is down"}}"#.to_owned(),
            );
        }
        return Say::ok(&completion(&seen.body, &answer(&seen.body, part), "stop"));
    }
    let order = &seen.body["metadata"];
    let text = order["text"].as_str().unwrap_or("All is well.");
    if text == "fail" {
        return Say::Json(
            500,
            r#"{"error":{"message":"secret-host is down"}}"#.to_owned(),
        );
    }
    Say::ok(&draft(
        &seen.path,
        &seen.body,
        order["kind"].as_str().unwrap_or("content"),
        text,
    ))
}

/// The answer of an endpoint that holds one text of a kind.
pub(super) fn draft(path: &str, asked: &Value, kind: &str, text: &str) -> Value {
    let choices = |make: &dyn Fn(usize) -> Value| -> Vec<Value> {
        let many = if kind == "choices" { 2 } else { 1 };
        (0..many).map(make).collect()
    };
    let usage = json!({ "prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12 });
    match path {
        "chat/completions" => json!({
            "id": "chatcmpl-7", "object": "chat.completion", "created": 1, "model": asked["model"],
            "choices": choices(&|index| json!({
                "index": index,
                "message": message(kind, if index == 1 { text } else { first(kind, text) }),
                "logprobs": null,
                "finish_reason": if kind == "arguments" { "tool_calls" } else { "stop" },
            })),
            "usage": usage, "system_fingerprint": "fp",
        }),
        "completions" => json!({
            "id": "cmpl-7", "object": "text_completion", "created": 1, "model": asked["model"],
            "choices": choices(&|index| json!({
                "index": index, "text": if index == 1 { text } else { first(kind, text) },
                "logprobs": null, "finish_reason": "stop",
            })),
            "usage": usage,
        }),
        _ => json!({
            "id": "resp_7", "object": "response", "created_at": 1, "status": "completed",
            "error": null, "incomplete_details": null, "instructions": null, "metadata": {},
            "model": asked["model"], "output": output(kind, text), "parallel_tool_calls": true,
            "temperature": 1.0, "tool_choice": "auto", "tools": [], "top_p": 1.0,
            "usage": {
                "input_tokens": 7, "input_tokens_details": { "cached_tokens": 0 },
                "output_tokens": 5, "output_tokens_details": { "reasoning_tokens": 0 },
                "total_tokens": 12,
            },
        }),
    }
}

/// The first of several choices is always fine.
fn first<'a>(kind: &str, text: &'a str) -> &'a str {
    if kind == "choices" {
        "The first one."
    } else {
        text
    }
}

fn message(kind: &str, text: &str) -> Value {
    let call = json!({
        "id": "call_1", "type": "function", "function": { "name": "send", "arguments": text },
    });
    match kind {
        "arguments" => json!({ "role": "assistant", "content": null, "tool_calls": [call] }),
        "refusal" => json!({ "role": "assistant", "content": null, "refusal": text }),
        "reasoning" => json!({
            "role": "assistant", "content": "All is well.", "reasoning_content": text,
        }),
        _ => json!({ "role": "assistant", "content": text, "refusal": null }),
    }
}

fn output(kind: &str, text: &str) -> Value {
    let said = |content: Value| {
        json!({
            "id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
            "content": [content],
        })
    };
    let output_text =
        |text: &str| json!({ "type": "output_text", "text": text, "annotations": [] });
    match kind {
        "refusal" => json!([said(json!({ "type": "refusal", "refusal": text }))]),
        "reasoning" => json!([
            {
                "id": "rs_1", "type": "reasoning",
                "summary": [{ "type": "summary_text", "text": text }],
            },
            said(output_text("All is well.")),
        ]),
        _ => json!([said(output_text(text))]),
    }
}
