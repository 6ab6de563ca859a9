//! A server of buckets on this machine: it speaks the paths of S3, which Google's cloud shares, and
//! those of Azure, and serves the same objects as plain files of the web.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, Response, Uri};
use bytes::Bytes;
use tokio::net::TcpListener;

use super::Redraft;
use super::server::runtime;
use super::serving::{Fault, file};

/// The key that may do everything.
pub(crate) const KEY: &str = "AKIDTESTONLY";
/// What it is signed with.
pub(crate) const SECRET: &str = "a-secret-that-is-never-shown";
/// How many keys a page of a listing has.
const PAGE: usize = 3;

/// A request as the plan sees it.
#[derive(Clone, Debug)]
pub(crate) struct ObjectAsked {
    pub(crate) method: String,
    /// Bucket and key, with a slash before them.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) length: usize,
    /// How often just this method and path came before.
    pub(crate) before: usize,
}

impl ObjectAsked {
    /// Where the range that it asks for begins and ends, if it asks for one.
    pub(crate) fn range(&self) -> Option<(u64, u64)> {
        let range = self.headers.get("range")?.to_str().ok()?;
        let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
        let to = to.parse().map_or(u64::MAX, |to: u64| to + 1);
        Some((from.parse().ok()?, to))
    }
}

type Plan = dyn Fn(&ObjectAsked) -> Fault + Send + Sync;

#[derive(Default)]
struct Inside {
    objects: BTreeMap<String, Bytes>,
    uploads: BTreeMap<String, BTreeMap<String, Bytes>>,
    begun: usize,
    log: Vec<ObjectAsked>,
}

struct Inner {
    inside: Mutex<Inside>,
    plan: Box<Plan>,
    is_open: bool,
}

/// A server under way; it goes away with the tests' process.
pub(crate) struct Buckets {
    url: String,
    inner: Arc<Inner>,
}

impl Buckets {
    /// A server that wants to be asked with [`KEY`].
    pub(crate) fn start() -> Self {
        Self::with(|_| Fault::None)
    }

    /// The same, which does as the plan says.
    pub(crate) fn with(plan: impl Fn(&ObjectAsked) -> Fault + Send + Sync + 'static) -> Self {
        Self::begin(Box::new(plan), false)
    }

    /// A server that wants no key, as the web does, and does as the plan says.
    pub(crate) fn open(plan: impl Fn(&ObjectAsked) -> Fault + Send + Sync + 'static) -> Self {
        Self::begin(Box::new(plan), true)
    }

    fn begin(plan: Box<Plan>, is_open: bool) -> Self {
        let inner = Arc::new(Inner {
            inside: Mutex::default(),
            plan,
            is_open,
        });
        let app = Router::new()
            .fallback(handle)
            .layer(DefaultBodyLimit::disable())
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

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inner.inside.lock().expect("no test panics with it")
    }

    /// Puts an object at `bucket/key`.
    pub(crate) fn put(&self, path: &str, bytes: impl Into<Bytes>) {
        self.inside()
            .objects
            .insert(format!("/{path}"), bytes.into());
    }

    /// The object at `bucket/key`.
    pub(crate) fn get(&self, path: &str) -> Option<Bytes> {
        self.inside().objects.get(&format!("/{path}")).cloned()
    }

    /// The paths of all objects, `bucket/key` each.
    pub(crate) fn paths(&self) -> Vec<String> {
        let inside = self.inside();
        let paths = inside.objects.keys().map(|path| path[1..].to_owned());
        paths.collect()
    }

    /// How many uploads were begun and neither completed nor given up.
    pub(crate) fn unfinished(&self) -> usize {
        self.inside().uploads.len()
    }

    /// Every request so far.
    pub(crate) fn requests(&self) -> Vec<ObjectAsked> {
        self.inside().log.clone()
    }

