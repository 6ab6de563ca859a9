//! A server of files and batches on this machine: it takes what a provider takes, works on batches
//! as its script says, and remembers what it would charge for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, Response, Uri};
use axum::routing::{get, post};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::roles::{Part, answer};
use super::server::{completion, runtime};

/// A row as the script sees it.
pub(crate) struct RowAsked<'a> {
    pub(crate) body: &'a Value,
    /// In how many batches that were worked on just this body came before.
    pub(crate) before: u32,
    pub(crate) part: Part,
}

/// What becomes of a row.
pub(crate) enum RowAct {
    /// It is answered by its role.
    Answer,
    /// It is answered twice, with another text the second time.
    AnswerTwice,
    /// It is in the error file, with this status and message.
    Refuse(u16, &'static str),
    /// No file says anything about it.
    Leave,
    /// Its line breaks off.
    Garble,
}

/// How making a batch is answered.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Create {
    Answer,
    /// Nothing is made, and nothing said.
    HangBefore,
    /// It is made, and nothing said.
    HangAfter,
    /// It is made, and the answer is an error.
    BreakAfter,
}

/// How a batch ends.
pub(crate) enum End {
    Completed,
    Expired,
    Cancelled,
    /// With these faults: line, code and message.
    Failed(Vec<(Option<u64>, &'static str, &'static str)>),
}

/// What becomes of a batch.
pub(crate) struct Course {
    pub(crate) create: Create,
    /// After how many looks it has ended.
    pub(crate) looks: u32,
    pub(crate) end: End,
}

impl Course {
    pub(crate) fn to(end: End) -> Self {
        Self {
            create: Create::Answer,
            looks: 2,
            end,
        }
    }
}

