//! The tower service under async-openai's client: it adds what identifies us, sees status, headers
//! and the whole body, and gives every failure its own error.

use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Client, Request, Response, StatusCode};
use serde_json::value::RawValue;
use tokio::time::timeout;
use tower::Service;

use super::direct::Lost;
use super::durations::LONGEST;
use super::error_body::{ErrorBody, text_message};
use super::excerpt::excerpt;
use super::rate_headers::rate_notice;
use super::retry_after::retry_after;
use super::secrets::Secrets;
use super::time_limits::{Expired, TimeLimits, Watch};
use super::{Endpoint, EndpointError};
use crate::model::{BrokenOff, ModelError, NotConnected, RateSink, TimeLimit};

/// A longer reply is refused: no model writes that much, and memory must stay bounded.
const LONGEST_REPLY: usize = 64 << 20;

/// The longest file that is taken: replies of a whole batch.
const LONGEST_FILE: usize = 2 << 30;

/// More of an error is not read, nor waited for longer than this.
const LONGEST_ERROR: usize = 64 << 10;
const SLOWEST_ERROR: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub(super) struct HttpService(Arc<Exchange>);

/// One endpoint, and how every failure there is told.
pub(super) struct Exchange {
    pub(super) http: Client,
    shown: String,
    headers: HeaderMap,
    connect_timeout: Duration,
    limits: TimeLimits,
    secrets: Arc<Secrets>,
    longest_reply: usize,
    rates: Arc<OnceLock<Arc<dyn RateSink>>>,
}

impl HttpService {
    /// The service that reaches `endpoint` over `http`, and tells `rates`, once there is somebody,
    /// what replies say about rate limits.
    ///
    /// # Errors
    ///
    /// When the key, or another header, cannot be sent.
    pub(super) fn new(
        endpoint: &Endpoint,
        http: Client,
        secrets: Arc<Secrets>,
        rates: Arc<OnceLock<Arc<dyn RateSink>>>,
    ) -> Result<Self, EndpointError> {
        Ok(Self(Arc::new(Exchange::new(
            endpoint, http, secrets, rates,
        )?)))
    }

    /// The same for files, which may be long.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub(super) fn for_files(
        endpoint: &Endpoint,
        http: Client,
        secrets: Arc<Secrets>,
    ) -> Result<Self, EndpointError> {
        let mut exchange = Exchange::new(endpoint, http, secrets, Arc::default())?;
        exchange.longest_reply = LONGEST_FILE;
        Ok(Self(Arc::new(exchange)))
    }
}

/// What identifies us to `endpoint`.
pub(super) fn headers(endpoint: &Endpoint, http: &Client) -> Result<HeaderMap, EndpointError> {
    let mut headers = HeaderMap::new();
    // reqwest turns `user:password@` into a header; async-openai is given the bare address.
    let bare = http
        .get(endpoint.base_url.with_credentials().clone())
        .build();
    if let Some(basic) = bare
        .ok()
        .and_then(|request| request.headers().get(AUTHORIZATION).cloned())
    {
        headers.insert(AUTHORIZATION, basic);
    }
    if let Some(key) = endpoint.api_key.as_ref().filter(|key| !key.is_empty()) {
        let bearer = format!("Bearer {}", key.expose());
        headers.insert(AUTHORIZATION, sensitive(&bearer).ok_or(EndpointError::Key)?);
    }
    for (name, value) in &endpoint.headers {
        let refused = || EndpointError::Header { name: name.clone() };
        let parsed = name.parse::<HeaderName>().map_err(|_| refused())?;
        headers.insert(parsed, sensitive(value.expose()).ok_or_else(refused)?);
    }
    Ok(headers)
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl Service<HttpRequestFactory> for HttpService {
    type Response = Response;
    type Error = OpenAIError;
    type Future = BoxFuture<'static, Result<Response, OpenAIError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), OpenAIError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequestFactory) -> Self::Future {
        let exchange = Arc::clone(&self.0);
        Box::pin(async move {
            let reply = exchange.run(request).await;
            let body = reply.map_err(|error| OpenAIError::Boxed(Box::new(error)))?;
            // async-openai copies the headers of a reply; nobody reads them beyond this point.
            Ok(http::Response::new(body).into())
        })
    }
}

impl Exchange {
    /// The way to `endpoint` over `http`.
    ///
    /// # Errors
    ///
    /// When the key, or another header, cannot be sent.
    pub(super) fn new(
        endpoint: &Endpoint,
        http: Client,
        secrets: Arc<Secrets>,
        rates: Arc<OnceLock<Arc<dyn RateSink>>>,
    ) -> Result<Self, EndpointError> {
        Ok(Self {
            headers: headers(endpoint, &http)?,
            http,
            shown: endpoint.base_url.to_string(),
            connect_timeout: endpoint.connect_timeout,
            limits: TimeLimits::of(endpoint),
            secrets,
            longest_reply: LONGEST_REPLY,
            rates,
        })
    }

