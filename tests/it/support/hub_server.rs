//! A hub of datasets on this machine: it speaks the hub's paths for files and listings, and sends
//! whoever asks for a file on to another server, as the hub does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, Uri};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::bucket_server::Buckets;
use super::server::runtime;
use super::{Redraft, hash};

/// The token that may read the private dataset.
pub(crate) const TOKEN: &str = "hf_a-token-that-is-never-shown";
/// How many entries a page of a listing has.
const PAGE: usize = 2;

struct Inner {
    /// Where the files are.
    files: Buckets,
    paths: Mutex<BTreeSet<String>>,
    log: Mutex<Vec<(String, bool)>>,
}

/// A hub under way; it goes away with the tests' process.
pub(crate) struct Hub {
    url: String,
    inner: Arc<Inner>,
}

impl Hub {
    /// A hub whose files lie on the server `files`, which wants no key.
    pub(crate) fn start(files: Buckets) -> Self {
        let inner = Arc::new(Inner {
            files,
            paths: Mutex::default(),
            log: Mutex::default(),
        });
        let app = Router::new()
            .fallback(handle)
            .with_state(Arc::clone(&inner));
        let listener = runtime()
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        runtime().spawn(async move { axum::serve(listener, app).await });
        Self {
            url: format!("http://{address}"),
            inner,
        }
    }

    /// Puts a file at `owner/name/revision/path`.
    pub(crate) fn put(&self, path: &str, bytes: impl Into<Bytes>) {
        self.inner.files.put(&format!("blobs/{path}"), bytes);
        self.inner
            .paths
            .lock()
            .expect("no panic")
            .insert(path.to_owned());
    }

    /// The server that the files lie on.
    pub(crate) fn files(&self) -> &Buckets {
        &self.inner.files
    }

    /// The paths that were asked for, with their queries, and whether the token came along.
    pub(crate) fn requests(&self) -> Vec<(String, bool)> {
        self.inner.log.lock().expect("no panic").clone()
    }

    /// The environment that leads a client here.
    pub(crate) fn env(&self, command: Redraft) -> Redraft {
        command
            .env("HF_ENDPOINT", &self.url)
            .env("REDRAFT_REMOTE_RETRIES", "2")
    }
}

async fn handle(State(inner): State<Arc<Inner>>, uri: Uri, headers: HeaderMap) -> Response<Body> {
    let path = uri.path().replace("%2F", "/");
    let query = uri.query().unwrap_or_default().to_owned();
    let authorization = headers
        .get("authorization")
        .and_then(|text| text.to_str().ok());
    let has_token = authorization == Some(&format!("Bearer {TOKEN}"));
    let mut log = inner.log.lock().expect("no panic");
    log.push((format!("{path}?{query}"), authorization.is_some()));
    drop(log);
    let listing = path.strip_prefix("/api/datasets/");
    let Some(inside) = listing.or_else(|| path.strip_prefix("/datasets/")) else {
        return refuse(404, "");
    };
    let mut parts = inside.splitn(4, '/');
    let owner = parts.next().unwrap_or_default();
    let name = parts.next().unwrap_or_default();
    let _verb = parts.next();
    let rest = parts.next().unwrap_or_default();
    let place = format!("{owner}/{name}/{rest}");
    match owner {
        "gated" if !has_token => return refuse(401, "GatedRepo"),
        "private" if authorization.is_some() && !has_token => return refuse(401, ""),
        "private" if !has_token => return refuse(401, "RepoNotFound"),
        _ => {}
    }
    let paths = inner.paths.lock().expect("no panic");
    let known = |prefix: &str| paths.iter().any(|path| path.starts_with(prefix));
    if !known(&format!("{owner}/{name}/")) {
        return refuse(404, "RepoNotFound");
    }
    let revision = rest.split('/').next().unwrap_or_default();
    if revision != "refs" && !known(&format!("{owner}/{name}/{revision}/")) {
        return refuse(404, "RevisionNotFound");
    }
    if listing.is_some() {
        return list(&paths, &place, &query, &uri);
    }
    if !paths.contains(&place) {
        return refuse(404, "EntryNotFound");
    }
    let location = format!("{}/blobs/{place}", inner.files.url());
    Response::builder()
        .status(302)
        .header("location", location)
        .header("x-linked-etag", format!("\"{:x}\"", hash(&place)))
        .body(Body::empty())
        .expect("a response")
}

fn list(paths: &BTreeSet<String>, place: &str, query: &str, uri: &Uri) -> Response<Body> {
    let folder = format!("{}/", place.trim_end_matches('/'));
    let root = folder.splitn(4, '/').take(3).map(str::len).sum::<usize>() + 3;
    let deep = query.contains("recursive=true");
    let mut entries: BTreeMap<String, &str> = BTreeMap::new();
    for path in paths.iter().filter(|path| path.starts_with(&folder)) {
        match path[folder.len()..].split_once('/') {
            Some((inner, _)) if !deep => {
                let inner = format!("{folder}{inner}");
                entries.insert(inner[root..].to_owned(), "directory");
            }
            _ => {
                entries.insert(path[root..].to_owned(), "file");
            }
        }
    }
    if entries.is_empty() {
        return refuse(404, "EntryNotFound");
    }
    let cursor = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("cursor="));
    let from: usize = cursor.map_or(0, |cursor| cursor.parse().expect("a number"));
    let page: Vec<Value> = entries
        .iter()
        .skip(from)
        .take(PAGE)
        .map(|(path, kind)| json!({ "type": kind, "path": path, "size": 1, "oid": "x" }))
        .collect();
    let mut response = Response::builder().header("content-type", "application/json");
    if from + PAGE < entries.len() {
        let deep = if deep { "recursive=true&" } else { "" };
        let next = format!("{}?{deep}cursor={}", uri.path(), from + PAGE);
        response = response.header("link", format!("<{next}>; rel=\"next\""));
    }
    response
        .body(Body::from(Value::from(page).to_string()))
        .expect("a response")
}

fn refuse(status: u16, code: &str) -> Response<Body> {
    let response = Response::builder().status(status);
    let response = match code {
        "" => response,
        code => response.header("x-error-code", code),
    };
    response
        .body(Body::from(format!("{{\"error\":\"asked with {TOKEN}\"}}")))
        .expect("a response")
}
