//! The journal: a reply that is known is given back, a new one is kept before anything is built
//! on it.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde::Serialize;
use tokio::time::Instant;

use super::turns::Turns;
use super::{ChatModel, ChatRequest, Completion, ModelError, ReplyFormat, Sampling};
use crate::digest::Digest;

/// Where replies are kept: a store, or memory in tests.
#[async_trait]
pub trait Journal: Debug + Send + Sync {
    /// The raw reply kept under `key`, if there is one.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    async fn reply(&self, key: Digest) -> Result<Option<Bytes>, JournalError>;

    /// The whole call kept under `key`, if there is one: what was asked, and what came back.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    async fn call(&self, key: Digest) -> Result<Option<JournalledCall>, JournalError>;

    /// Keeps a reply, unless one is kept under its key already, and tells which; returns once it
    /// would survive a crash.
    ///
    /// # Errors
    ///
    /// When the journal cannot be written: the reply must then not be used.
    async fn keep(&self, call: JournalledCall) -> Result<bool, JournalError>;

    /// What was found out about a model earlier, under a name such as `structured`.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    async fn note(&self, model: &str, name: &str) -> Result<Option<String>, JournalError>;

    /// Remembers something about a model.
    ///
    /// # Errors
    ///
    /// When the journal cannot be written.
    async fn set_note(&self, model: &str, name: &str, value: &str) -> Result<(), JournalError>;

    /// Everything remembered about a model under names that begin with `prefix`, as pairs of name
    /// and value, ordered by name.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    async fn notes(&self, model: &str, prefix: &str)
    -> Result<Vec<(String, String)>, JournalError>;

    /// Forgets what was remembered about a model under a name.
    ///
    /// # Errors
    ///
    /// When the journal cannot be written.
    async fn forget_note(&self, model: &str, name: &str) -> Result<(), JournalError>;
}

/// The journal could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct JournalError(#[from] pub Box<dyn std::error::Error + Send + Sync>);

/// One call as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalledCall {
    /// The digest of scope, model name and request.
    pub key: Digest,
    /// The model's name.
    pub model: String,
    /// The request as JSON.
    pub request: Bytes,
    /// How many bytes at its beginning it has in common with other requests; a journal may keep
    /// them once.
    pub head: usize,
    /// The reply, raw, as it came.
    pub reply: Bytes,
    /// How long the reply took, waits between attempts included.
    pub latency: Duration,
}

impl JournalledCall {
    /// The request in two parts: what it has in common with others, and what is its own.
    #[must_use]
    pub fn parts(&self) -> (&[u8], &[u8]) {
        self.request.split_at(self.head.min(self.request.len()))
    }
}

/// A [`ChatModel`] whose replies are journalled.
#[derive(Debug)]
pub struct Journalled {
    model: Arc<dyn ChatModel>,
    journal: Arc<dyn Journal>,
    scope: Option<String>,
    turns: Turns,
}

impl Journalled {
    /// Wraps `model`. Calls under a `scope` neither see nor serve calls outside it; a run that
    /// ignores the journal has a scope of its own.
    pub fn new(
        model: Arc<dyn ChatModel>,
        journal: Arc<dyn Journal>,
        scope: Option<String>,
    ) -> Self {
        Self {
            model,
            journal,
            scope,
            turns: Turns::default(),
        }
    }
}

impl Journalled {
    /// The reply that the journal has under a key.
    async fn known(&self, key: Digest) -> Result<Option<Completion>, ModelError> {
        let Some(raw) = self.journal.reply(key).await? else {
            return Ok(None);
        };
        Ok(Some(Completion {
            call: Some(key),
            journalled: true,
            ..self.model.read(&raw)?
        }))
    }
}

/// What is asked of whom, as JSON: the journal finds its reply by the digest of that.
pub(super) struct Question {
    /// The digest of the JSON.
    pub(super) key: Digest,
    /// The question.
    pub(super) json: Vec<u8>,
    /// Where that begins which is not the same in other questions of the run.
    head: usize,
}

/// A question without its messages.
#[derive(Serialize)]
struct Terms<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    model: &'a str,
    sampling: &'a Sampling,
    format: &'a ReplyFormat,
    sample: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_logprobs: Option<u8>,
}

