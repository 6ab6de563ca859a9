//! A model that answers from a script, for tests and examples.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::{ChatModel, ChatRequest, Completion, ModelError};

type Answer = dyn Fn(&ChatRequest) -> Result<Completion, ModelError> + Send + Sync;

/// A [`ChatModel`] that needs no server: it plays a list of outcomes, or asks a function, and
/// remembers what it was asked.
///
/// # Examples
///
/// ```
/// use redraft::message::Message;
/// use redraft::model::scripted::Scripted;
/// use redraft::model::{ChatModel, ChatRequest, Completion};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let request = ChatRequest::new(vec![Message::user("Hello?")]);
///
/// let listed = Scripted::texts(["first", "second"]);
/// assert_eq!(listed.complete(&request).await?.text, "first");
/// assert_eq!(listed.complete(&request).await?.text, "second");
/// assert!(listed.complete(&request).await.is_err());
/// assert_eq!(listed.requests().len(), 3);
///
/// let asked = Scripted::answering(|request| {
///     Ok(Completion::from_text(request.messages[0].content.to_uppercase()))
/// });
/// assert_eq!(asked.complete(&request).await?.text, "HELLO?");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Scripted {
    name: String,
    answer: Box<Answer>,
    requests: Mutex<Vec<ChatRequest>>,
}

impl Scripted {
    /// A model that plays `outcomes` in their order. After the last it fails with
    /// [`ModelError::Other`].
    pub fn new(outcomes: impl IntoIterator<Item = Result<Completion, ModelError>>) -> Self {
        let outcomes = Mutex::new(outcomes.into_iter().collect::<VecDeque<_>>());
        Self::answering(move |_| {
            let next = outcomes
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop_front();
            next.unwrap_or_else(|| Err(ModelError::Other("the script has ended".to_owned())))
        })
    }

    /// A model that answers with `texts` in their order, like [`new`](Self::new).
    pub fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::new(
            texts
                .into_iter()
                .map(|text| Ok(Completion::from_text(text))),
        )
    }

    /// A model that answers with what `answer` makes of each request.
    pub fn answering(
        answer: impl Fn(&ChatRequest) -> Result<Completion, ModelError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: "scripted".to_owned(),
            answer: Box::new(answer),
            requests: Mutex::default(),
        }
    }

    /// The same model under another name than `scripted`.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..self
        }
    }

    /// What it was asked so far, oldest first.
    pub fn requests(&self) -> Vec<ChatRequest> {
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl fmt::Debug for Scripted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Scripted")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl ChatModel for Scripted {
    fn name(&self) -> &str {
        &self.name
    }

    async fn complete(&self, request: &ChatRequest) -> Result<Completion, ModelError> {
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(request.clone());
        (self.answer)(request)
    }
}
