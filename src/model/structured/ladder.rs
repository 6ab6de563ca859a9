//! The wrapper that steps down the ladder until a rung works, and remembers it.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::{Rung, StructuredSetting, extract_json};
use crate::model::journal::Journal;
use crate::model::{
    ChatModel, ChatRequest, Completion, Finish, ModelError, ReplyFormat, ReplySchema,
};

/// Under which name the journal remembers the rung of a model.
const NOTE: &str = "structured";

/// A [`ChatModel`] that asks for [`ReplyFormat::Structured`] by the strongest means that the model
/// it wraps understands; other requests pass unchanged.
///
/// While the means is not known, one call at a time finds out and the others wait for it. A rung is
/// given up when the server refuses the request, or answers without any JSON; the first answer with
/// JSON settles it. From then on every error passes unchanged.
#[derive(Debug)]
pub struct Structured {
    model: Arc<dyn ChatModel>,
    journal: Option<Arc<dyn Journal>>,
    rung: OnceLock<Rung>,
    presumed: Option<Rung>,
    probing: Mutex<()>,
}

/// What one attempt on one rung showed.
enum Attempt {
    /// JSON came back: the rung works.
    Works(Completion),
    /// The outcome says nothing about the rung.
    Open(Result<Completion, ModelError>),
    /// The rung does not work.
    Fails(Result<Completion, ModelError>),
}

impl Structured {
    /// Wraps `model`; what is found out is remembered in `journal`, or else as long as this value
    /// lives.
    pub fn new(
        model: Arc<dyn ChatModel>,
        setting: StructuredSetting,
        journal: Option<Arc<dyn Journal>>,
    ) -> Self {
        let (rung, presumed) = match setting {
            StructuredSetting::Auto => (OnceLock::new(), None),
            StructuredSetting::Pinned(rung) => (OnceLock::from(rung), None),
            StructuredSetting::Presumed(rung) => (OnceLock::new(), Some(rung)),
        };
        Self {
            model,
            journal,
            rung,
            presumed,
            probing: Mutex::new(()),
        }
    }

    async fn complete_structured(
        &self,
        request: &ChatRequest,
        schema: &Arc<ReplySchema>,
    ) -> Result<Completion, ModelError> {
        if let Some(rung) = self.rung.get() {
            return self.model.complete(&rung.ask(request, schema)).await;
        }
        let probing = self.probing.lock().await;
        if let Some(rung) = self.recall().await? {
            // The others are waiting for what is known by now, not for this reply.
            drop(probing);
            return self.model.complete(&rung.ask(request, schema)).await;
        }
        self.probe(request, schema).await
    }

    /// The rung that another call, or an earlier run, found to work.
    async fn recall(&self) -> Result<Option<Rung>, ModelError> {
        if let Some(rung) = self.rung.get() {
            return Ok(Some(*rung));
        }
        let Some(journal) = &self.journal else {
            return Ok(self.presumed);
        };
        let note = journal.note(self.name(), NOTE).await?;
        // A note that this version cannot read is found out anew.
        let rung = note.and_then(|name| name.parse().ok()).or(self.presumed);
        Ok(rung.map(|rung| *self.rung.get_or_init(|| rung)))
    }

    async fn remember(&self, rung: Rung) -> Result<(), ModelError> {
        if let Some(journal) = &self.journal {
            journal.set_note(self.name(), NOTE, rung.as_str()).await?;
        }
        self.rung.get_or_init(|| rung);
        tracing::debug!(model = self.name(), %rung, "structured replies work");
        Ok(())
    }

    /// Steps down until a rung works. When none does, the last answer is given if there is one: it
    /// is an answer, and its reader may ask again; otherwise the error of the strongest rung.
    async fn probe(
        &self,
        request: &ChatRequest,
        schema: &Arc<ReplySchema>,
    ) -> Result<Completion, ModelError> {
        let mut first_error = None;
        let mut last_answer = None;
        for rung in Rung::ALL {
            let outcome = self.model.complete(&rung.ask(request, schema)).await;
            match judge(outcome) {
                Attempt::Works(completion) => {
                    self.remember(rung).await?;
                    return Ok(completion);
                }
                Attempt::Open(outcome) => return outcome,
                Attempt::Fails(outcome) => {
                    tracing::debug!(model = self.name(), %rung, "structured replies do not work");
                    match outcome {
                        Ok(completion) => last_answer = Some(completion),
                        Err(error) => {
                            last_answer = None;
                            first_error.get_or_insert(error);
                        }
                    }
                }
            }
        }
        match (last_answer, first_error) {
            (Some(completion), _) => Ok(completion),
            (None, Some(error)) => Err(error),
            (None, None) => Err(ModelError::Other("there are no rungs".to_owned())),
        }
    }
}