impl Question {
    /// Written in the order of constancy: the terms, the messages that many requests begin with,
    /// and then the request's own.
    fn new(scope: Option<&str>, model: &str, request: &ChatRequest) -> serde_json::Result<Self> {
        let terms = Terms {
            scope,
            model,
            sampling: &request.sampling,
            format: &request.format,
            sample: request.sample,
            top_logprobs: request.top_logprobs,
        };
        let mut json = Vec::with_capacity(likely_length(request));
        serde_json::to_writer(&mut json, &terms)?;
        // The messages are the last field of the same object.
        json.pop();
        json.extend_from_slice(br#","messages":["#);
        for message in request.messages.lead_json() {
            json.extend_from_slice(message.as_str().as_bytes());
            json.push(b',');
        }
        let head = json.len();
        for message in request.messages.own() {
            serde_json::to_writer(&mut json, message)?;
            json.push(b',');
        }
        if json.ends_with(b",") {
            json.pop();
        }
        json.extend_from_slice(b"]}");
        Ok(Self {
            key: Digest::of(&json),
            head: head.min(json.len()),
            json,
        })
    }
}

/// About how many bytes the question will have, so that its buffer seldom grows.
fn likely_length(request: &ChatRequest) -> usize {
    let lead = request.messages.lead_json().iter();
    let own = request.messages.own().iter();
    let texts = own.map(|message| message.content.len() * 17 / 16 + 64);
    let schema = match &request.format {
        ReplyFormat::Structured(schema)
        | ReplyFormat::JsonSchema(schema)
        | ReplyFormat::Tool(schema) => schema.schema.as_str().len() + schema.description.len(),
        ReplyFormat::Text | ReplyFormat::JsonObject => 0,
    };
    lead.map(|message| message.as_str().len() + 1)
        .sum::<usize>()
        + texts.sum::<usize>()
        + schema
        + 512
}

/// What is asked, as the journal keeps it, and the key that it is kept under.
///
/// # Errors
///
/// [`ModelError::Other`] when the request is no JSON.
pub(super) fn question(
    scope: Option<&str>,
    model: &str,
    request: &ChatRequest,
) -> Result<Question, ModelError> {
    Question::new(scope, model, request).map_err(|error| ModelError::Other(error.to_string()))
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ChatModel for Journalled {
    fn name(&self) -> &str {
        self.model.name()
    }

    async fn complete(&self, request: &ChatRequest) -> Result<Completion, ModelError> {
        let Question { json, head, key } =
            question(self.scope.as_deref(), self.model.name(), request)?;
        let _turn = self.turns.take(key).await;
        if let Some(known) = self.known(key).await? {
            return Ok(known);
        }
        let asked = Instant::now();
        let mut completion = self.model.complete(request).await?;
        let first = self
            .journal
            .keep(JournalledCall {
                key,
                model: self.model.name().to_owned(),
                request: json.into(),
                head,
                reply: completion.to_raw(),
                latency: asked.elapsed(),
            })
            .await?;
        completion.place.give_back();
        // Another process may have asked the same meanwhile, and built on its own reply.
        let earlier = if first { None } else { self.known(key).await? };
        Ok(earlier.unwrap_or(Completion {
            call: Some(key),
            ..completion
        }))
    }

    fn read(&self, raw: &[u8]) -> Result<Completion, ModelError> {
        self.model.read(raw)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::message::Message;
    use crate::model::scripted::Scripted;
    use crate::model::{Lead, MemoryJournal, Messages};

    fn request(text: &str) -> ChatRequest {
        ChatRequest::new(vec![Message::user(text)])
    }

    fn journalled(
        model: &Arc<Scripted>,
        journal: &Arc<MemoryJournal>,
        scope: Option<&str>,
    ) -> Journalled {
        Journalled::new(model.clone(), journal.clone(), scope.map(ToOwned::to_owned))
    }

    #[tokio::test]
    async fn equal_requests_in_flight_get_one_reply() {
        let journal = Arc::new(MemoryJournal::new());
        let model = Arc::new(Scripted::texts(["first", "second"]));
        let wrapped = journalled(&model, &journal, None);
        let request = request("a");
        let (one, other) = tokio::join!(wrapped.complete(&request), wrapped.complete(&request));
        assert_eq!(one.expect("a reply").text, "first");
        assert_eq!(other.expect("a reply").text, "first");
        assert_eq!(model.requests().len(), 1);
    }

    #[tokio::test]
    async fn a_known_reply_is_given_back_and_nothing_is_asked() {
        let journal = Arc::new(MemoryJournal::new());
        let model = Arc::new(Scripted::texts(["first", "second"]));
        let wrapped = journalled(&model, &journal, None);
        let asked = wrapped.complete(&request("a")).await.expect("a reply");
        let known = wrapped.complete(&request("a")).await.expect("a reply");
        assert_eq!((asked.text.as_str(), asked.journalled), ("first", false));
        assert_eq!((known.text.as_str(), known.journalled), ("first", true));
        assert!(asked.call.is_some() && asked.call == known.call);
        assert_eq!(model.requests().len(), 1);
        let other = wrapped.complete(&request("b")).await.expect("a reply");
        assert_eq!(other.text, "second");
    }

    #[tokio::test]
    async fn what_is_kept_is_the_question_and_the_reply_as_it_came() {
        let journal = Arc::new(MemoryJournal::new());
        let raw = Bytes::from_static(br#"{ "text": "first", "more": 1 }"#);
        let completion = Completion {
            raw: Some(raw.clone()),
            ..Completion::from_text("first")
        };
        let model = Arc::new(Scripted::new([Ok(completion)]).named("qwen"));
        let wrapped = journalled(&model, &journal, None);
        wrapped.complete(&request("a")).await.expect("a reply");
        let calls = journal.calls();
        assert_eq!((calls.len(), calls[0].model.as_str()), (1, "qwen"));
        assert_eq!(calls[0].reply, raw);
        assert_eq!(calls[0].key, Digest::of(&calls[0].request));
        let question: Value = serde_json::from_slice(&calls[0].request).expect("JSON");
        assert_eq!(question["messages"][0]["content"], "a");
    }

    #[tokio::test]
    async fn what_requests_begin_with_is_told_apart_and_does_not_change_the_key() {
        let journal = Arc::new(MemoryJournal::new());
        let model = Arc::new(Scripted::texts(["1", "2", "3"]));
        let wrapped = journalled(&model, &journal, None);
        let lead = Arc::new(Lead::from(vec![Message::system("Be brief.")]));
        let asking = |text: &str| {
            let own = vec![Message::user(text)];
            ChatRequest::new(Messages::after(Arc::clone(&lead), own))
        };
        for text in ["a", "b"] {
            wrapped.complete(&asking(text)).await.expect("a reply");
        }
        let calls = journal.calls();
        let heads = [calls[0].parts().0, calls[1].parts().0];
        assert_eq!(heads[0], heads[1]);
        assert!(heads[0].ends_with(br#"{"role":"system","content":"Be brief."},"#));
        assert!(calls[1].parts().1.starts_with(br#"{"role":"user""#));

        let plain = vec![Message::system("Be brief."), Message::user("b")];
        let known = wrapped.complete(&ChatRequest::new(plain)).await;
        assert_eq!(known.expect("a reply").text, "2");
        let bare = ChatRequest::new(Messages::after(lead, Vec::new()));
        wrapped.complete(&bare).await.expect("a reply");
        for call in journal.calls() {
            let whole: Value = serde_json::from_slice(&call.request).expect("JSON");
            assert_eq!(whole["messages"][0]["content"], "Be brief.");
            let found = journal.call(call.key).await.expect("a journal");
            assert_eq!(found, Some(call));
        }
    }

    #[tokio::test]
    async fn model_sample_and_scope_separate_calls() {
        let journal = Arc::new(MemoryJournal::new());
        let model = Arc::new(Scripted::texts(["1", "2", "3", "4"]));
        let sampled = ChatRequest {
            sample: 1,
            ..request("a")
        };
        let unscoped = journalled(&model, &journal, None);
        unscoped.complete(&request("a")).await.expect("a reply");
        assert_eq!(
            unscoped.complete(&sampled).await.expect("a reply").text,
            "2"
        );
        for (scope, text) in [("fresh", "3"), ("fresh", "3"), ("fresher", "4")] {
            let scoped = journalled(&model, &journal, Some(scope));
            let reply = scoped.complete(&request("a")).await.expect("a reply");
            assert_eq!(reply.text, text);
        }
        let other = Arc::new(Scripted::texts(["5"]).named("other"));
        let reply = journalled(&other, &journal, None)
            .complete(&request("a"))
            .await;
        assert_eq!(reply.expect("a reply").text, "5");
    }

    #[tokio::test]
    async fn a_failed_call_is_not_kept() {
        let journal = Arc::new(MemoryJournal::new());
        let outcomes = [
            Err(ModelError::Other("no".to_owned())),
            Ok(Completion::from_text("yes")),
        ];
        let model = Arc::new(Scripted::new(outcomes));
        let wrapped = journalled(&model, &journal, None);
        assert!(wrapped.complete(&request("a")).await.is_err());
        assert!(journal.calls().is_empty());
        assert!(wrapped.complete(&request("a")).await.is_ok());
    }

    /// A journal on a full disk: it knows nothing and keeps nothing.
    #[derive(Debug)]
    struct Full;

    fn disk_full() -> JournalError {
        JournalError("the disk is full".into())
    }

    #[async_trait]
    impl Journal for Full {
        async fn reply(&self, _: Digest) -> Result<Option<Bytes>, JournalError> {
            Ok(None)
        }

        async fn call(&self, _: Digest) -> Result<Option<JournalledCall>, JournalError> {
            Ok(None)
        }

        async fn keep(&self, _: JournalledCall) -> Result<bool, JournalError> {
            Err(disk_full())
        }

        async fn note(&self, _: &str, _: &str) -> Result<Option<String>, JournalError> {
            Err(disk_full())
        }

        async fn set_note(&self, _: &str, _: &str, _: &str) -> Result<(), JournalError> {
            Err(disk_full())
        }

        async fn notes(&self, _: &str, _: &str) -> Result<Vec<(String, String)>, JournalError> {
            Ok(Vec::new())
        }

        async fn forget_note(&self, _: &str, _: &str) -> Result<(), JournalError> {
            Err(disk_full())
        }
    }

    #[tokio::test]
    async fn a_reply_that_cannot_be_kept_is_not_given() {
        let model = Arc::new(Scripted::texts(["first"]));
        let wrapped = Journalled::new(model.clone(), Arc::new(Full), None);
        let error = wrapped.complete(&request("a")).await.expect_err("an error");
        assert!(matches!(error, ModelError::Journal(_)), "{error}");
        assert_eq!(model.requests().len(), 1);
    }
}
