//! Files at plain addresses of the web, and the client that the hub is asked with, too.

use std::ops::Range;
use std::sync::{Arc, Once};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use http::StatusCode;
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, LAST_MODIFIED,
    LOCATION, RANGE, RETRY_AFTER,
};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};

use super::address::shown_url;
use super::depot::{Depot, Opened, Parts};
use super::error::RemoteError;

/// How long a connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long a server may be silent in the middle of an answer.
const SILENCE_LIMIT: Duration = Duration::from_secs(60);
/// How often a request may be sent on to another address.
const MOST_REDIRECTS: usize = 10;
/// Where the hub says which content an address led to.
const LINKED_ETAG: &str = "x-linked-etag";

/// A token, and the one server that is told it.
#[derive(Clone)]
pub(super) struct Token {
    value: HeaderValue,
    server: Url,
}

impl Token {
    /// The token `text` for `server`; nothing where it is no token that can be sent.
    pub(super) fn new(text: &str, server: Url) -> Option<Self> {
        let mut value = HeaderValue::try_from(format!("Bearer {}", text.trim())).ok()?;
        value.set_sensitive(true);
        Some(Self { value, server })
    }
}

/// A client that follows redirects itself, so that no token goes anywhere else.
pub(super) struct Web {
    client: Client,
    token: Option<Token>,
}

/// An answer that is no refusal.
pub(super) struct Answer {
    pub(super) response: Response,
    /// What names the content, where the address on the way said it.
    linked: Option<String>,
}

impl Web {
    /// A client for what lies behind `url`, which messages call `shown`.
    ///
    /// # Errors
    ///
    /// When TLS cannot be set up.
    pub(super) fn new(shown: &str, url: &Url, token: Option<Token>) -> Result<Self, RemoteError> {
        install_tls_provider();
        let builder = || {
            let builder = Client::builder()
                .user_agent(concat!("redraft/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(CONNECT_LIMIT)
                .read_timeout(SILENCE_LIMIT)
                .redirect(Policy::none());
            if is_loopback(url) {
                builder.no_proxy()
            } else {
                builder
            }
        };
        let client = match builder().build() {
            // A container without certificates can still reach a server that needs none.
            Err(_) if url.scheme() == "http" => builder().tls_certs_only([]).build(),
            client => client,
        };
        let client = client.map_err(|error| RemoteError::Settings {
            shown: shown.to_owned(),
            what: told(&error),
            hint: "install the certificates of your system",
        })?;
        Ok(Self { client, token })
    }

    /// Asks for `url`, or a range of it, once; sent on as the server says.
    ///
    /// # Errors
    ///
    /// When nobody answers. Answers that refuse are answers.
    pub(super) async fn get(
        &self,
        shown: &str,
        mut url: Url,
        range: Option<&Range<u64>>,
    ) -> Result<Answer, RemoteError> {
        let mut linked = None;
        for _ in 0..=MOST_REDIRECTS {
            let response = self.request(shown, &url, range).await?;
            linked = linked.or_else(|| text(response.headers(), LINKED_ETAG));
            let Some(next) = sent_on(&response) else {
                return Ok(Answer { response, linked });
            };
            let other = |what: String| RemoteError::Other {
                shown: shown.to_owned(),
                what,
            };
            let next = url
                .join(&next)
                .map_err(|_| other("it is sent on to no address".to_owned()))?;
            if url.scheme() == "https" && next.scheme() != "https" {
                let host = next.host_str().unwrap_or_default();
                return Err(other(format!(
                    "it is sent on to {host} without encryption, which is not followed"
                )));
            }
            url = next;
        }
        Err(RemoteError::Other {
            shown: shown.to_owned(),
            what: format!("it is sent on more than {MOST_REDIRECTS} times"),
        })
    }

    async fn request(
        &self,
        shown: &str,
        url: &Url,
        range: Option<&Range<u64>>,
    ) -> Result<Response, RemoteError> {
        let mut request = self
            .client
            .get(url.clone())
            .header(ACCEPT_ENCODING, "identity");
        if let Some(token) = &self.token
            && token.server.origin() == url.origin()
        {
            request = request.header(AUTHORIZATION, token.value.clone());
        }
        if let Some(range) = range {
            let end = (range.end != u64::MAX).then(|| (range.end - 1).to_string());
            let end = end.unwrap_or_default();
            request = request.header(RANGE, format!("bytes={}-{end}", range.start));
        }
        request.send().await.map_err(|error| {
            let (shown, host) = (shown.to_owned(), host_of(url));
            let what = told(&error);
            if error.is_connect() {
                RemoteError::Unreachable { shown, host, what }
            } else {
                RemoteError::NoAnswer { shown, host, what }
            }
        })
    }
}

impl Answer {
    /// Its status.
    pub(super) fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The object that it holds. `range` is what was asked for.
    ///
    /// # Errors
    ///
    /// When its headers make no sense.
    pub(super) fn opened(
        self,
        shown: &str,
        range: Option<&Range<u64>>,
    ) -> Result<Opened, RemoteError> {
        let headers = self.response.headers();
        let version = self
            .linked
            .or_else(|| text(headers, ETAG.as_str()))
            .or_else(|| text(headers, LAST_MODIFIED.as_str()));
        let whole = self.response.content_length();
        let (from, size) = match self.response.status() {
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                let said = headers
                    .get(CONTENT_RANGE)
                    .and_then(|said| said.to_str().ok());
                let (from, size) =
                    said.and_then(content_range)
                        .ok_or_else(|| RemoteError::Other {
                            shown: shown.to_owned(),
                            what: "its server answers without saying which part it sends"
                                .to_owned(),
                        })?;
                (from.or(range.map(|range| range.start)).unwrap_or(0), size)
            }
            _ => (0, whole),
        };
        if self.response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            return Ok(Opened {
                size,
                version,
                from,
                chunks: futures::stream::empty().boxed(),
            });
        }
        let shown = shown.to_owned();
        let chunks = self.response.bytes_stream().map(move |chunk| {
            chunk.map_err(|_| RemoteError::BrokeOff {
                shown: shown.clone(),
                at: from,
                of: String::new(),
            })
        });
        Ok(Opened {
            size,
            version,
            from,
            chunks: chunks.boxed(),
        })
    }
}