    async fn run(&self, factory: HttpRequestFactory) -> Result<Bytes, ModelError> {
        let mut watch = self.watch();
        let response = watch
            .within(self.send_made(factory))
            .await
            .map_err(|expired| self.too_slow(expired))??;
        self.tell_rates(&response);
        if !response.status().is_success() {
            return Err(self.failure(response, &watch).await);
        }
        self.in_time(watch.moved())?;
        // The lines of a file are JSON one by one, and their reader says which are not.
        let is_file = response.url().path().ends_with("/content");
        let body = self.whole_body(response, watch).await?;
        if !is_file {
            self.check_json(&body)?;
        }
        Ok(body)
    }

    /// Follows a call that begins now.
    pub(super) fn watch(&self) -> Watch {
        Watch::new(self.limits)
    }

    async fn send_made(&self, factory: HttpRequestFactory) -> Result<Response, ModelError> {
        let mut request = factory
            .build()
            .await
            .map_err(|error| ModelError::Other(self.secrets.hide(&error.to_string())))?;
        self.identify(request.headers_mut());
        self.send(request).await
    }

    /// Adds what identifies us.
    pub(super) fn identify(&self, headers: &mut HeaderMap) {
        // Without a key async-openai sends an empty bearer, which some servers refuse.
        headers.remove(AUTHORIZATION);
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
    }

    /// Sends a request, and waits for the head of the reply.
    pub(super) async fn send(&self, request: Request) -> Result<Response, ModelError> {
        let sent = self.http.execute(request).await;
        sent.map_err(|error| self.broken(error))
    }

    pub(super) fn tell_rates(&self, response: &Response) {
        let Some(sink) = self.rates.get() else {
            return;
        };
        if let Some(notice) = rate_notice(response.headers()) {
            sink.told(&notice);
        }
    }

