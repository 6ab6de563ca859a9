//! Why a client gets no answer: an HTTP status, OpenAI's error envelope, and the whole reason, which
//! stays here.

use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::model::ModelError;

/// A request that is not answered.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{whole}")]
pub struct Failure {
    /// The HTTP status.
    pub status: StatusCode,
    /// OpenAI's `type`.
    pub kind: &'static str,
    /// OpenAI's `code`.
    pub code: Option<&'static str>,
    /// The field that is wrong.
    pub param: Option<Box<str>>,
    /// What the client is told.
    pub message: Box<str>,
    /// When it may come back.
    pub retry_after: Option<Duration>,
    /// The whole reason, for the operator.
    pub whole: Box<str>,
    /// Whether it is the critic, or the reviser, that could not do its part.
    pub blames_critic: bool,
    /// Whether a transcript tells of it already.
    pub(super) has_transcript: bool,
}

const INVALID: &str = "invalid_request_error";
const SERVER: &str = "server_error";

impl Failure {
    /// A failure that tells the client all there is to it.
    pub fn new(status: StatusCode, kind: &'static str, message: impl Into<Box<str>>) -> Self {
        let message = message.into();
        Self {
            status,
            kind,
            code: None,
            param: None,
            whole: message.clone(),
            message,
            retry_after: None,
            blames_critic: false,
            has_transcript: false,
        }
    }

    /// The same with OpenAI's `code`.
    #[must_use]
    pub fn with_code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// The same with a whole reason that the client is not told.
    #[must_use]
    pub fn because(mut self, whole: impl Into<Box<str>>) -> Self {
        self.whole = whole.into();
        self
    }

    /// The request is wrong as a whole.
    pub fn bad_request(message: impl Into<Box<str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, INVALID, message)
    }

    /// A field of the request is wrong.
    pub fn bad_field(param: impl Into<Box<str>>, message: impl Into<Box<str>>) -> Self {
        Self {
            param: Some(param.into()),
            ..Self::bad_request(message)
        }
    }

    /// There is no model of that name.
    #[must_use]
    pub fn unknown_model(name: &str) -> Self {
        let name: String = name.chars().take(100).collect();
        let message = format!("The model {name:?} does not exist here.");
        Self {
            param: Some("model".into()),
            ..Self::new(StatusCode::NOT_FOUND, INVALID, message).with_code("model_not_found")
        }
    }

    /// The body is longer than is read.
    #[must_use]
    pub fn too_large(most: usize) -> Self {
        let message = format!("The request's body is longer than {most} bytes.");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, INVALID, message)
    }

    /// The body did not come in time.
    #[must_use]
    pub fn too_slow(limit: Duration) -> Self {
        let message = format!(
            "The request's body did not come within {} s.",
            limit.as_secs_f64()
        );
        Self::new(StatusCode::REQUEST_TIMEOUT, INVALID, message)
    }

    /// The whole answer did not come about in time.
    #[must_use]
    pub fn deadline(limit: Duration) -> Self {
        let message = format!("No answer came about within {} s.", limit.as_secs_f64());
        Self::new(StatusCode::GATEWAY_TIMEOUT, SERVER, message).with_code("deadline_exceeded")
    }

    /// The answer could not be judged.
    pub fn critic(whole: impl Into<Box<str>>) -> Self {
        let message = "The answer could not be checked, and is not given unchecked.";
        Self {
            blames_critic: true,
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, SERVER, message)
                .with_code("critic_unavailable")
                .because(whole)
        }
    }

    /// What was answered could not be kept.
    pub fn store(whole: impl Into<Box<str>>) -> Self {
        let message = "The answer could not be recorded, and is not given unrecorded.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, SERVER, message)
            .with_code("store_unavailable")
            .because(whole)
    }

    /// The reply of the model's server cannot be used.
    pub fn garbled(whole: impl Into<Box<str>>) -> Self {
        let message = "The model's server sent something that is no answer.";
        Self::new(StatusCode::BAD_GATEWAY, SERVER, message)
            .with_code("upstream_garbled")
            .because(whole)
    }

    /// The model's server did not answer, or refused. What it says of the request reaches the
    /// client; what it says of its own state, address or key does not.
    #[must_use]
    pub fn upstream(error: &ModelError) -> Self {
        let whole = in_one_line(error);
        match error {
            ModelError::ContextLength { message } => Self::bad_field("messages", message.clone())
                .with_code("context_length_exceeded")
                .because(whole),
            ModelError::Status {
                status: status @ (400 | 413 | 415 | 422),
                message,
                ..
            } => Self {
                status: StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_REQUEST),
                ..Self::bad_request(message.clone()).because(whole)
            },
            ModelError::Status {
                status: 429,
                retry_after,
                ..
            } => {
                let message = "The model's server is asked too much at the moment.";
                Self {
                    retry_after: retry_after.or(Some(Duration::from_secs(1))),
                    ..Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", message)
                        .with_code("rate_limit_exceeded")
                        .because(whole)
                }
            }
            ModelError::Timeout { .. } => {
                let message = "The model's server did not answer in time.";
                Self::new(StatusCode::GATEWAY_TIMEOUT, SERVER, message)
                    .with_code("upstream_timeout")
                    .because(whole)
            }
            ModelError::Garbled { .. } => Self::garbled(whole),
            _ => {
                let message = "The model's server cannot be used at the moment.";
                Self::new(StatusCode::BAD_GATEWAY, SERVER, message)
                    .with_code("upstream_unavailable")
                    .because(whole)
            }
        }
    }

    /// OpenAI's envelope.
    #[must_use]
    pub fn envelope(&self) -> Value {
        json!({ "error": {
            "message": self.message,
            "type": self.kind,
            "param": self.param,
            "code": self.code,
        } })
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.envelope().to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(wait) = self.retry_after {
            // Rounded up: who comes back too early is refused again.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// An error and what caused it, each cause that the one before it does not repeat.
pub(super) fn in_one_line(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !line.ends_with(&said) {
            line = format!("{line}: {said}");
        }
        source = cause.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_not_told_where_the_model_is() {
        let refused = ModelError::Status {
            endpoint: "http://gpu-7.internal:8000/v1".to_owned(),
            status: 401,
            message: "the key team-blue is not known".to_owned(),
            retry_after: None,
        };
        let failure = Failure::upstream(&refused);
        assert_eq!(failure.status, StatusCode::BAD_GATEWAY);
        let told = failure.envelope().to_string();
        assert!(
            !told.contains("gpu-7") && !told.contains("team-blue"),
            "{told}"
        );
        assert!(failure.whole.contains("gpu-7") && failure.whole.contains("team-blue"));
    }

    #[test]
    fn what_is_wrong_with_the_request_is_told() {
        let status = |status| ModelError::Status {
            endpoint: "http://gpu-7.internal:8000/v1".to_owned(),
            status,
            message: "temperature must be at most 2".to_owned(),
            retry_after: Some(Duration::from_millis(1500)),
        };
        let failure = Failure::upstream(&status(400));
        assert_eq!(failure.status, StatusCode::BAD_REQUEST);
        assert_eq!(&*failure.message, "temperature must be at most 2");
        let response = Failure::upstream(&status(429)).into_response();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()[RETRY_AFTER], "2");
    }
}