fn judge(outcome: Result<Completion, ModelError>) -> Attempt {
    match outcome {
        Ok(completion) if extract_json(&completion.text).is_some() => Attempt::Works(completion),
        Ok(completion) if is_withheld(&completion) => Attempt::Open(Ok(completion)),
        Ok(completion) => Attempt::Fails(Ok(completion)),
        Err(error) if refuses_format(&error) => Attempt::Fails(Err(error)),
        Err(error) => Attempt::Open(Err(error)),
    }
}

/// Whether the reply lacks JSON for a reason that another rung would not mend.
fn is_withheld(completion: &Completion) -> bool {
    completion.refusal.is_some()
        || matches!(completion.finish, Finish::Length | Finish::ContentFilter)
}

/// Whether the server may have refused the request for the form it asked for.
fn refuses_format(error: &ModelError) -> bool {
    match error {
        ModelError::Status {
            status, message, ..
        } => match status {
            400 | 404 | 422 | 501 => true,
            500 => mentions_format(message),
            _ => false,
        },
        // Routers say 404 when no backend supports the form, and it may be the very first call.
        ModelError::Unusable { source, .. } => {
            matches!(**source, ModelError::Status { status: 404, .. })
        }
        _ => false,
    }
}

fn mentions_format(message: &str) -> bool {
    let message = message.to_lowercase();
    [
        "response_format",
        "guided",
        "grammar",
        "tool",
        "json_schema",
        "json schema",
    ]
    .iter()
    .any(|word| message.contains(word))
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ChatModel for Structured {
    fn name(&self) -> &str {
        self.model.name()
    }

    async fn complete(&self, request: &ChatRequest) -> Result<Completion, ModelError> {
        match &request.format {
            ReplyFormat::Structured(schema) => self.complete_structured(request, schema).await,
            _ => self.model.complete(request).await,
        }
    }

    fn read(&self, raw: &[u8]) -> Result<Completion, ModelError> {
        self.model.read(raw)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::future::join_all;
    use serde_json::json;

    use super::*;
    use crate::message::Message;
    use crate::model::MemoryJournal;
    use crate::model::scripted::Scripted;

    fn request() -> ChatRequest {
        let schema = ReplySchema {
            name: "critique".to_owned(),
            description: "A critique.".to_owned(),
            schema: json!({ "type": "object" }).into(),
        };
        ChatRequest {
            format: ReplyFormat::Structured(Arc::new(schema)),
            ..ChatRequest::new(vec![Message::user("Hi")])
        }
    }

    fn rung_of(request: &ChatRequest) -> Rung {
        match &request.format {
            ReplyFormat::JsonSchema(_) => Rung::JsonSchema,
            ReplyFormat::Tool(_) => Rung::Tool,
            ReplyFormat::JsonObject => Rung::JsonObject,
            ReplyFormat::Text => Rung::Text,
            ReplyFormat::Structured(_) => panic!("the wrapper must choose a rung"),
        }
    }

    fn status(status: u16, message: &str) -> ModelError {
        ModelError::Status {
            endpoint: "http://host/v1".to_owned(),
            status,
            message: message.to_owned(),
            retry_after: None,
        }
    }

    fn json_reply() -> Completion {
        Completion::from_text("```json\n{\"a\":1}\n```")
    }

    /// A model on which `works` is the strongest rung; the others are refused.
    fn server(works: Rung) -> Arc<Scripted> {
        Arc::new(Scripted::answering(move |request| {
            if rung_of(request) == works {
                Ok(json_reply())
            } else {
                Err(status(400, "unsupported"))
            }
        }))
    }

    fn asked(model: &Scripted) -> Vec<Rung> {
        model.requests().iter().map(rung_of).collect()
    }

    #[tokio::test]
    async fn what_is_presumed_is_used_at_once_unless_something_was_found_out_before() {
        let presumed = StructuredSetting::Presumed(Rung::JsonSchema);
        let journal = Arc::new(MemoryJournal::new());
        let model = server(Rung::Tool);
        let structured = Structured::new(model.clone(), presumed, Some(journal.clone()));
        for _ in 0..2 {
            assert!(structured.complete(&request()).await.is_err());
        }
        assert_eq!(asked(&model), [Rung::JsonSchema; 2]);
        let note = Rung::Tool.as_str();
        let noted = journal.set_note("scripted", NOTE, note).await;
        noted.expect("a note");
        let structured = Structured::new(model.clone(), presumed, Some(journal));
        assert!(structured.complete(&request()).await.is_ok());
        let alone = Structured::new(model.clone(), presumed, None);
        assert!(alone.complete(&request()).await.is_err());
    }

    fn auto(model: Arc<Scripted>) -> Structured {
        Structured::new(model, StructuredSetting::Auto, None)
    }

    #[tokio::test]
    async fn the_strongest_rung_that_works_is_found_and_kept() {
        for (place, works) in Rung::ALL.into_iter().enumerate() {
            let model = server(works);
            let structured = auto(model.clone());
            for _ in 0..2 {
                assert!(structured.complete(&request()).await.is_ok());
            }
            let mut expected = Rung::ALL[..=place].to_vec();
            expected.push(works);
            assert_eq!(asked(&model), expected);
        }
    }

    #[tokio::test]
    async fn the_schema_is_told_on_the_rungs_that_cannot_carry_it() {
        let model = server(Rung::Text);
        auto(model.clone())
            .complete(&request())
            .await
            .expect("a reply");
        for request in model.requests() {
            let told = request.messages[0].content.contains(r#"{"type":"object"}"#);
            let needed = matches!(rung_of(&request), Rung::JsonObject | Rung::Text);
            assert_eq!(told, needed, "{request:?}");
        }
    }

    #[tokio::test]
    async fn refusals_of_the_form_step_down_and_other_errors_do_not() {
        let unknown = || ModelError::Unusable {
            model: "m".to_owned(),
            hint: "check".to_owned(),
            source: Box::new(status(404, "no endpoint supports this")),
        };
        for error in [
            status(400, "x"),
            status(404, "x"),
            status(422, "x"),
            status(501, "x"),
            status(500, "guided decoding failed"),
            unknown(),
        ] {
            let name = error.to_string();
            let model = Arc::new(Scripted::new([Err(error), Ok(json_reply())]));
            assert!(
                auto(model.clone()).complete(&request()).await.is_ok(),
                "{name}"
            );
            assert_eq!(asked(&model), [Rung::JsonSchema, Rung::Tool], "{name}");
        }
        for error in [
            status(500, "out of memory"),
            status(401, "x"),
            status(429, "x"),
        ] {
            let name = error.to_string();
            let model = Arc::new(Scripted::new([Err(error), Ok(json_reply())]));
            assert!(
                auto(model.clone()).complete(&request()).await.is_err(),
                "{name}"
            );
            assert_eq!(asked(&model), [Rung::JsonSchema], "{name}");
        }
    }

    #[tokio::test]
    async fn an_answer_without_json_steps_down_but_a_withheld_one_does_not() {
        let prose = || Ok(Completion::from_text("The answer seems fine to me."));
        let model = Arc::new(Scripted::new([prose(), Ok(json_reply())]));
        assert!(auto(model.clone()).complete(&request()).await.is_ok());
        assert_eq!(asked(&model), [Rung::JsonSchema, Rung::Tool]);

        let cut = Completion {
            finish: Finish::Length,
            ..Completion::from_text("{\"a\":")
        };
        let refused = Completion {
            refusal: Some("No.".to_owned()),
            ..Completion::default()
        };
        for withheld in [cut, refused] {
            let model = Arc::new(Scripted::new([Ok(withheld.clone()), Ok(json_reply())]));
            let structured = auto(model.clone());
            let reply = structured.complete(&request()).await.expect("a reply");
            assert_eq!(reply, withheld);
            assert!(structured.complete(&request()).await.is_ok());
            assert_eq!(
                asked(&model),
                [Rung::JsonSchema; 2],
                "nothing was found out"
            );
        }
    }

    #[tokio::test]
    async fn when_every_rung_fails_the_first_error_is_the_outcome() {
        let errors = (1..=4).map(|n| Err(status(400, &format!("number {n}"))));
        let model = Arc::new(Scripted::new(errors));
        let error = auto(model)
            .complete(&request())
            .await
            .expect_err("an error");
        assert!(error.to_string().contains("number 1"), "{error}");
    }

    #[tokio::test]
    async fn an_answer_on_the_lowest_rung_is_given_even_without_json() {
        let prose = Ok(Completion::from_text("Fine."));
        let errors = (1..=3).map(|_| Err(status(400, "no")));
        let model = Arc::new(Scripted::new(errors.chain([prose])));
        let reply = auto(model).complete(&request()).await.expect("a reply");
        assert_eq!(reply.text, "Fine.");
    }

    #[tokio::test]
    async fn once_settled_errors_pass_unchanged() {
        let model = Arc::new(Scripted::new([
            Ok(json_reply()),
            Err(status(400, "bad row")),
        ]));
        let structured = auto(model.clone());
        assert!(structured.complete(&request()).await.is_ok());
        assert!(structured.complete(&request()).await.is_err());
        assert_eq!(asked(&model), [Rung::JsonSchema; 2]);
    }

    #[tokio::test]
    async fn what_was_found_out_is_remembered_in_the_journal() {
        let journal = Arc::new(MemoryJournal::new());
        let auto = |model: &Arc<Scripted>| {
            Structured::new(
                model.clone(),
                StructuredSetting::Auto,
                Some(journal.clone()),
            )
        };
        let first = server(Rung::Tool);
        assert!(auto(&first).complete(&request()).await.is_ok());
        let note = journal.note("scripted", NOTE).await.expect("a note");
        assert_eq!(note.as_deref(), Some("tool"));
        let second = server(Rung::Tool);
        assert!(auto(&second).complete(&request()).await.is_ok());
        assert_eq!(asked(&second), [Rung::Tool]);

        journal
            .set_note("scripted", NOTE, "telepathy")
            .await
            .expect("kept");
        let third = server(Rung::Tool);
        assert!(auto(&third).complete(&request()).await.is_ok());
        assert_eq!(asked(&third), [Rung::JsonSchema, Rung::Tool]);
    }

    #[tokio::test]
    async fn a_pinned_rung_is_the_only_one_asked() {
        let model = server(Rung::Text);
        let setting = StructuredSetting::Pinned(Rung::JsonObject);
        let structured = Structured::new(model.clone(), setting, None);
        assert!(structured.complete(&request()).await.is_err());
        assert_eq!(asked(&model), [Rung::JsonObject]);
    }

    #[tokio::test]
    async fn a_request_for_text_passes_unchanged() {
        let model = Arc::new(Scripted::texts(["no JSON here"]));
        let plain = ChatRequest::new(vec![Message::user("Hi")]);
        assert!(auto(model.clone()).complete(&plain).await.is_ok());
        assert_eq!(model.requests(), [plain]);
    }

    /// Takes a while for every call, so that callers overlap.
    #[derive(Debug)]
    struct Slowly(Arc<Scripted>);

    #[async_trait]
    impl ChatModel for Slowly {
        fn name(&self) -> &str {
            self.0.name()
        }

        async fn complete(&self, request: &ChatRequest) -> Result<Completion, ModelError> {
            tokio::time::sleep(Duration::from_secs(1)).await;
            self.0.complete(request).await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn sixteen_callers_at_once_make_one_series_of_probes() {
        let model = server(Rung::JsonObject);
        let slowly = Arc::new(Slowly(model.clone()));
        let structured = Structured::new(slowly, StructuredSetting::Auto, None);
        let started = tokio::time::Instant::now();
        let request = request();
        let replies = join_all((0..16).map(|_| structured.complete(&request))).await;
        assert!(replies.iter().all(Result::is_ok));
        let asked = asked(&model);
        assert_eq!(asked[..2], [Rung::JsonSchema, Rung::Tool]);
        assert_eq!(asked[2..], [Rung::JsonObject; 16]);
        assert_eq!(
            started.elapsed().as_secs(),
            4,
            "after the probes all go at once"
        );
    }
}