    /// The environment that leads a client of S3 here.
    pub(crate) fn s3(&self, command: Redraft) -> Redraft {
        command
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_ALLOW_HTTP", "true")
            .env("AWS_REGION", "test-1")
            .env("AWS_ACCESS_KEY_ID", KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("REDRAFT_REMOTE_RETRIES", "2")
    }
}

async fn handle(
    State(inner): State<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let mut inside = inner.inside.lock().expect("no test panics with it");
    let method = method.to_string();
    let path = plain(uri.path().trim_end_matches('/'));
    let same = |asked: &&ObjectAsked| asked.method == method && asked.path == path;
    let asked = ObjectAsked {
        before: inside.log.iter().filter(same).count(),
        query: uri.query().unwrap_or_default().to_owned(),
        length: body.len(),
        headers: headers.clone(),
        method,
        path,
    };
    inside.log.push(asked.clone());
    let fault = (inner.plan)(&asked);
    if let Fault::Status(status, code) = fault {
        return refuse(status, code);
    }
    let authorization = headers
        .get("authorization")
        .and_then(|text| text.to_str().ok());
    match authorization {
        _ if inner.is_open => {}
        None => return refuse(403, "AccessDenied"),
        Some(text) if text.contains(&format!("Credential={KEY}/")) => {}
        Some(_) => return refuse(403, "InvalidAccessKeyId"),
    }
    answer(&mut inside, &asked, &headers, body, &fault)
}

fn answer(
    inside: &mut Inside,
    asked: &ObjectAsked,
    headers: &HeaderMap,
    body: Bytes,
    fault: &Fault,
) -> Response<Body> {
    let path = asked.path.clone();
    let query = Query::of(&asked.query);
    let is_bucket = path.matches('/').count() == 1;
    let bucket = format!(
        "/{}/",
        path.trim_start_matches('/').split('/').next().unwrap_or("")
    );
    if !inside.objects.keys().any(|path| path.starts_with(&bucket)) {
        return refuse(
            404,
            if query.has("comp") {
                "ContainerNotFound"
            } else {
                "NoSuchBucket"
            },
        );
    }
    match (asked.method.as_str(), is_bucket) {
        ("GET", true) if query.get("comp") == "list" => list_blobs(inside, &bucket, &query),
        ("GET", true) => list(inside, &bucket, &query),
        ("GET" | "HEAD", false) => match inside.objects.get(&path) {
            Some(bytes) => {
                let etag = format!("\"{:016x}\"", super::hash(&String::from_utf8_lossy(bytes)));
                file(bytes, &etag, headers, fault)
            }
            None => refuse(404, "NoSuchKey"),
        },
        ("POST", false) if query.has("uploads") => {
            inside.begun += 1;
            let id = format!("upload-{}", inside.begun);
            inside.uploads.insert(id.clone(), BTreeMap::new());
            let name = "InitiateMultipartUploadResult";
            xml(format!("<{name}><UploadId>{id}</UploadId></{name}>"))
        }
        ("PUT", false) if query.has("partNumber") => {
            let number = format!("{:0>5}", query.get("partNumber"));
            let Some(parts) = inside.uploads.get_mut(&query.get("uploadId")) else {
                return refuse(404, "NoSuchUpload");
            };
            parts.insert(number, body);
            tagged(200)
        }
        ("POST", false) if query.has("uploadId") => {
            let Some(parts) = inside.uploads.remove(&query.get("uploadId")) else {
                return refuse(404, "NoSuchUpload");
            };
            inside.objects.insert(path, join(parts.into_values()));
            let name = "CompleteMultipartUploadResult";
            xml(format!("<{name}><ETag>\"whole\"</ETag></{name}>"))
        }
        ("DELETE", false) if query.has("uploadId") => {
            inside.uploads.remove(&query.get("uploadId"));
            tagged(204)
        }
        ("DELETE", false) => {
            inside.objects.remove(&path);
            tagged(204)
        }
        ("PUT", false) if query.get("comp") == "block" => {
            let blocks = inside.uploads.entry(path).or_default();
            blocks.insert(query.get("blockid"), body);
            tagged(201)
        }
        ("PUT", false) if query.get("comp") == "blocklist" => {
            let blocks = inside.uploads.remove(&path).unwrap_or_default();
            let list = String::from_utf8_lossy(&body).into_owned();
            let ids = list.split("<Uncommitted>").skip(1);
            let ids = ids.filter_map(|rest| rest.split("</Uncommitted>").next());
            let bytes = ids.map(|id| blocks.get(id).cloned().expect("a block of this upload"));
            let whole = join(bytes);
            inside.objects.insert(path, whole);
            tagged(201)
        }
        ("PUT", false) => {
            inside.objects.insert(path, body);
            tagged(201)
        }
        _ => refuse(405, "MethodNotAllowed"),
    }
}

fn list(inside: &Inside, bucket: &str, query: &Query) -> Response<Body> {
    let page = Page::of(inside, bucket, query, "continuation-token");
    let mut text = "<ListBucketResult>".to_owned();
    for (key, size) in &page.keys {
        let _ = write!(
            text,
            "<Contents><Key>{key}</Key><Size>{size}</Size><LastModified>2030-01-01T00:00:00Z\
             </LastModified><ETag>\"x\"</ETag></Contents>"
        );
    }
    for folder in &page.folders {
        let _ = write!(
            text,
            "<CommonPrefixes><Prefix>{folder}</Prefix></CommonPrefixes>"
        );
    }
    if let Some(next) = &page.next {
        let _ = write!(
            text,
            "<NextContinuationToken>{next}</NextContinuationToken>"
        );
    }
    xml(text + "</ListBucketResult>")
}

fn list_blobs(inside: &Inside, bucket: &str, query: &Query) -> Response<Body> {
    let page = Page::of(inside, bucket, query, "marker");
    let mut text = "<EnumerationResults><Blobs>".to_owned();
    for (key, size) in &page.keys {
        let _ = write!(
            text,
            "<Blob><Name>{key}</Name><Properties><Last-Modified>Tue, 01 Jan 2030 00:00:00 GMT\
             </Last-Modified><Content-Length>{size}</Content-Length><Content-Type>x</Content-Type>\
             <Etag>x</Etag></Properties></Blob>"
        );
    }
    for folder in &page.folders {
        let _ = write!(text, "<BlobPrefix><Name>{folder}</Name></BlobPrefix>");
    }
    let next = page.next.unwrap_or_default();
    xml(format!(
        "{text}</Blobs><NextMarker>{next}</NextMarker></EnumerationResults>"
    ))
}

/// One page of a listing.
#[derive(Default)]
struct Page {
    keys: Vec<(String, usize)>,
    folders: Vec<String>,
    next: Option<String>,
}

impl Page {
    fn of(inside: &Inside, bucket: &str, query: &Query, token: &str) -> Self {
        let prefix = query.get("prefix");
        let after = query.get(token);
        let mut page = Self::default();
        for (path, bytes) in &inside.objects {
            let Some(key) = path
                .strip_prefix(bucket)
                .filter(|key| key.starts_with(&prefix))
            else {
                continue;
            };
            let deeper = key[prefix.len()..].split_once('/');
            if let Some((folder, _)) = deeper.filter(|_| query.has("delimiter")) {
                let folder = format!("{prefix}{folder}/");
                if !page.folders.contains(&folder) && after.is_empty() {
                    page.folders.push(folder);
                }
            } else if *key > *after && page.next.is_none() {
                if page.keys.len() == PAGE {
                    page.next = page.keys.last().map(|(key, _)| key.clone());
                } else {
                    page.keys.push((key.to_owned(), bytes.len()));
                }
            }
        }
        page
    }
}

/// The parameters behind the question mark.
struct Query(BTreeMap<String, String>);

impl Query {
    fn of(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let plain = |text: &str| {
            text.replace("%2F", "/")
                .replace("%3D", "=")
                .replace("%2B", "+")
        };
        Self(
            pairs
                .map(|(name, value)| (name.to_owned(), plain(value)))
                .collect(),
        )
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn get(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_default()
    }
}

/// A text without its escapes.
fn plain(text: &str) -> String {
    let mut parts = text.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_at(2);
        let code = u8::from_str_radix(code, 16).expect("an escape");
        plain.push(char::from(code));
        plain.push_str(rest);
    }
    plain
}

fn join(parts: impl Iterator<Item = Bytes>) -> Bytes {
    let parts: Vec<Bytes> = parts.collect();
    parts.concat().into()
}

fn xml(text: String) -> Response<Body> {
    Response::new(Body::from(text))
}

fn tagged(status: u16) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("etag", "\"part\"")
        .body(Body::empty())
        .expect("a response")
}

/// A refusal as all clouds word it; it quotes what must never be shown.
fn refuse(status: u16, code: &str) -> Response<Body> {
    let text = format!("<Error><Code>{code}</Code><Message>signed with {SECRET}</Message></Error>");
    Response::builder()
        .status(status)
        .header("retry-after", "0")
        .body(Body::from(text))
        .expect("a response")
}