    /// Reads the body, without copying it when it comes in one piece.
    async fn whole_body(
        &self,
        mut response: Response,
        mut watch: Watch,
    ) -> Result<Bytes, ModelError> {
        let announced = response.content_length().unwrap_or(0);
        self.check_length(announced)?;
        let mut next = async |read: usize| {
            let piece = watch.within(response.chunk()).await;
            let piece = piece.map_err(|expired| self.too_slow(expired))?;
            self.in_time(watch.moved())?;
            piece.map_err(|error| self.broken_off(read, error))
        };
        let Some(first) = next(0).await? else {
            return Ok(Bytes::new());
        };
        let Some(second) = next(first.len()).await? else {
            return Ok(first);
        };
        let capacity = usize::try_from(announced).unwrap_or(0);
        let mut whole = BytesMut::with_capacity(capacity.max(first.len() + second.len()));
        whole.extend_from_slice(&first);
        whole.extend_from_slice(&second);
        while let Some(piece) = next(whole.len()).await? {
            self.check_length((whole.len() + piece.len()) as u64)?;
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    fn check_length(&self, length: u64) -> Result<(), ModelError> {
        if length <= self.longest_reply as u64 {
            return Ok(());
        }
        Err(ModelError::Garbled {
            what: format!("longer than {} bytes", self.longest_reply),
        })
    }

    /// Checked here, because async-openai would log a body that is not JSON in full.
    fn check_json(&self, body: &[u8]) -> Result<(), ModelError> {
        let Err(error) = serde_json::from_slice::<&RawValue>(body) else {
            return Ok(());
        };
        let what = if body.is_empty() {
            "nothing".to_owned()
        } else if error.is_eof() {
            format!("JSON that breaks off after {} bytes", body.len())
        } else {
            let text = text_message(&String::from_utf8_lossy(body));
            format!("not JSON: {}", excerpt(&self.secrets.hide(&text)))
        };
        Err(ModelError::Garbled { what })
    }

    /// The error that a reply without success tells of; its body is waited for as long as the call
    /// may still take, and not long.
    pub(super) async fn failure(&self, response: Response, watch: &Watch) -> ModelError {
        let status = response.status();
        let retry_after = retry_after(response.headers());
        let location = (response.headers().get(LOCATION))
            .filter(|_| status.is_redirection())
            .map(|location| String::from_utf8_lossy(location.as_bytes()).into_owned());
        if let Some(location) = location {
            let location = excerpt(&self.secrets.hide(&location));
            return self.status(status, format!("redirects to {location}"), None);
        }
        let patience = SLOWEST_ERROR.min(watch.left());
        let body = ErrorBody::read(&error_bytes(response, patience).await).hiding(&self.secrets);
        let code = status.as_u16();
        if code == 402 || (matches!(code, 400 | 403 | 429) && body.tells_of_no_money()) {
            return ModelError::OutOfMoney {
                endpoint: self.shown.clone(),
                message: body.message_or("payment required"),
            };
        }
        // A rate limit may name tokens too; only a refusal of this request is about its length.
        let is_about_request = matches!(code, 400 | 413 | 422 | 500);
        if is_about_request && body.tells_of_full_context() {
            return ModelError::ContextLength {
                message: body.message_or("the server says so"),
            };
        }
        let retry_after = match code {
            429 | 503 => retry_after.or_else(|| body.wait()),
            _ => retry_after,
        };
        let retry_after = retry_after.map(|wait| wait.min(LONGEST));
        let reason = status.canonical_reason().unwrap_or("no message");
        self.status(status, body.message_or(reason), retry_after)
    }

    fn status(
        &self,
        status: StatusCode,
        message: String,
        retry_after: Option<Duration>,
    ) -> ModelError {
        ModelError::Status {
            endpoint: self.shown.clone(),
            status: status.as_u16(),
            message,
            retry_after,
        }
    }

    /// The error of a connection that did not come about, or broke before the reply began.
    fn broken(&self, error: reqwest::Error) -> ModelError {
        let is_connect = error.is_connect();
        if is_connect && error.is_timeout() {
            return self.lost(Lost::TooSlow);
        }
        // The address may hold credentials, and is in the message already.
        let error = error.without_url();
        ModelError::Connection {
            endpoint: self.shown.clone(),
            source: if is_connect {
                Box::new(NotConnected::new(error))
            } else {
                Box::new(error)
            },
        }
    }

    /// The same of a connection of our own.
    pub(super) fn lost(&self, lost: Lost) -> ModelError {
        let source: Box<dyn Error + Send + Sync> = match lost {
            Lost::TooSlow => {
                return self.too_slow(Expired {
                    which: TimeLimit::Connect,
                    limit: self.connect_timeout,
                });
            }
            Lost::NotConnected(error) => Box::new(NotConnected::new(error)),
            Lost::Broken(error) => Box::new(error),
        };
        ModelError::Connection {
            endpoint: self.shown.clone(),
            source,
        }
    }

    /// The error of a connection that broke after so many bytes of the reply.
    pub(super) fn broken_off(&self, bytes: usize, error: reqwest::Error) -> ModelError {
        ModelError::Connection {
            endpoint: self.shown.clone(),
            source: Box::new(BrokenOff::new(bytes, error.without_url())),
        }
    }

    pub(super) fn in_time(&self, moved: Result<(), Expired>) -> Result<(), ModelError> {
        moved.map_err(|expired| self.too_slow(expired))
    }

    pub(super) fn too_slow(&self, expired: Expired) -> ModelError {
        ModelError::Timeout {
            endpoint: self.shown.clone(),
            which: expired.which,
            limit: expired.limit,
        }
    }
}

/// As much of an error's body as comes soon; the status alone is worth reporting, too.
async fn error_bytes(mut response: Response, patience: Duration) -> Vec<u8> {
    let mut body = Vec::new();
    let reading = async {
        while let Ok(Some(piece)) = response.chunk().await {
            let room = LONGEST_ERROR - body.len();
            body.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.len() >= room {
                break;
            }
        }
    };
    // Cut short or not, what has come is in `body`.
    let _ = timeout(patience, reading).await;
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::openai::http_client::http_client;
    use crate::model::openai::test_server::{ok, serve_bytes};

    /// Fetches these bytes with a bound of 1,000 for the reply.
    async fn fetch(bytes: String) -> Result<Bytes, ModelError> {
        let endpoint = serve_bytes(bytes, Duration::ZERO).await;
        let http = http_client(&endpoint).expect("a client");
        let exchange = Exchange {
            http: http.clone(),
            shown: endpoint.base_url.to_string(),
            headers: HeaderMap::new(),
            connect_timeout: endpoint.connect_timeout,
            limits: TimeLimits::of(&endpoint),
            secrets: Arc::new(Secrets::of(&endpoint)),
            longest_reply: 1000,
            rates: Arc::default(),
        };
        let url = format!("{}/chat/completions", endpoint.base_url);
        let factory = HttpRequestFactory::new(move || {
            let request = http.post(&url).build();
            async move { Ok(request?) }
        });
        exchange.run(factory).await
    }

    #[tokio::test]
    async fn a_reply_beyond_the_bound_is_refused_announced_or_not() {
        let json = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
        assert_eq!(fetch(ok(&json(1000))).await.expect("a body").len(), 1000);
        let unannounced = format!("HTTP/1.1 200 OK\r\n\r\n{}", json(100_000));
        for bytes in [ok(&json(1001)), unannounced] {
            let error = fetch(bytes).await.expect_err("too long");
            assert!(
                error.to_string().contains("longer than 1000 bytes"),
                "{error}"
            );
        }
    }
}
