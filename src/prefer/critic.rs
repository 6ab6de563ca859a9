//! How the critic is asked: by log-probabilities where its server gives them, by votes elsewhere.
//! Which it is, is found out once and remembered.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::letter::{by_likelihood, by_words};
use crate::model::journal::Journal;
use crate::model::{ChatRequest, Completion, Finish, ModelError};
use crate::round::Assigned;

/// Under which name the journal remembers how a model is asked.
const NOTE: &str = "logprobs";
/// How many likely tokens are asked for: as many as most servers give, or else as many as nearly all.
const WIDTHS: [u8; 2] = [20, 5];

/// What a label is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LabelSource {
    /// The probabilities of the two letters.
    Logprobs,
    /// The letters of several replies.
    Votes,
}

/// What labels are wished to be made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LabelWish {
    /// Log-probabilities where the server gives them, and else votes.
    #[default]
    Auto,
    /// Log-probabilities, whatever the server gives.
    Logprobs,
    /// Votes.
    Votes,
}

/// How one model is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Means {
    Logprobs(u8),
    Votes,
}

impl Means {
    fn source(self) -> LabelSource {
        match self {
            Self::Logprobs(_) => LabelSource::Logprobs,
            Self::Votes => LabelSource::Votes,
        }
    }

    fn ask(self, request: &ChatRequest) -> ChatRequest {
        let top_logprobs = match self {
            Self::Logprobs(width) => Some(width),
            Self::Votes => None,
        };
        ChatRequest {
            top_logprobs,
            ..request.clone()
        }
    }
}

impl fmt::Display for Means {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Logprobs(width) => width.fmt(formatter),
            Self::Votes => formatter.write_str("no"),
        }
    }
}

impl FromStr for Means {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "no" => Ok(Self::Votes),
            width => width.parse().map(Self::Logprobs),
        }
    }
}

/// One choice of the critic.
#[derive(Debug)]
pub(super) struct Choice {
    /// How it was asked for.
    pub(super) source: LabelSource,
    /// How probable it is that the answer shown as A is the better one, or why that cannot be read.
    pub(super) share: Result<f64, String>,
    /// The reply.
    pub(super) completion: Completion,
}

impl Choice {
    fn of(means: Means, completion: Completion) -> Self {
        let share = match means {
            Means::Logprobs(_) => by_likelihood(&completion),
            Means::Votes => by_words(&completion),
        };
        Self {
            source: means.source(),
            share,
            completion,
        }
    }
}

/// The model that compares.
#[derive(Debug)]
pub(super) struct Critic {
    pub(super) assigned: Assigned,
    journal: Option<Arc<dyn Journal>>,
    means: OnceLock<Means>,
    probing: Mutex<()>,
}

impl Critic {
    /// The critic; what is found out about it is remembered in `journal`.
    pub(super) fn new(
        assigned: Assigned,
        wish: LabelWish,
        journal: Option<Arc<dyn Journal>>,
    ) -> Self {
        let means = match wish {
            LabelWish::Auto => OnceLock::new(),
            LabelWish::Logprobs => OnceLock::from(Means::Logprobs(WIDTHS[0])),
            LabelWish::Votes => OnceLock::from(Means::Votes),
        };
        Self {
            assigned,
            journal,
            means,
            probing: Mutex::default(),
        }
    }

    /// Asks for a choice. While it is not known how, one call at a time finds out.
    pub(super) async fn choose(&self, request: &ChatRequest) -> Result<Choice, ModelError> {
        if let Some(means) = self.means.get() {
            return self.ask(*means, request).await;
        }
        let probing = self.probing.lock().await;
        if let Some(means) = self.recall().await? {
            drop(probing);
            return self.ask(means, request).await;
        }
        self.find_out(request).await
    }

    /// A comparison in words.
    pub(super) async fn think(&self, request: &ChatRequest) -> Result<Completion, ModelError> {
        self.assigned.model.complete(request).await
    }

    async fn ask(&self, means: Means, request: &ChatRequest) -> Result<Choice, ModelError> {
        let completion = self.assigned.model.complete(&means.ask(request)).await?;
        Ok(Choice::of(means, completion))
    }

    async fn recall(&self) -> Result<Option<Means>, ModelError> {
        if let Some(means) = self.means.get() {
            return Ok(Some(*means));
        }
        let Some(journal) = &self.journal else {
            return Ok(None);
        };
        let note = journal.note(self.assigned.model.name(), NOTE).await?;
        let means = note.and_then(|note| note.parse().ok());
        Ok(means.map(|means| *self.means.get_or_init(|| means)))
    }

