//! Mode `enforce`: the answer is held until it is judged, mended where it must be, and only then
//! given.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde_json::Value;
use tokio::time::timeout;

use super::call::Call;
use super::judge::judge;
use super::keeper::Unsealed;
use super::settle::settle;
use super::tally::Tally;
use super::{Failure, Panel, Served, headers};
use crate::transcript::Delivery;

/// A held answer that may leave.
#[derive(Debug)]
pub(super) struct Released {
    pub(super) call: Call,
    pub(super) answer: Value,
    /// The bytes of the model's server, where nothing was changed.
    untouched: Option<Bytes>,
    tally: Tally,
}

/// What an attempt at an answer came to.
struct Attempt {
    answer: Value,
    untouched: Option<Bytes>,
    tally: Tally,
    delivered: Option<Delivery>,
}

impl Call {
    /// Takes the request to an answer that may leave, and tells of it, whatever the end.
    pub(super) async fn hold(mut self) -> Result<Released, Failure> {
        let deadline = self.gateway.options.deadline;
        let attempt = timeout(deadline, self.attempt()).await;
        match attempt.unwrap_or_else(|_| Err(Failure::deadline(deadline))) {
            Ok(attempt) => {
                self.count(&attempt.answer);
                let delivered = attempt.delivered.map(Delivery::as_str);
                let facts = self.facts(200, &attempt.tally, delivered);
                self.gateway.reporter.answered(&facts);
                Ok(Released {
                    call: self,
                    answer: attempt.answer,
                    untouched: attempt.untouched,
                    tally: attempt.tally,
                })
            }
            Err(failure) => {
                self.errand.log(&failure);
                self.answered(failure.status.as_u16(), Some(&failure));
                if !failure.has_transcript {
                    self.keep_unanswered(&failure.whole).await?;
                }
                Err(failure)
            }
        }
    }

    async fn attempt(&mut self) -> Result<Attempt, Failure> {
        let bytes = self.ask().await?;
        let mut answer: Value = serde_json::from_slice(&bytes)
            .map_err(|error| Failure::garbled(format!("the reply is not JSON: {error}")))?;
        let parts = self.surface.parts(&answer);
        let parts = parts.ok_or_else(|| Failure::garbled("the reply holds no answer"))?;
        self.draft = Some(bytes.clone());
        let served = Arc::clone(&self.served);
        let panel = self.panel(&served)?;
        let clock = Instant::now();
        let mut judged = judge(self.case(), panel, parts).await;
        let tally = Tally::of(&judged);
        if !tally.usage.is_empty() {
            self.errand.revision = clock.elapsed();
        }
        let settled = settle(&served, self.surface, panel, &mut answer, &mut judged);
        let unsealed: Vec<Unsealed> = judged.into_iter().map(|one| one.unsealed).collect();
        self.gateway.keep(&served, || unsealed).await?;
        let settled = settled?;
        Ok(Attempt {
            answer,
            untouched: (!settled.changed).then_some(bytes),
            tally,
            delivered: settled.delivered,
        })
    }

    async fn ask(&mut self) -> Result<Bytes, Failure> {
        let clock = Instant::now();
        let asked = async {
            let onward = headers::onward(&self.errand);
            let path = self.surface.path();
            let body = std::mem::take(&mut self.body);
            let reply = self.served.relay.post(path, &onward, body).await?;
            reply.whole(self.gateway.options.limits.held_bytes).await
        };
        let reply = asked.await;
        self.errand.upstream = clock.elapsed();
        reply.map_err(|error| Failure::upstream(&error))
    }

    /// Who judges: with as many revisions as the client asks for, where the operator lets it.
    fn panel<'a>(&self, served: &'a Served) -> Result<&'a Panel, Failure> {
        let panel = match self.requested.own.recipe.rounds {
            None => served.panel.as_ref(),
            Some(rounds) => served.panels_by_rounds.get(rounds as usize),
        };
        panel.ok_or_else(|| Failure::critic("the model has no constitution"))
    }
}

impl Released {
    /// The answer as one JSON object.
    pub(super) fn into_response(self) -> Response {
        let body = match &self.untouched {
            Some(bytes) => Body::from(bytes.clone()),
            None => Body::from(self.answer.to_string()),
        };
        let mut response = Response::new(body);
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        self.head(&mut response);
        response
    }

    /// The answer as the events of a stream.
    pub(super) fn frames(&self) -> Bytes {
        let include_usage = self.call.requested.include_usage;
        self.call.surface.frames(&self.answer, include_usage)
    }

    /// The headers that say how the answer ended.
    pub(super) fn head(&self, response: &mut Response) {
        let headers = response.headers_mut();
        headers::outcome(headers, &self.tally);
        headers::timing(headers, &self.call.errand);
    }
}