/// A file at an address of its own; the depot's only key is empty.
pub(super) struct WebFile {
    web: Web,
    url: Url,
    shown: String,
}

impl WebFile {
    /// What lies at `url`.
    ///
    /// # Errors
    ///
    /// When TLS cannot be set up.
    pub(super) fn at(url: &Url) -> Result<Arc<dyn Depot>, RemoteError> {
        let shown = shown_url(url);
        let web = Web::new(&shown, url, None)?;
        let url = url.clone();
        Ok(Arc::new(Self { web, url, shown }))
    }
}

/// Without the address, which may hold what is secret.
impl std::fmt::Debug for WebFile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = &self.shown;
        formatter
            .debug_struct("WebFile")
            .field("shown", shown)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Depot for WebFile {
    async fn read(&self, _: &str, range: Option<Range<u64>>) -> Result<Opened, RemoteError> {
        let shown = &self.shown;
        let answer = self
            .web
            .get(shown, self.url.clone(), range.as_ref())
            .await?;
        match answer.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                answer.opened(shown, range.as_ref())
            }
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                Err(RemoteError::Denied {
                    shown: shown.clone(),
                    status: status.as_u16(),
                    what: String::new(),
                    hint:
                        "an address that anyone may read is needed, or one that was signed for you \
                       and has not expired"
                            .to_owned(),
                })
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => Err(RemoteError::NotThere {
                shown: shown.clone(),
                what: String::new(),
                hint: "check the address",
            }),
            status => Err(refused(shown, status, answer.response.headers())),
        }
    }

    async fn list(&self, _: &str, _: bool) -> Result<Vec<String>, RemoteError> {
        let shown = self.shown.clone();
        Err(RemoteError::NoListing { shown })
    }

    async fn put(&self, _: &str, _: Bytes) -> Result<(), RemoteError> {
        Err(no_writing(&self.shown))
    }

    async fn begin(&self, _: &str) -> Result<Box<dyn Parts>, RemoteError> {
        Err(no_writing(&self.shown))
    }

    async fn remove(&self, _: &str) -> Result<(), RemoteError> {
        Err(no_writing(&self.shown))
    }
}

/// That nothing is written to addresses of the web.
pub(super) fn no_writing(shown: &str) -> RemoteError {
    RemoteError::NoWriting {
        shown: shown.to_owned(),
        hint: "give a file, or an address that begins with s3://, gs:// or az://",
    }
}

/// What an answer means that no rule is for: one that may pass, or not.
pub(super) fn refused(shown: &str, status: StatusCode, headers: &HeaderMap) -> RemoteError {
    let shown = shown.to_owned();
    let passes = status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
        );
    if passes {
        let after = text(headers, RETRY_AFTER.as_str()).and_then(|after| after.trim().parse().ok());
        return RemoteError::Failing {
            shown,
            status: status.as_u16(),
            after: after.map(|seconds: u64| seconds.saturating_mul(1000)),
        };
    }
    let what = format!("the server answers {status}");
    RemoteError::Other { shown, what }
}

/// A header that is text.
pub(super) fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.to_owned())
}

/// Where a range begins, and how long the whole is, as `Content-Range` says it.
fn content_range(said: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (range, size) = said.trim().strip_prefix("bytes")?.trim().split_once('/')?;
    let from = range
        .split_once('-')
        .and_then(|(from, _)| from.parse().ok());
    Some((from, size.parse().ok()))
}

fn sent_on(response: &Response) -> Option<String> {
    let is_sent_on = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    text(response.headers(), LOCATION.as_str()).filter(|_| is_sent_on)
}

fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = bare
        .parse()
        .is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    address || host == "localhost"
}

/// The last cause of a failure, which says most, and never an address.
fn told(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// reqwest is built without a TLS provider, so that ring is the only one in the program.
pub(super) fn install_tls_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that somebody has chosen one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_say_where_they_begin() {
        assert_eq!(content_range("bytes 5-9/20"), Some((Some(5), Some(20))));
        assert_eq!(content_range("bytes 5-9/*"), Some((Some(5), None)));
        assert_eq!(content_range("bytes */0"), Some((None, Some(0))));
        assert_eq!(content_range("lines 1-2/3"), None);
    }

    #[test]
    fn only_the_loopback_is_this_machine() {
        let is = |url: &str| is_loopback(&Url::parse(url).unwrap());
        assert!(is("http://127.0.0.1:80/") && is("http://[::1]/") && is("http://localhost/"));
        assert!(!is("http://10.0.0.1/") && !is("https://localhost.example/"));
    }
}
