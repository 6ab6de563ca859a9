//! An OpenAI-compatible server on this machine that remembers what it was asked, and answers by the
//! roles it finds in a request unless its plan says otherwise.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use axum::routing::post;
use bytes::Bytes;
use futures::stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::command::LIMIT;
use super::roles::{Part, answer};

/// A request as the plan sees it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) body: Value,
    pub(crate) headers: HeaderMap,
    /// How often just this body came before.
    pub(crate) before: u32,
    /// Which role it is for.
    pub(crate) part: Part,
}

impl Asked {
    /// The text of the message that is that far from the end.
    pub(crate) fn message(&self, from_end: usize) -> &str {
        let messages = self.body["messages"].as_array().expect("messages");
        messages[messages.len() - 1 - from_end]["content"]
            .as_str()
            .expect("text")
    }

    /// The means by which JSON is asked for.
    pub(crate) fn rung(&self) -> &str {
        match self.body["response_format"]["type"].as_str() {
            Some(kind) => kind,
            None if self.body["tools"].is_array() => "tool",
            None => "text",
        }
    }
}

/// What the server does about a request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Answers by the request's role.
    Answer,
    /// Answers by the request's role after a while.
    AnswerAfter(Duration),
    /// Replies with this text, cut off or whole.
    Say { text: String, finish: &'static str },
    /// Sends this status and body.
    Status(u16, String),
    /// Sends this status, and the header `retry-after-ms`.
    Later(u16, u64),
    /// Begins a reply and breaks the connection.
    Cut,
    /// Says nothing, ever.
    Hang,
}

impl Act {
    pub(crate) fn say(text: impl Into<String>) -> Self {
        Self::Say {
            text: text.into(),
            finish: "stop",
        }
    }
}

type Plan = dyn Fn(&Asked) -> Act + Send + Sync;

struct Inner {
    plan: Box<Plan>,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    requests: Vec<Asked>,
    counts: BTreeMap<String, u32>,
    in_flight: usize,
    most_in_flight: usize,
}

/// A server under way; it goes away with the tests' process.
pub(crate) struct Server {
    url: String,
    inner: Arc<Inner>,
}

pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime")
    })
}

impl Server {
    /// A server that answers everything.
    pub(crate) fn start() -> Self {
        Self::with(|_| Act::Answer)
    }

    /// A server that does as the plan says.
    pub(crate) fn with(plan: impl Fn(&Asked) -> Act + Send + Sync + 'static) -> Self {
        let inner = Arc::new(Inner {
            plan: Box::new(plan),
            log: Mutex::default(),
        });
        let app = Router::new()
            .route("/v1/chat/completions", post(handle))
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

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.inner.log.lock().expect("no test panics with the log")
    }

    /// How many requests came.
    pub(crate) fn count(&self) -> usize {
        self.log().requests.len()
    }

    /// Every request so far, in the order in which they came.
    pub(crate) fn requests(&self) -> Vec<Asked> {
        self.log().requests.clone()
    }

    /// The requests for one role.
    pub(crate) fn asked(&self, part: Part) -> Vec<Asked> {
        let mut requests = self.requests();
        requests.retain(|asked| asked.part == part);
        requests
    }

    /// How many requests had come before with the same body.
    pub(crate) fn repeated(&self) -> usize {
        let log = self.log();
        log.requests.len() - log.counts.len()
    }

    /// How many requests are being answered now.
    pub(crate) fn in_flight(&self) -> usize {
        self.inner
            .log
            .lock()
            .expect("no test panics with the log")
            .in_flight
    }

    /// The most requests that were under way at once.
    pub(crate) fn most_in_flight(&self) -> usize {
        self.log().most_in_flight
    }

    /// Forgets every request.
    pub(crate) fn forget(&self) {
        *self.log() = Log::default();
    }
}

/// Counts a request as under way until it is dropped: answered, or given up by the client.
struct Under(Arc<Inner>);

impl Drop for Under {
    fn drop(&mut self) {
        if let Ok(mut log) = self.0.log.lock() {
            log.in_flight = log.in_flight.saturating_sub(1);
        }
    }
}

async fn handle(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let text = String::from_utf8_lossy(&body).into_owned();
    let body: Value = serde_json::from_str(&text).expect("a JSON body");
    let part = Part::of(&body);
    let asked = {
        let mut log = inner.log.lock().expect("no test panics with the log");
        log.in_flight += 1;
        log.most_in_flight = log.most_in_flight.max(log.in_flight);
        let count = log.counts.entry(text).or_default();
        *count += 1;
        let asked = Asked {
            body,
            headers,
            before: *count - 1,
            part,
        };
        log.requests.push(asked.clone());
        asked
    };
    let _under = Under(Arc::clone(&inner));
    match (inner.plan)(&asked) {
        Act::Answer => say(&asked, &answer(&asked.body, part), "stop"),
        Act::AnswerAfter(wait) => {
            tokio::time::sleep(wait).await;
            say(&asked, &answer(&asked.body, part), "stop")
        }
        Act::Say { text, finish } => say(&asked, &text, finish),
        Act::Status(status, body) => respond(status, Body::from(body)),
        Act::Later(status, milliseconds) => {
            let mut response = respond(status, Body::from("busy"));
            response
                .headers_mut()
                .insert("retry-after-ms", milliseconds.into());
            response
        }
        Act::Cut => {
            let begun = Ok(Bytes::from_static(b"{\"id\":\"x\",\"choi"));
            let broken = Err(std::io::Error::other("the connection breaks"));
            respond(200, Body::from_stream(stream::iter([begun, broken])))
        }
        Act::Hang => std::future::pending().await,
    }
}

fn respond(status: u16, body: Body) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(body)
        .expect("a response")
}

/// A whole completion, in the form that was asked for.
fn say(asked: &Asked, text: &str, finish: &str) -> Response<Body> {
    respond(
        200,
        Body::from(completion(&asked.body, text, finish).to_string()),
    )
}

/// A whole completion, in the form that the request's body asks for.
pub(crate) fn completion(asked: &Value, text: &str, finish: &str) -> Value {
    let message = if asked["tools"].is_array() {
        let name = &asked["tools"][0]["function"]["name"];
        let function = json!({ "name": name, "arguments": text });
        json!({
            "role": "assistant",
            "content": null,
            "tool_calls": [{ "id": "call_1", "type": "function", "function": function }],
        })
    } else {
        json!({ "role": "assistant", "content": text })
    };
    json!({
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": asked["model"],
        "choices": [{ "index": 0, "message": message, "finish_reason": finish }],
        "usage": {
            "prompt_tokens": asked["messages"].to_string().len() / 4,
            "completion_tokens": text.len() / 4,
        },
    })
}

/// Waits until something holds, and fails loudly when it never does.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
