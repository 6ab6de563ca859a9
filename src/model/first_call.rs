//! Until a model has answered once, a refused key or a wrong address ends the run, not one row.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use super::{ChatModel, ChatRequest, Completion, ModelError};

/// What the hints may say about how the model is reached; no secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The address, without credentials; empty for a model that has none.
    pub base_url: String,
    /// Whether a key is sent.
    pub has_key: bool,
    /// Where that key was found, such as "the environment variable `VLLM_KEY`".
    pub key_origin: Option<String>,
}

/// A [`ChatModel`] that tells a model which never worked from one that failed once.
///
/// Before the first success, 401, 403, 404, 405, a redirect, and a server that cannot be connected
/// to become [`ModelError::Unusable`] with a hint; afterwards they pass unchanged and concern one
/// record. It wraps [`Retry`](super::retry::Retry): a server that is just starting has its time.
#[derive(Debug)]
pub struct FirstCall {
    model: Arc<dyn ChatModel>,
    access: Access,
    succeeded: AtomicBool,
}

impl FirstCall {
    /// Wraps `model`.
    pub fn new(model: Arc<dyn ChatModel>, access: Access) -> Self {
        Self {
            model,
            access,
            succeeded: AtomicBool::new(false),
        }
    }

    fn judge(&self, error: ModelError) -> ModelError {
        match hint(&error, self.name(), &self.access) {
            Some(hint) => ModelError::Unusable {
                model: self.name().to_owned(),
                hint,
                source: Box::new(error),
            },
            None => error,
        }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ChatModel for FirstCall {
    fn name(&self) -> &str {
        self.model.name()
    }

    async fn complete(&self, request: &ChatRequest) -> Result<Completion, ModelError> {
        match self.model.complete(request).await {
            Ok(completion) => {
                self.succeeded.store(true, Ordering::Relaxed);
                Ok(completion)
            }
            Err(error) if self.succeeded.load(Ordering::Relaxed) => Err(error),
            Err(error) => Err(self.judge(error)),
        }
    }

    fn read(&self, raw: &[u8]) -> Result<Completion, ModelError> {
        self.model.read(raw)
    }
}

/// What the user can do about `error`, if it says that no call will succeed.
fn hint(error: &ModelError, model: &str, access: &Access) -> Option<String> {
    if error.is_not_connected() {
        return Some(format!(
            "check that a server runs at {}, and that host and port are right",
            address(access)
        ));
    }
    let ModelError::Status {
        status, message, ..
    } = error
    else {
        return None;
    };
    match status {
        403 if access.has_key => Some(format!(
            "{}, and whether it may use the model `{model}`",
            key_hint(access)
        )),
        401 | 403 => Some(key_hint(access)),
        404 if is_about_model(message, model) => Some(format!(
            "check the model's name: `{model}` is not known there; {}/models lists what is",
            address(access)
        )),
        301..=308 | 404 | 405 => Some(format!(
            "check the base URL {}: it must usually end in /v1",
            address(access)
        )),
        _ => None,
    }
}

fn key_hint(access: &Access) -> String {
    let address = address(access);
    match (access.has_key, &access.key_origin) {
        (true, Some(origin)) => {
            format!("check whether the key from {origin} is whole, valid and meant for {address}")
        }
        (true, None) => format!("check whether the key is whole, valid and meant for {address}"),
        (false, _) => format!(
            "no key was given for {address}: set OPENAI_API_KEY, or name the variable that holds \
             the key as `api_key_env` in the settings"
        ),
    }
}

fn is_about_model(message: &str, model: &str) -> bool {
    message.contains(model) || message.to_lowercase().contains("model")
}

fn address(access: &Access) -> &str {
    if access.base_url.is_empty() {
        "the model's address"
    } else {
        &access.base_url
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;
    use crate::model::scripted::Scripted;
    use crate::model::{NotConnected, Reach};

    fn status(status: u16, message: &str) -> ModelError {
        ModelError::Status {
            endpoint: "http://host/v1".to_owned(),
            status,
            message: message.to_owned(),
            retry_after: None,
        }
    }

    fn refused() -> ModelError {
        ModelError::Connection {
            endpoint: "http://host/v1".to_owned(),
            source: Box::new(NotConnected::new("connection refused")),
        }
    }

    fn access(key_origin: Option<&str>) -> Access {
        Access {
            base_url: "http://host/v1".to_owned(),
            has_key: key_origin.is_some(),
            key_origin: key_origin.map(ToOwned::to_owned),
        }
    }

    async fn first(error: ModelError, access: Access) -> ModelError {
        let model = FirstCall::new(Arc::new(Scripted::new([Err(error)]).named("qwen")), access);
        let request = ChatRequest::new(vec![Message::user("Hi")]);
        model.complete(&request).await.expect_err("an error")
    }

    async fn first_hint(error: ModelError, access: Access) -> String {
        match first(error, access).await {
            ModelError::Unusable { hint, model, .. } if model == "qwen" => hint,
            other => panic!("not unusable: {other}"),
        }
    }

    #[tokio::test]
    async fn a_refused_key_says_where_the_key_came_from() {
        let origin = "the environment variable VLLM_KEY";
        for code in [401, 403] {
            let hint = first_hint(status(code, "no"), access(Some(origin))).await;
            assert!(
                hint.contains(origin) && hint.contains("http://host/v1"),
                "{hint}"
            );
            let hint = first_hint(status(code, "no"), access(None)).await;
            assert!(
                hint.contains("no key was given") && hint.contains("api_key_env"),
                "{hint}"
            );
        }
    }

    #[tokio::test]
    async fn an_unknown_path_blames_the_address_and_an_unknown_model_its_name() {
        for error in [
            status(404, "Not Found"),
            status(405, "no"),
            status(307, "redirects to x"),
        ] {
            let hint = first_hint(error, access(None)).await;
            assert!(hint.contains("end in /v1"), "{hint}");
        }
        let error = status(404, "The model `qwen` does not exist.");
        let hint = first_hint(error, access(None)).await;
        assert!(
            hint.contains("`qwen`") && hint.contains("http://host/v1/models"),
            "{hint}"
        );
    }

    #[tokio::test]
    async fn a_server_that_cannot_be_connected_to_ends_the_run() {
        let error = first(refused(), access(None)).await;
        assert_eq!(error.reach(), Reach::Run);
        let hint = first_hint(refused(), access(None)).await;
        assert!(hint.contains("server runs at http://host/v1"), "{hint}");
    }

    #[tokio::test]
    async fn other_failures_of_a_first_call_concern_one_record() {
        let cut = ModelError::Connection {
            endpoint: "http://host/v1".to_owned(),
            source: "reset".into(),
        };
        for error in [status(400, "no"), status(429, "no"), status(500, "no"), cut] {
            let error = first(error, access(None)).await;
            assert_eq!(error.reach(), Reach::Record, "{error}");
        }
    }

    #[tokio::test]
    async fn after_one_success_every_failure_concerns_one_record() {
        let outcomes = [
            Ok(Completion::from_text("works")),
            Err(status(401, "no")),
            Err(status(404, "no")),
            Err(refused()),
        ];
        let model = FirstCall::new(Arc::new(Scripted::new(outcomes)), access(None));
        let request = ChatRequest::new(vec![Message::user("Hi")]);
        assert!(model.complete(&request).await.is_ok());
        for _ in 0..3 {
            let error = model.complete(&request).await.expect_err("an error");
            assert_eq!(error.reach(), Reach::Record, "{error}");
        }
    }
}