    /// Asks for ever fewer likely tokens, and last for none. A server that leaves them out, or
    /// refuses to give them and answers without, is asked for votes from then on.
    async fn find_out(&self, request: &ChatRequest) -> Result<Choice, ModelError> {
        for width in WIDTHS {
            let means = Means::Logprobs(width);
            match self.ask(means, request).await {
                Ok(choice) if !choice.completion.first_tokens.is_empty() => {
                    self.remember(means).await?;
                    return Ok(choice);
                }
                // It may have had no token to tell of.
                Ok(choice) if is_withheld(&choice.completion) => return Ok(choice),
                Ok(_) => break,
                Err(error) if refuses(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let choice = self.ask(Means::Votes, request).await?;
        self.remember(Means::Votes).await?;
        Ok(choice)
    }

    async fn remember(&self, means: Means) -> Result<(), ModelError> {
        let model = self.assigned.model.name();
        if let Some(journal) = &self.journal {
            journal.set_note(model, NOTE, &means.to_string()).await?;
        }
        self.means.get_or_init(|| means);
        tracing::debug!(model, %means, "log-probabilities");
        Ok(())
    }
}

fn is_withheld(completion: &Completion) -> bool {
    completion.refusal.is_some()
        || matches!(completion.finish, Finish::ContentFilter)
        || (completion.finish == Finish::Length && completion.text.trim().is_empty())
}

/// Whether the server may have refused the request for the tokens that it asks for.
fn refuses(error: &ModelError) -> bool {
    match error {
        ModelError::Status {
            status, message, ..
        } => match status {
            400 | 422 | 501 => true,
            _ => message.to_lowercase().contains("logprob"),
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;
    use crate::model::scripted::Scripted;
    use crate::model::{MemoryJournal, TokenChance, TokenPlace};

    fn request() -> ChatRequest {
        ChatRequest::new(vec![Message::user("A or B?")])
    }

    fn with_tokens(text: &str) -> Completion {
        Completion {
            first_tokens: vec![TokenPlace {
                token: text.to_owned(),
                likeliest: vec![TokenChance {
                    token: text.to_owned(),
                    logprob: 0.0,
                }],
            }],
            ..Completion::from_text(text)
        }
    }

    fn refusal() -> ModelError {
        ModelError::Status {
            endpoint: "e".to_owned(),
            status: 400,
            message: "no".to_owned(),
            retry_after: None,
        }
    }

    /// A critic whose server gives at most so many likely tokens; it refuses more, or is silent.
    fn critic(most: u8, is_silent: bool, journal: &Arc<MemoryJournal>) -> (Critic, Arc<Scripted>) {
        let model = Arc::new(Scripted::answering(move |request| {
            match request.top_logprobs {
                Some(width) if width <= most => Ok(with_tokens("A")),
                Some(_) if !is_silent => Err(refusal()),
                _ => Ok(Completion::from_text("B")),
            }
        }));
        let journal = Arc::clone(journal) as Arc<dyn Journal>;
        let assigned = Assigned::new(Arc::clone(&model) as _);
        (Critic::new(assigned, LabelWish::Auto, Some(journal)), model)
    }

    fn widths(model: &Scripted) -> Vec<Option<u8>> {
        let requests = model.requests();
        requests
            .iter()
            .map(|request| request.top_logprobs)
            .collect()
    }

    #[tokio::test]
    async fn how_it_is_asked_is_found_out_once() {
        for (most, is_silent, source, asked) in [
            (20, false, LabelSource::Logprobs, vec![Some(20)]),
            (5, false, LabelSource::Logprobs, vec![Some(20), Some(5)]),
            (0, false, LabelSource::Votes, vec![Some(20), Some(5), None]),
            (0, true, LabelSource::Votes, vec![Some(20), None]),
        ] {
            let journal = Arc::<MemoryJournal>::default();
            let (first, model) = critic(most, is_silent, &journal);
            for _ in 0..3 {
                let choice = first.choose(&request()).await.expect("a choice");
                assert_eq!(choice.source, source);
                assert!(choice.share.is_ok());
            }
            let again = *asked.last().expect("a call");
            let mut wanted = asked.clone();
            wanted.extend([again, again]);
            assert_eq!(widths(&model), wanted);

            // Another process knows it from the journal.
            let (second, model) = critic(most, is_silent, &journal);
            second.choose(&request()).await.expect("a choice");
            assert_eq!(widths(&model), [again]);
        }
    }

    #[tokio::test]
    async fn a_server_that_refuses_everything_is_remembered_for_nothing() {
        let model = Arc::new(Scripted::answering(|_| Err(refusal())));
        let journal = Arc::<MemoryJournal>::default();
        let assigned = Assigned::new(Arc::clone(&model) as _);
        let kept = Arc::clone(&journal) as Arc<dyn Journal>;
        let critic = Critic::new(assigned, LabelWish::Auto, Some(kept));
        assert!(critic.choose(&request()).await.is_err());
        assert_eq!(journal.note("scripted", NOTE).await.expect("notes"), None);
    }

    #[tokio::test]
    async fn a_wish_is_not_looked_into() {
        let journal = Arc::<MemoryJournal>::default();
        let (critic, model) = critic(20, false, &journal);
        let votes = Critic::new(critic.assigned, LabelWish::Votes, None);
        let choice = votes.choose(&request()).await.expect("a choice");
        assert_eq!((choice.source, choice.share), (LabelSource::Votes, Ok(0.0)));
        assert_eq!(widths(&model), [None]);
    }
}
