//! The model behind an [`Endpoint`].

use std::fmt;
use std::sync::{Arc, OnceLock};

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_trait::async_trait;
use bytes::Bytes;
use serde_json::value::RawValue;

use super::http_client::http_client;
use super::reply;
use super::request_body::RequestBody;
use super::secrets::Secrets;
use super::service::HttpService;
use super::{Endpoint, EndpointError, MaxTokensField};
use crate::model::{ChatModel, ChatRequest, Completion, ModelError, RateSink};

/// A model on a server that speaks OpenAI's chat completions.
///
/// One call is one HTTP request: nothing is retried, limited or remembered here. Use
/// [`stack`](crate::model::stack::stack) for a model with everything around it.
#[derive(Clone)]
pub struct OpenAi {
    model: String,
    pub(super) shown: String,
    pub(super) client: Client<OpenAIConfig>,
    pub(super) limit_name: MaxTokensField,
    pub(super) secrets: Arc<Secrets>,
    rates: Arc<OnceLock<Arc<dyn RateSink>>>,
}

impl OpenAi {
    /// The client for `endpoint`; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`EndpointError`] when the key or a header cannot be sent, or TLS cannot be set up.
    pub fn new(endpoint: &Endpoint) -> Result<Self, EndpointError> {
        let http = http_client(endpoint)?;
        let secrets = Arc::new(Secrets::of(endpoint));
        let rates = Arc::default();
        let service = HttpService::new(
            endpoint,
            http.clone(),
            Arc::clone(&secrets),
            Arc::clone(&rates),
        )?;
        Ok(Self {
            model: endpoint.model.clone(),
            shown: endpoint.base_url.to_string(),
            client: Client::build(http, config(endpoint)).with_http_service(service),
            limit_name: endpoint.max_tokens_field(),
            secrets,
            rates,
        })
    }

    /// Tells `sink` from now on what replies say about rate limits; the first sink stays.
    #[must_use]
    pub fn telling(self, sink: Arc<dyn RateSink>) -> Self {
        let _ = self.rates.set(sink);
        self
    }

    pub(super) fn failure(&self, error: OpenAIError) -> ModelError {
        match error {
            OpenAIError::Boxed(error) => match error.downcast::<ModelError>() {
                Ok(error) => *error,
                Err(source) => ModelError::Connection {
                    endpoint: self.shown.clone(),
                    source,
                },
            },
            // The body stands in the error's text, so only the reader's own words are kept.
            OpenAIError::JSONDeserialize(error, _) => ModelError::Garbled {
                what: error.to_string(),
            },
            error => ModelError::Other(self.secrets.hide(&error.to_string())),
        }
    }
}

/// The service below adds the key. What the environment says to async-openai itself must not reach
/// a server that the user named otherwise.
pub(super) fn config(endpoint: &Endpoint) -> OpenAIConfig {
    OpenAIConfig::new()
        .with_api_base(endpoint.base_url.as_str())
        .with_api_key("")
        .with_org_id("")
        .with_project_id("")
}