type CourseOf = dyn Fn(usize, usize) -> Course + Send + Sync;
type ActOf = dyn Fn(&RowAsked<'_>) -> RowAct + Send + Sync;

struct Inner {
    course: Box<CourseOf>,
    row: Box<ActOf>,
    shelf: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    files: BTreeMap<String, Vec<u8>>,
    batches: Vec<Batch>,
    /// How often each body was worked on, and how often answered.
    worked: BTreeMap<String, u32>,
    answered: BTreeMap<String, u32>,
    looks: usize,
    fail_looks: u32,
}

struct Batch {
    object: Value,
    looks_left: u32,
    rows: usize,
}

/// A server under way; it goes away with the tests' process.
pub(crate) struct BatchServer {
    url: String,
    inner: Arc<Inner>,
}

impl BatchServer {
    /// A server that answers everything.
    pub(crate) fn start() -> Self {
        Self::with(|_, _| Course::to(End::Completed), |_| RowAct::Answer)
    }

    /// A server that does with a batch, by its number from 0 and its size, as `course` says, and
    /// with a row as `row` says.
    pub(crate) fn with(
        course: impl Fn(usize, usize) -> Course + Send + Sync + 'static,
        row: impl Fn(&RowAsked<'_>) -> RowAct + Send + Sync + 'static,
    ) -> Self {
        let inner = Arc::new(Inner {
            course: Box::new(course),
            row: Box::new(row),
            shelf: Mutex::default(),
        });
        let app = Router::new()
            .route("/v1/files", post(upload))
            .route("/v1/files/{id}/content", get(content))
            .route("/v1/batches", post(create).get(list))
            .route("/v1/batches/{id}", get(retrieve))
            .layer(DefaultBodyLimit::disable())
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

    /// Settings that use this server for every role, in batches that close quickly.
    pub(crate) fn settings(&self) -> String {
        let url = &self.url;
        format!(
            "models:\n  stub:\n    model: stub\n    base_url: {url}\n    \
             batch: {{ gather_seconds: 0.3, poll_seconds: 0.05 }}\n"
        )
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.inner.shelf.lock().expect("no test panics with it")
    }

    /// The sizes of the batches that were made.
    pub(crate) fn batches(&self) -> Vec<usize> {
        self.shelf()
            .batches
            .iter()
            .map(|batch| batch.rows)
            .collect()
    }

    /// How many rows were answered, which is what is charged for.
    pub(crate) fn paid(&self) -> usize {
        self.shelf().answered.values().map(|n| *n as usize).sum()
    }

    /// How many rows were answered that had been answered before.
    pub(crate) fn paid_twice(&self) -> usize {
        self.paid() - self.shelf().answered.len()
    }

    /// How many rows were worked on, answered or not.
    pub(crate) fn worked(&self) -> usize {
        self.shelf().worked.values().map(|n| *n as usize).sum()
    }

    /// How often batches were looked at.
    pub(crate) fn looks(&self) -> usize {
        self.shelf().looks
    }

    /// Fails this many of the next looks.
    pub(crate) fn fail_looks(&self, count: u32) {
        self.shelf().fail_looks = count;
    }
}

fn lock(inner: &Inner) -> MutexGuard<'_, Shelf> {
    inner.shelf.lock().expect("no test panics with it")
}

fn respond(status: u16, body: impl Into<Body>) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(body.into())
        .expect("a response")
}

fn refuse(status: u16, message: &str) -> Response<Body> {
    let body = json!({ "error": { "message": message, "type": "invalid_request_error" } });
    respond(status, body.to_string())
}

/// The parts of a multipart body, by their names.
fn parts(headers: &HeaderMap, body: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let kind = headers["content-type"].to_str().expect("text");
    let (_, boundary) = kind.split_once("boundary=").expect("a boundary");
    let mark = format!("--{}", boundary.trim_matches('"'));
    let text = std::str::from_utf8(body).expect("UTF-8");
    let parts = text.split(&mark).filter_map(|part| {
        let (head, content) = part.split_once("\r\n\r\n")?;
        let (_, name) = head.split_once("name=\"")?;
        let name = name.split('"').next()?.to_owned();
        let content = content.strip_suffix("\r\n").unwrap_or(content);
        Some((name, content.as_bytes().to_vec()))
    });
    parts.collect()
}

async fn upload(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let mut parts = parts(&headers, &body);
    assert_eq!(parts["purpose"], b"batch");
    let mut shelf = lock(&inner);
    let id = format!("file-{}", shelf.files.len());
    let bytes = parts.remove("file").expect("a file");
    let length = bytes.len();
    shelf.files.insert(id.clone(), bytes);
    respond(
        200,
        json!({ "id": id, "object": "file", "bytes": length, "purpose": "batch" }).to_string(),
    )
}

async fn content(State(inner): State<Arc<Inner>>, Path(id): Path<String>) -> Response<Body> {
    match lock(&inner).files.get(&id) {
        Some(file) => respond(200, file.clone()),
        None => refuse(404, "No such file"),
    }
}

async fn create(State(inner): State<Arc<Inner>>, body: Bytes) -> Response<Body> {
    let asked: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(asked["endpoint"], "/v1/chat/completions");
    assert_eq!(asked["completion_window"], "24h");
    let (created, object) = {
        let mut shelf = lock(&inner);
        let file = asked["input_file_id"].as_str().expect("a file");
        let rows: Vec<Value> =
            super::json_lines(std::str::from_utf8(&shelf.files[file]).expect("UTF-8"));
        let number = shelf.batches.len();
        let course = (inner.course)(number, rows.len());
        let object = if course.create == Create::HangBefore {
            Value::Null
        } else {
            shelf.make(&inner, &asked, &rows, &course)
        };
        (course.create, object)
    };
    match created {
        Create::Answer => respond(200, object.to_string()),
        Create::BreakAfter => refuse(500, "something broke"),
        Create::HangBefore | Create::HangAfter => std::future::pending().await,
    }
}

impl Shelf {
    /// Makes a batch, and works on it at once; nobody hears of that before its end.
    fn make(&mut self, inner: &Inner, asked: &Value, rows: &[Value], course: &Course) -> Value {
        let id = format!("batch_{}", self.batches.len());
        let mut object = json!({
            "id": id, "object": "batch", "endpoint": asked["endpoint"], "status": "in_progress",
            "input_file_id": asked["input_file_id"], "metadata": asked["metadata"], "errors": null,
        });
        let status = match &course.end {
            End::Completed => "completed",
            End::Expired => "expired",
            End::Cancelled => "cancelled",
            End::Failed(_) => "failed",
        };
        object["end"] = json!(status);
        if let End::Failed(faults) = &course.end {
            let faults = faults.iter().map(|(line, code, message)| {
                json!({ "line": line, "code": code, "message": message, "param": null })
            });
            object["errors"] = json!({ "object": "list", "data": faults.collect::<Vec<_>>() });
        } else {
            let (output, errors) = self.work(inner, rows);
            for (name, file) in [("output_file_id", output), ("error_file_id", errors)] {
                if !file.is_empty() {
                    let file_id = format!("{id}-{name}");
                    object[name] = json!(file_id);
                    self.files.insert(file_id, file.into_bytes());
                }
            }
        }
        self.batches.push(Batch {
            object: object.clone(),
            looks_left: course.looks,
            rows: rows.len(),
        });
        object
    }

    /// The lines of the two files; results come in another order than requests.
    fn work(&mut self, inner: &Inner, rows: &[Value]) -> (String, String) {
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        for row in rows.iter().rev() {
            assert_eq!(
                (&row["method"], &row["url"]),
                (&json!("POST"), &json!("/v1/chat/completions"))
            );
            let body = &row["body"];
            let text = body.to_string();
            let worked = self.worked.entry(text.clone()).or_default();
            let asked = RowAsked {
                body,
                before: *worked,
                part: Part::of(body),
            };
            *worked += 1;
            let id = &row["custom_id"];
            let reply = |text: &str| {
                let body = completion(body, text, "stop");
                let response = json!({ "status_code": 200, "request_id": "r", "body": body });
                json!({ "id": "x", "custom_id": id, "response": response, "error": null })
            };
            let said = answer(body, asked.part);
            let act = (inner.row)(&asked);
            if matches!(act, RowAct::Answer | RowAct::AnswerTwice) {
                *self.answered.entry(text).or_default() += 1;
            }
            match act {
                RowAct::Answer => output.push(reply(&said).to_string()),
                RowAct::AnswerTwice => {
                    output.push(reply(&said).to_string());
                    output.push(reply("another text").to_string());
                }
                RowAct::Refuse(status, message) => {
                    let body = json!({ "error": { "message": message } });
                    let response = json!({ "status_code": status, "body": body });
                    let line =
                        json!({ "id": "x", "custom_id": id, "response": response, "error": null });
                    errors.push(line.to_string());
                }
                RowAct::Leave => {}
                RowAct::Garble => output.push(reply(&said).to_string()[..40].to_owned()),
            }
        }
        if !output.is_empty() {
            let stranger = json!({ "custom_id": "0".repeat(32), "response": null });
            output.push(stranger.to_string());
            output.push("not JSON".to_owned());
        }
        (super::lines(output), super::lines(errors))
    }

    /// The batch as it stands.
    fn shown(batch: &Batch) -> Value {
        let mut object = batch.object.clone();
        let end = object.as_object_mut().expect("an object").remove("end");
        if batch.looks_left == 0 {
            object["status"] = end.expect("an end");
        } else {
            for later in ["output_file_id", "error_file_id", "errors"] {
                object[later] = Value::Null;
            }
        }
        object
    }
}

async fn retrieve(State(inner): State<Arc<Inner>>, Path(id): Path<String>) -> Response<Body> {
    let mut shelf = lock(&inner);
    shelf.looks += 1;
    if shelf.fail_looks > 0 {
        shelf.fail_looks -= 1;
        return refuse(503, "later");
    }
    let Some(batch) = shelf
        .batches
        .iter_mut()
        .find(|batch| batch.object["id"] == *id)
    else {
        return refuse(404, "No such batch");
    };
    let shown = Shelf::shown(batch);
    batch.looks_left = batch.looks_left.saturating_sub(1);
    respond(200, shown.to_string())
}

/// Newest first, two a page: whoever lists must turn pages.
async fn list(State(inner): State<Arc<Inner>>, uri: Uri) -> Response<Body> {
    let shelf = lock(&inner);
    let newest = shelf.batches.iter().rev();
    let mut query = uri.query().unwrap_or_default().split('&');
    let after = query.find_map(|field| field.strip_prefix("after="));
    let rest: Vec<Value> = newest
        .skip_while(|batch| after.is_some_and(|after| batch.object["id"] != *after))
        .skip(usize::from(after.is_some()))
        .map(Shelf::shown)
        .collect();
    let more = rest.len() > 2;
    let page: Vec<Value> = rest.into_iter().take(2).collect();
    respond(
        200,
        json!({ "object": "list", "data": page, "has_more": more }).to_string(),
    )
}
