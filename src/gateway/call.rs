//! A request that may be sent on: what it asks for, of which model, and what is told of its end.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::errand::Errand;
use super::judge::Case;
use super::keeper::Unsealed;
use super::part::Part;
use super::requested::Requested;
use super::surface::{Surface, tokens};
use super::tally::Tally;
use super::{Facts, Failure, Gateway, Served};

/// A request that may be sent on.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) gateway: Arc<Gateway>,
    pub(super) served: Arc<Served>,
    pub(super) surface: Surface,
    pub(super) requested: Requested,
    /// What is sent on.
    pub(super) body: Bytes,
    pub(super) errand: Errand,
    /// What the model's server answered, while it is held.
    pub(super) draft: Option<Bytes>,
    /// Tokens of prompt and answer, as the model's server counted them.
    pub(super) tokens: (u64, u64),
}

impl Call {
    /// What its texts have in common.
    pub(super) fn case(&self) -> Case<'_> {
        Case {
            served: &self.served,
            surface: self.surface,
            requested: &self.requested,
            errand: &self.errand,
        }
    }

    /// Keeps the transcript of a request that got no answer; with the texts of a draft, where there
    /// was one.
    pub(super) async fn keep_unanswered(&self, why: &str) -> Result<(), Failure> {
        let draft: Option<Value> = self
            .draft
            .as_ref()
            .and_then(|bytes| serde_json::from_slice(bytes).ok());
        let parts = draft.and_then(|draft| self.surface.parts(&draft));
        let unanswered = match parts {
            Some(parts) => self.case().withheld(&parts, why),
            None => vec![self.case().unanswered(why)],
        };
        self.gateway.keep(&self.served, || unanswered).await
    }

    /// The transcripts of an answer that left without being judged.
    pub(super) fn unassessed(&self, parts: &[Part], why: Option<&str>) -> Vec<Unsealed> {
        let mode = self.served.mode.as_str();
        if parts.is_empty() {
            let why = why.unwrap_or("the reply holds no text that could be read");
            return vec![self.case().unanswered(why)];
        }
        let why = match why {
            Some(why) => format!("not assessed in mode {mode}: {why}"),
            None => format!("not assessed in mode {mode}"),
        };
        self.case().unassessed(parts, &why)
    }

    /// Tells of a request that was answered unjudged, or not at all.
    pub(super) fn answered(&self, status: u16, failure: Option<&Failure>) {
        let tally = Tally {
            critic_failed: failure.is_some_and(|failure| failure.blames_critic),
            ..Tally::default()
        };
        self.gateway
            .reporter
            .answered(&self.facts(status, &tally, None));
    }

    /// What is told of the request.
    pub(super) fn facts<'a>(
        &'a self,
        status: u16,
        tally: &'a Tally,
        delivered: Option<&'static str>,
    ) -> Facts<'a> {
        Facts {
            endpoint: self.surface.path(),
            model: &self.served.name,
            mode: Some(self.served.mode),
            is_stream: self.requested.stream,
            status,
            outcome: tally.outcome,
            delivered,
            rounds: tally.rounds,
            violated: &tally.violated,
            usage: &tally.usage,
            upstream_tokens: self.tokens,
            critic_failed: tally.critic_failed,
            upstream: self.errand.upstream,
            revision: self.errand.revision,
            own: self.errand.own(),
            admitted: self.errand.admitted.as_deref(),
        }
    }

    /// Notes the tokens that the model's server counted.
    pub(super) fn count(&mut self, answer: &Value) {
        self.tokens = tokens(answer);
    }
}