impl fmt::Debug for OpenAi {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("OpenAi")
            .field("model", &self.model)
            .field("base_url", &self.shown)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl ChatModel for OpenAi {
    fn name(&self) -> &str {
        &self.model
    }

    async fn complete(&self, request: &ChatRequest) -> Result<Completion, ModelError> {
        let body = RequestBody::new(&self.model, request, self.limit_name)?;
        let reply: Result<Box<RawValue>, OpenAIError> = self.client.chat().create_byot(&body).await;
        let raw = reply.map_err(|error| self.failure(error))?;
        let raw = Bytes::from(String::from(Box::<str>::from(raw)));
        let completion = self.read(&raw)?;
        Ok(Completion {
            raw: Some(raw),
            ..completion
        })
    }

    fn read(&self, raw: &[u8]) -> Result<Completion, ModelError> {
        reply::read(raw, &self.secrets)
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::sync::Mutex;
    use std::time::Duration;

    use axum::Json;
    use axum::http::{HeaderMap, StatusCode};
    use serde_json::{Value, json};

    use super::*;
    use crate::message::Message;
    use crate::model::Finish;
    use crate::model::openai::ApiKey;
    use crate::model::openai::test_server::{
        End, full_queue, nobody, ok, serve, serve_bytes, serve_pieces,
    };
    use crate::model::{Allowance, RateNotice, TimeLimit};

    const REPLY: &str = r#"{"choices":[{"message":{"content":"Hello."},"finish_reason":"stop"}]}"#;

    async fn ask(endpoint: &Endpoint) -> Result<Completion, ModelError> {
        let request = ChatRequest::new(vec![Message::user("Hi")]);
        OpenAi::new(endpoint)
            .expect("a client")
            .complete(&request)
            .await
    }

    async fn ask_bytes(bytes: &str) -> Result<Completion, ModelError> {
        ask(&serve_bytes(bytes, Duration::ZERO).await).await
    }

    /// What becomes of a status with this body.
    async fn ask_status(status: u16, body: &'static str) -> ModelError {
        let status = StatusCode::from_u16(status).expect("a status");
        let endpoint = serve(move || async move { (status, body) }).await;
        ask(&endpoint).await.expect_err("an error")
    }

    /// An error with all that stands underneath it.
    fn chain(error: &ModelError) -> String {
        let mut text = format!("{error} {error:?}");
        let mut source = error.source();
        while let Some(cause) = source {
            text = format!("{text} {cause} {cause:?}");
            source = cause.source();
        }
        text
    }

    #[tokio::test]
    async fn a_reply_is_read_and_kept_as_it_came() {
        let reply = r#"{"choices": [ {"message":{"content":"Hello."}, "finish_reason":"length"}], "unknown":1.50}"#;
        let completion = ask_bytes(&ok(reply)).await.expect("a completion");
        assert_eq!(completion.text, "Hello.");
        assert_eq!(completion.finish, Finish::Length);
        assert_eq!(completion.raw.as_deref(), Some(reply.as_bytes()));
        let endpoint = nobody().await;
        let read = OpenAi::new(&endpoint)
            .expect("a client")
            .read(reply.as_bytes());
        let again = Completion {
            raw: None,
            ..completion
        };
        assert_eq!(read.expect("a completion"), again);
    }

    #[tokio::test]
    async fn a_reply_in_many_pieces_is_put_together() {
        let long = REPLY.replace("Hello.", &"word ".repeat(200_000));
        let completion = ask_bytes(&ok(&long)).await.expect("a completion");
        assert_eq!(completion.text.len(), 1_000_000);
        assert_eq!(completion.raw.map(|raw| raw.len()), Some(long.len()));
    }

    #[tokio::test]
    async fn the_request_carries_model_key_and_headers() {
        type Seen = (HeaderMap, Value);
        let seen: Arc<Mutex<Option<Seen>>> = Arc::default();
        let slot = Arc::clone(&seen);
        let endpoint = serve(
            move |headers: HeaderMap, Json(body): Json<Value>| async move {
                *slot.lock().expect("a lock") = Some((headers, body));
                REPLY
            },
        )
        .await;
        let endpoint = Endpoint {
            api_key: Some(ApiKey::new("sk-abc\n")),
            headers: vec![("x-team".to_owned(), ApiKey::new("blue"))],
            ..endpoint
        };
        ask(&endpoint).await.expect("a completion");
        let (headers, body) = seen.lock().expect("a lock").take().expect("a request");
        assert_eq!(headers["authorization"], "Bearer sk-abc");
        assert_eq!(headers["x-team"], "blue");
        assert_eq!(headers["content-type"], "application/json");
        let messages = json!([{ "role": "user", "content": "Hi" }]);
        assert_eq!(body, json!({ "model": "qwen", "messages": messages }));
    }

    #[tokio::test]
    async fn without_a_key_no_authorization_is_sent_and_a_password_in_the_url_is() {
        let endpoint = serve(|headers: HeaderMap| async move {
            let authorization = headers
                .get("authorization")
                .map(|value| value.to_str().expect("text").to_owned());
            Json(json!({ "choices": [{ "message": { "content": authorization } }] }))
        })
        .await;
        assert_eq!(ask(&endpoint).await.expect("a completion").text, "");
        let url = endpoint
            .base_url
            .as_str()
            .replace("http://", "http://anna:hunter22@");
        let endpoint = Endpoint {
            base_url: url.parse().expect("a URL"),
            ..endpoint
        };
        let text = ask(&endpoint).await.expect("a completion").text;
        assert_eq!(text, "Basic YW5uYTpodW50ZXIyMg==");
    }

    #[tokio::test]
    async fn connections_are_kept_alive() {
        let endpoint =
            serve(
                |axum::extract::ConnectInfo(peer): axum::extract::ConnectInfo<
                    std::net::SocketAddr,
                >| async move {
                    Json(json!({ "choices": [{ "message": { "content": peer.to_string() } }] }))
                },
            )
            .await;
        let model = OpenAi::new(&endpoint).expect("a client");
        let request = ChatRequest::new(vec![Message::user("Hi")]);
        let first = model.complete(&request).await.expect("a completion").text;
        let second = model.complete(&request).await.expect("a completion").text;
        assert_eq!(first, second);
    }

    #[tokio::test]
    async fn every_status_that_is_no_success_keeps_its_number_and_message() {
        for (status, body, says) in [
            (
                401,
                r#"{"error":{"message":"Bad key","code":"invalid_api_key"}}"#,
                "Bad key",
            ),
            (
                400,
                r#"{"object":"error","message":"Bad field","code":400}"#,
                "Bad field",
            ),
            (
                422,
                r#"{"detail":[{"loc":["body","x"],"msg":"required"}]}"#,
                "body.x: required",
            ),
            (404, r#"{"detail":"Not Found"}"#, "Not Found"),
            (429, "slow down\u{1b}[2J\nplease", "slow down [2J please"),
            (
                502,
                "<html><title>502 Bad Gateway</title></html>",
                "502 Bad Gateway",
            ),
            (503, "", "Service Unavailable"),
            (304, "", "Not Modified"),
        ] {
            let error = ask_status(status, body).await;
            let text = error.to_string();
            assert!(text.contains(says), "{text}");
            match error {
                ModelError::Status { status: seen, .. } => assert_eq!(seen, status),
                other => panic!("{status}: {other}"),
            }
        }
    }

    #[tokio::test]
    async fn a_long_error_is_shortened() {
        let endpoint = serve(|| async { (StatusCode::BAD_REQUEST, "x".repeat(1 << 20)) }).await;
        let text = ask(&endpoint).await.expect_err("an error").to_string();
        assert!(text.len() < 500, "{} bytes", text.len());
    }

    #[tokio::test]
    async fn an_error_whose_body_never_ends_still_has_its_status() {
        let head = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 900\r\n\r\nwrong key";
        let endpoint = serve_bytes(head, Duration::from_secs(60)).await;
        let error = ask(&endpoint).await.expect_err("an error");
        assert!(
            matches!(error, ModelError::Status { status: 401, .. }),
            "{error}"
        );
        assert!(error.to_string().contains("wrong key"), "{error}");
    }

    #[tokio::test]
    async fn a_redirect_is_told_and_not_followed() {
        let head = "HTTP/1.1 308 Permanent Redirect\r\nlocation: https://host/v1\r\ncontent-length: 0\r\n\r\n";
        let error = ask_bytes(head).await.expect_err("an error");
        assert!(
            error.to_string().contains("redirects to https://host/v1"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn the_wait_that_a_server_asks_for_is_known() {
        for (header, seconds) in [
            ("retry-after: 7", 7.0),
            ("retry-after-ms: 1500", 1.5),
            (
                "date: Wed, 21 Oct 2015 07:28:00 GMT\r\nretry-after: Wed, 21 Oct 2015 07:28:09 GMT",
                9.0,
            ),
        ] {
            let head = format!("HTTP/1.1 429 Too Many\r\n{header}\r\ncontent-length: 0\r\n\r\n");
            match ask_bytes(&head).await.expect_err("an error") {
                ModelError::Status {
                    retry_after: Some(wait),
                    ..
                } => {
                    assert_eq!(wait, Duration::from_secs_f64(seconds));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn a_full_context_is_an_error_of_its_own() {
        let body = r#"{"error":{"message":"too long","code":"context_length_exceeded"}}"#;
        let error = ask_status(400, body).await;
        assert!(matches!(error, ModelError::ContextLength { .. }), "{error}");
        let vllm = r#"{"object":"error","message":"This model's maximum context length is 4096 tokens.","code":400}"#;
        let error = ask_status(400, vllm).await;
        assert!(matches!(error, ModelError::ContextLength { .. }), "{error}");
        assert!(error.to_string().contains("4096"), "{error}");
    }

    #[tokio::test]
    async fn a_success_that_is_no_completion_is_garbled() {
        for (body, says) in [
            (
                "<!doctype html><title>Web UI</title>",
                "an HTML page titled “Web UI”",
            ),
            (
                r#"{"choices":[{"message":{"content":"Hel"#,
                "breaks off after 38 bytes",
            ),
            (r#"{"choices":[]}"#, "without choices"),
            (r#"{"error":{"message":"backend died"}}"#, "backend died"),
            ("data: {\"choices\":[]}\n\n", "not JSON: data:"),
            ("", "nothing"),
        ] {
            let error = ask_bytes(&ok(body)).await.expect_err("an error");
            assert!(matches!(error, ModelError::Garbled { .. }), "{error:?}");
            assert!(error.to_string().contains(says), "{error}");
        }
    }

    #[tokio::test]
    async fn a_body_cut_in_the_middle_is_a_broken_connection() {
        let half = &ok(REPLY)[..60];
        let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"cho\r\n";
        for bytes in [half, chunked, ""] {
            let error = ask_bytes(bytes).await.expect_err("an error");
            assert!(matches!(error, ModelError::Connection { .. }), "{error:?}");
            assert!(!error.is_not_connected(), "{error:?}");
        }
    }

    #[tokio::test]
    async fn an_address_where_nothing_listens_is_not_connected() {
        let error = ask(&nobody().await).await.expect_err("an error");
        assert!(error.is_not_connected(), "{error:?}");
    }

    #[tokio::test]
    async fn a_slow_head_and_a_slow_body_run_out_of_time() {
        for bytes in ["", &ok(REPLY)[..60]] {
            let endpoint = Endpoint {
                timeout: Duration::from_millis(200),
                ..serve_bytes(bytes, Duration::from_secs(60)).await
            };
            let error = ask(&endpoint).await.expect_err("an error");
            assert!(matches!(error, ModelError::Timeout { .. }), "{error:?}");
        }
    }

    const SHORT: Duration = Duration::from_millis(400);
    const LONG: Duration = Duration::from_secs(60);

    /// The same with a minute for everything.
    fn patient(endpoint: Endpoint) -> Endpoint {
        Endpoint {
            timeout: LONG,
            connect_timeout: LONG,
            first_byte_timeout: Some(LONG),
            idle_timeout: LONG,
            ..endpoint
        }
    }

    /// The short limit runs out, and this one it is.
    async fn runs_out(endpoint: Endpoint, expected: TimeLimit) {
        match ask(&endpoint).await.expect_err("an error") {
            ModelError::Timeout { which, limit, .. } => {
                assert_eq!((which, limit), (expected, SHORT));
            }
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_wire_that_stalls_says_which_limit_ran_out() {
        let at_once = Duration::ZERO;
        let silent = Endpoint {
            first_byte_timeout: Some(SHORT),
            ..patient(serve_pieces(Vec::new(), at_once, End::Hold).await)
        };
        runs_out(silent, TimeLimit::FirstByte).await;
        let begun = vec![ok(REPLY)[..60].to_owned()];
        let stopped = Endpoint {
            idle_timeout: SHORT,
            ..patient(serve_pieces(begun, at_once, End::Hold).await)
        };
        runs_out(stopped, TimeLimit::Idle).await;
        let bytes = ok(REPLY).chars().map(String::from).collect();
        let drips = Endpoint {
            timeout: SHORT,
            ..patient(serve_pieces(bytes, Duration::from_millis(20), End::Hold).await)
        };
        runs_out(drips, TimeLimit::Total).await;
    }

    #[tokio::test]
    async fn a_connection_that_does_not_come_about_says_so() {
        let (endpoint, _held) = full_queue().await;
        let endpoint = Endpoint {
            connect_timeout: SHORT,
            ..patient(endpoint)
        };
        runs_out(endpoint.clone(), TimeLimit::Connect).await;
        let error = ask(&endpoint).await.expect_err("an error");
        assert!(
            error.is_not_connected() && !error.may_have_cost(),
            "{error:?}"
        );
    }

    #[tokio::test]
    async fn a_reset_says_how_far_the_reply_had_come() {
        let half = ok(REPLY);
        let (head, body) = half.split_once("\r\n\r\n").expect("a body");
        let pieces = vec![format!("{head}\r\n\r\n"), body[..30].to_owned()];
        let endpoint = serve_pieces(pieces, Duration::from_millis(100), End::Reset).await;
        let error = ask(&endpoint).await.expect_err("an error");
        assert!(matches!(error, ModelError::Connection { .. }), "{error:?}");
        let source = error.source().expect("a source").to_string();
        assert!(source.contains("broke after 30 bytes"), "{source}");
        let endpoint = serve_pieces(Vec::new(), Duration::ZERO, End::Reset).await;
        let error = ask(&endpoint).await.expect_err("an error");
        assert!(matches!(error, ModelError::Connection { .. }), "{error:?}");
        assert!(
            !error.is_not_connected() && error.may_have_cost(),
            "{error:?}"
        );
    }

    #[derive(Debug, Default)]
    struct Told(Mutex<Vec<RateNotice>>);

    impl RateSink for Told {
        fn told(&self, notice: &RateNotice) {
            self.0.lock().expect("a lock").push(*notice);
        }
    }

    #[tokio::test]
    async fn what_headers_say_about_rates_is_told_of_replies_and_of_failures() {
        let told = Arc::new(Told::default());
        let limits = "x-ratelimit-remaining-requests: 4\r\nx-ratelimit-reset-requests: 1m5s";
        for (status, head) in [
            ("200 OK", limits),
            ("429 No", limits),
            ("200 OK", "x-other: 1"),
        ] {
            let length = REPLY.len();
            let bytes =
                format!("HTTP/1.1 {status}\r\n{head}\r\ncontent-length: {length}\r\n\r\n{REPLY}");
            let endpoint = serve_bytes(bytes, Duration::ZERO).await;
            let model = OpenAi::new(&endpoint)
                .expect("a client")
                .telling(told.clone());
            let _ = model
                .complete(&ChatRequest::new(vec![Message::user("Hi")]))
                .await;
        }
        let requests = Some(Allowance {
            limit: None,
            remaining: Some(4),
            reset: Some(Duration::from_secs(65)),
        });
        let notice = RateNotice {
            requests,
            tokens: None,
        };
        assert_eq!(*told.0.lock().expect("a lock"), [notice, notice]);
    }

    #[tokio::test]
    async fn a_wait_in_the_body_counts_where_no_header_says_another() {
        let body = r#"{"error":{"message":"Please try again in 6m0s."}}"#;
        let wait = |error| match error {
            ModelError::Status { retry_after, .. } => retry_after,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            wait(ask_status(429, body).await),
            Some(Duration::from_secs(360))
        );
        assert_eq!(wait(ask_status(400, body).await), None);
        let length = body.len();
        let head =
            format!("HTTP/1.1 429 No\r\nretry-after: 2\r\ncontent-length: {length}\r\n\r\n{body}");
        assert_eq!(
            wait(ask_bytes(&head).await.expect_err("an error")),
            Some(Duration::from_secs(2))
        );
    }

    #[tokio::test]
    async fn an_empty_account_ends_the_run_and_is_not_asked_again() {
        use crate::model::{Reach, Retry};
        let quota = r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#;
        let credit = r#"{"error":{"message":"Your credit balance is too low","type":"invalid_request_error"}}"#;
        for (status, body) in [(429, quota), (403, quota), (400, credit), (402, "")] {
            let error = ask_status(status, body).await;
            assert!(matches!(error, ModelError::OutOfMoney { .. }), "{error:?}");
            assert_eq!((error.retry(), error.reach()), (Retry::Never, Reach::Run));
            assert!(error.hint().is_some());
        }
        for (status, body) in [(500, quota), (429, "slow down"), (403, "no")] {
            let error = ask_status(status, body).await;
            assert!(matches!(error, ModelError::Status { .. }), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_secret_that_the_server_echoes_stands_in_no_text() {
        let echo = r#"{"error":{"message":"sk-echoed99 and hunter22 and blue-team"}}"#;
        for head in [
            format!(
                "HTTP/1.1 401 No\r\ncontent-length: {}\r\n\r\n{echo}",
                echo.len()
            ),
            format!(
                "HTTP/1.1 500 No\r\ncontent-length: {}\r\n\r\n{echo}",
                echo.len()
            ),
            ok(echo),
            ok(&echo.replace('"', "'")),
            ok(r#"{"choices":"sk-echoed99 hunter22 blue-team"}"#),
            "HTTP/1.1 302 No\r\nlocation: /sk-echoed99\r\ncontent-length: 0\r\n\r\n".to_owned(),
            String::new(),
        ] {
            let served = serve_bytes(head, Duration::ZERO).await;
            let url = served
                .base_url
                .as_str()
                .replace("http://", "http://anna:hunter22@");
            let endpoint = Endpoint {
                api_key: Some(ApiKey::new("sk-echoed99")),
                headers: vec![("x-team".to_owned(), ApiKey::new("blue-team"))],
                base_url: url.parse().expect("a URL"),
                ..served
            };
            let error = ask(&endpoint).await.expect_err("an error");
            let model = OpenAi::new(&endpoint).expect("a client");
            let text = format!("{} {model:?}", chain(&error));
            for secret in ["sk-echoed99", "hunter22", "blue-team"] {
                assert!(!text.contains(secret), "{text}");
            }
        }
    }

    #[test]
    fn a_key_or_header_that_cannot_be_sent_is_refused_without_showing_it() {
        let endpoint = Endpoint::new("m", "http://localhost/v1".parse().expect("a URL"));
        let bad_key = Endpoint {
            api_key: Some(ApiKey::new("sk-two\nlines")),
            ..endpoint.clone()
        };
        let bad_header = Endpoint {
            headers: vec![("x y".to_owned(), ApiKey::new("value"))],
            ..endpoint
        };
        let error = OpenAi::new(&bad_key).expect_err("an error");
        assert!(matches!(error, EndpointError::Key), "{error}");
        assert!(!format!("{error:?}").contains("two"), "{error:?}");
        let error = OpenAi::new(&bad_header).expect_err("an error");
        assert!(error.to_string().contains("`x y`"), "{error}");
    }
}
