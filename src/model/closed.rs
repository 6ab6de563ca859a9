//! A closed network: replies come from the journal alone, and the first request that it does not
//! know is remembered instead of asked.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use super::journal::{Journal, JournalError, Journalled, JournalledCall, question};
use super::openai::{Endpoint, EndpointError, OpenAi};
use super::structured::{Structured, StructuredSetting};
use super::{ChatModel, ChatRequest, Completion, ModelError};
use crate::digest::Digest;

/// What the models of a pipeline without a network have in common: the journal, which is only read,
/// and what was asked of it.
#[derive(Debug)]
pub struct Closed {
    journal: Arc<dyn Journal>,
    /// The only calls whose replies are given, where not all of them are.
    only: Option<BTreeSet<Digest>>,
    /// Whether what was served is remembered.
    counts: bool,
    asked: Mutex<Asked>,
}

#[derive(Debug, Default)]
struct Asked {
    served: Vec<Digest>,
    missed: Option<Missed>,
}

/// A request that the journal has no reply to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// The model that would have been asked.
    pub model: String,
    /// The key that its reply would be kept under.
    pub key: Digest,
    /// The request as the journal would keep it.
    pub request: Bytes,
}

impl Closed {
    /// A closed network around `journal`.
    pub fn new(journal: Arc<dyn Journal>) -> Self {
        Self {
            journal,
            only: None,
            counts: true,
            asked: Mutex::default(),
        }
    }

    /// A closed network around `journal` that knows these calls alone.
    pub fn only(journal: Arc<dyn Journal>, calls: BTreeSet<Digest>) -> Self {
        Self {
            only: Some(calls),
            ..Self::new(journal)
        }
    }

    /// A closed network around `journal` that does not remember what it served, for many records.
    pub fn uncounted(journal: Arc<dyn Journal>) -> Self {
        Self {
            counts: false,
            ..Self::new(journal)
        }
    }

    /// Forgets what was asked, so that the next record begins.
    pub fn begin_anew(&self) {
        *self.asked() = Asked::default();
    }

    /// The keys of the replies that the journal gave, in the order in which they were asked for.
    pub fn served(&self) -> Vec<Digest> {
        self.asked().served.clone()
    }

