//! Mode `enforce`: the answer is held until it is judged, mended where it must be, and only then
//! given.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde_json::Value;
use tokio::time::timeout;

use super::errand::Errand;
use super::judge::{Case, Judged, judge};
use super::keeper::Unsealed;
use super::requested::Requested;
use super::settle::{Settled, settle};
use super::surface::Surface;
use super::{Facts, Failure, Gateway, Panel, Served, headers};
use crate::transcript::{Outcome, UsageByRole, Verdict};

/// A request whose answer is held.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) gateway: Arc<Gateway>,
    pub(super) served: Arc<Served>,
    pub(super) surface: Surface,
    pub(super) requested: Requested,
    pub(super) body: Bytes,
    pub(super) errand: Errand,
}

/// A held answer that may leave.
#[derive(Debug)]
pub(super) struct Released {
    pub(super) answer: Value,
    /// The bytes of the model's server, where nothing was changed.
    untouched: Option<Bytes>,
    pub(super) errand: Errand,
    outcome: Outcome,
    tally: Tally,
}

/// What the judging of an answer took.
#[derive(Debug, Default)]
struct Tally {
    rounds: u32,
    usage: UsageByRole,
    violated: Vec<String>,
}

impl Held {
    /// Takes the request to its answer, and tells of it, whatever the end.
    pub(super) async fn work(mut self) -> Result<Released, Failure> {
        let deadline = self.gateway.options.deadline;
        let worked = timeout(deadline, self.attempt()).await;
        let worked = worked.unwrap_or_else(|_| Err(Failure::deadline(deadline)));
        match worked {
            Ok((answer, untouched, settled, tally)) => {
                self.tell(200, Some(&settled), &tally, &answer, None);
                Ok(Released {
                    answer,
                    untouched,
                    outcome: settled.outcome,
                    errand: self.errand,
                    tally,
                })
            }
            Err(failure) => {
                self.gateway.log(&self.errand, &failure);
                self.tell(
                    failure.status.as_u16(),
                    None,
                    &Tally::default(),
                    &Value::Null,
                    Some(&failure),
                );
                if !failure.blames_critic {
                    let unanswered = self.case().unanswered(&failure.whole);
                    self.gateway.keep(&self.served, || vec![unanswered]).await?;
                }
                Err(failure)
            }
        }
    }

    fn case(&self) -> Case<'_> {
        Case {
            served: &self.served,
            surface: self.surface,
            requested: &self.requested,
            errand: &self.errand,
        }
    }

    async fn attempt(&mut self) -> Result<(Value, Option<Bytes>, Settled, Tally), Failure> {
        let bytes = self.ask().await?;
        let mut answer: Value = serde_json::from_slice(&bytes)
            .map_err(|error| Failure::garbled(format!("the reply is not JSON: {error}")))?;
        let parts = self.surface.parts(&answer);
        let parts = parts.ok_or_else(|| Failure::garbled("the reply holds no choices"))?;
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
        let untouched = (!settled.changed).then_some(bytes);
        Ok((answer, untouched, settled, tally))
    }

    async fn ask(&mut self) -> Result<Bytes, Failure> {
        let clock = Instant::now();
        let asked = async {
            let onward = headers::onward(&self.errand);
            let body = self.body.clone();
            let reply = self
                .served
                .relay
                .post(self.surface.path(), &onward, body)
                .await?;
            reply.whole(self.gateway.options.limits.held_bytes).await
        };
        let reply = asked.await;
        self.errand.upstream = clock.elapsed();
        reply.map_err(|error| Failure::upstream(&error))
    }

    /// Who judges: as many revisions as the client asks for, where the operator lets it.
    fn panel<'a>(&self, served: &'a Served) -> Result<&'a Panel, Failure> {
        let panel = match self.requested.own.recipe.rounds {
            None => served.panel.as_ref(),
            Some(rounds) => served.panels_by_rounds.get(rounds as usize),
        };
        panel.ok_or_else(|| Failure::critic("the model has no constitution"))
    }

    fn tell(
        &self,
        status: u16,
        settled: Option<&Settled>,
        tally: &Tally,
        answer: &Value,
        failure: Option<&Failure>,
    ) {
        self.gateway.reporter.answered(&Facts {
            endpoint: self.surface.path(),
            model: &self.served.name,
            mode: Some(self.served.mode),
            is_stream: self.requested.stream,
            status,
            outcome: settled.map(|settled| settled.outcome),
            delivered: settled
                .and_then(|settled| settled.delivered)
                .map(|how| how.as_str()),
            rounds: tally.rounds,
            violated: &tally.violated,
            usage: &tally.usage,
            upstream_tokens: self.surface.tokens(answer),
            critic_failed: failure.is_some_and(|failure| failure.blames_critic)
                || settled.is_some_and(|settled| settled.outcome == Outcome::Failed),
            upstream: self.errand.upstream,
            revision: self.errand.revision,
            own: self.errand.own(),
        });
    }
}

impl Tally {
    fn of(judged: &[Judged]) -> Self {
        let mut usage: UsageByRole = BTreeMap::new();
        let mut violated: Vec<String> = Vec::new();
        let mut rounds = 0;
        for transcript in judged.iter().map(|one| &one.unsealed.transcript) {
            rounds = rounds.max(u32::try_from(transcript.rounds.len()).unwrap_or(u32::MAX));
            for (role, used) in &transcript.usage {
                usage.entry(*role).or_default().merge(used);
            }
            let findings = transcript.rounds.iter().flat_map(|round| &round.findings);
            for finding in findings.filter(|finding| finding.verdict == Verdict::Violates) {
                if !violated.contains(&finding.principle) {
                    violated.push(finding.principle.clone());
                }
            }
        }
        Self {
            rounds,
            usage,
            violated,
        }
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

    /// The headers that say how the answer ended.
    pub(super) fn head(&self, response: &mut Response) {
        let headers = response.headers_mut();
        headers::transcript(headers, &self.errand);
        headers::outcome(headers, self.outcome, self.tally.rounds, &self.tally.usage);
        headers::timing(headers, &self.errand);
    }
}