    /// The first request that the journal had no reply to.
    pub fn missed(&self) -> Option<Missed> {
        self.asked().missed.clone()
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Replies are read; what would be written is let go.
#[async_trait]
impl Journal for Closed {
    async fn reply(&self, key: Digest) -> Result<Option<Bytes>, JournalError> {
        if self.only.as_ref().is_some_and(|only| !only.contains(&key)) {
            return Ok(None);
        }
        let reply = self.journal.reply(key).await?;
        if self.counts && reply.is_some() {
            self.asked().served.push(key);
        }
        Ok(reply)
    }

    async fn call(&self, key: Digest) -> Result<Option<JournalledCall>, JournalError> {
        self.journal.call(key).await
    }

    async fn keep(&self, _: JournalledCall) -> Result<bool, JournalError> {
        Ok(true)
    }

    async fn note(&self, model: &str, name: &str) -> Result<Option<String>, JournalError> {
        self.journal.note(model, name).await
    }

    async fn set_note(&self, _: &str, _: &str, _: &str) -> Result<(), JournalError> {
        Ok(())
    }

    async fn notes(
        &self,
        model: &str,
        prefix: &str,
    ) -> Result<Vec<(String, String)>, JournalError> {
        self.journal.notes(model, prefix).await
    }

    async fn forget_note(&self, _: &str, _: &str) -> Result<(), JournalError> {
        Ok(())
    }
}

/// A [`ChatModel`] that reads old replies as the one it wraps does, and asks nobody for new ones.
#[derive(Debug)]
struct Unasked {
    model: Arc<dyn ChatModel>,
    scope: Option<String>,
    closed: Arc<Closed>,
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ChatModel for Unasked {
    fn name(&self) -> &str {
        self.model.name()
    }

    async fn complete(&self, request: &ChatRequest) -> Result<Completion, ModelError> {
        let asked = question(self.scope.as_deref(), self.name(), request)?;
        let model = self.name().to_owned();
        self.closed.asked().missed.get_or_insert(Missed {
            model: model.clone(),
            key: asked.key,
            request: asked.json.into(),
        });
        Err(ModelError::Closed { model })
    }

    fn read(&self, raw: &[u8]) -> Result<Completion, ModelError> {
        self.model.read(raw)
    }
}

/// The model at `endpoint` behind a closed network, with what decides its requests around it:
/// `Structured(Journalled(…))`.
///
/// # Errors
///
/// [`EndpointError`] when no client can be made for the endpoint, which reads the replies.
pub fn stack_closed(
    endpoint: &Endpoint,
    structured: StructuredSetting,
    scope: Option<String>,
    closed: &Arc<Closed>,
) -> Result<Arc<dyn ChatModel>, EndpointError> {
    let model = Arc::new(OpenAi::new(endpoint)?);
    Ok(wrap_closed(model, structured, scope, closed))
}

/// Any model behind a closed network.
fn wrap_closed(
    model: Arc<dyn ChatModel>,
    structured: StructuredSetting,
    scope: Option<String>,
    closed: &Arc<Closed>,
) -> Arc<dyn ChatModel> {
    let model = Arc::new(Unasked {
        model,
        scope: scope.clone(),
        closed: Arc::clone(closed),
    });
    let journal: Arc<dyn Journal> = Arc::clone(closed) as _;
    let model = Arc::new(Journalled::new(model, Arc::clone(&journal), scope));
    Arc::new(Structured::new(model, structured, Some(journal)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;
    use crate::model::scripted::Scripted;
    use crate::model::{MemoryJournal, Reach};

    fn request(text: &str) -> ChatRequest {
        ChatRequest::new(vec![Message::user(text)])
    }

    fn closed_on(
        journal: &Arc<MemoryJournal>,
        scope: Option<&str>,
    ) -> (Arc<Closed>, Arc<Scripted>, Arc<dyn ChatModel>) {
        let closed = Arc::new(Closed::new(journal.clone()));
        let inner = Arc::new(Scripted::texts(["never"]));
        let model = wrap_closed(
            inner.clone(),
            StructuredSetting::Auto,
            scope.map(str::to_owned),
            &closed,
        );
        (closed, inner, model)
    }

    #[tokio::test]
    async fn what_is_known_is_served_and_the_first_other_request_is_remembered() {
        let journal = Arc::new(MemoryJournal::new());
        let open = Journalled::new(Arc::new(Scripted::texts(["first"])), journal.clone(), None);
        let asked = open.complete(&request("a")).await.expect("a reply");

        let (closed, inner, model) = closed_on(&journal, None);
        let known = model.complete(&request("a")).await.expect("a reply");
        assert_eq!((known.text.as_str(), known.call), ("first", asked.call));
        assert_eq!(closed.missed(), None);
        for text in ["b", "c"] {
            let error = model.complete(&request(text)).await.expect_err("an error");
            assert_eq!(error.reach(), Reach::Run);
        }
        assert_eq!(closed.served(), Vec::from_iter(asked.call));
        let missed = closed.missed().expect("a miss");
        assert_eq!(missed.key, Digest::of(&missed.request));
        let text = String::from_utf8_lossy(&missed.request).into_owned();
        assert!(text.contains(r#""content":"b""#), "{text}");
        assert!(inner.requests().is_empty(), "nothing was asked");
        assert_eq!(journal.calls().len(), 1, "nothing was kept");
    }

    #[tokio::test]
    async fn another_scope_misses_and_the_request_names_it() {
        let journal = Arc::new(MemoryJournal::new());
        let open = Journalled::new(Arc::new(Scripted::texts(["first"])), journal.clone(), None);
        open.complete(&request("a")).await.expect("a reply");
        let (closed, _, model) = closed_on(&journal, Some("fresh"));
        assert!(model.complete(&request("a")).await.is_err());
        let missed = closed.missed().expect("a miss");
        assert!(missed.request.starts_with(br#"{"scope":"fresh""#));
    }
}
