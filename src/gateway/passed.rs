//! Modes `observe` and `off`: the bytes of the model's server go on as they come; what they say is
//! gathered on the side, for the transcript and, in `observe`, for the critique that follows.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde::de::IgnoredAny;
use serde_json::Value;
use tokio::time::timeout;

use super::call::Call;
use super::flow::Flow;
use super::gathered::Gathered;
use super::observations::Observation;
use super::part::Part;
use super::tally::Tally;
use super::{Failure, Mode, headers};
use crate::model::openai::Relayed;

/// A token of text has about so many bytes.
const BYTES_PER_TOKEN: usize = 4;

impl Call {
    /// Passes the answer on.
    pub(super) async fn pass(mut self) -> Result<Response, Failure> {
        let clock = Instant::now();
        let deadline = self.gateway.options.deadline;
        let posted = timeout(deadline, self.post()).await;
        let reply = match posted {
            Ok(Ok(reply)) => reply,
            Ok(Err(failure)) => return self.fail(failure).await,
            Err(_) => return self.fail(Failure::deadline(deadline)).await,
        };
        let kind = reply.header(&CONTENT_TYPE).cloned();
        let is_stream = kind
            .as_ref()
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.starts_with("text/event-stream"));
        if is_stream {
            self.errand.upstream = clock.elapsed();
            self.answered(200, None);
            let head = self.head(kind);
            let mut flow = Flow::new(self, reply);
            flow.begin().await;
            return Ok(head.map(|()| Body::from_stream(flow)));
        }
        let left = deadline.saturating_sub(clock.elapsed());
        let read = timeout(left, reply.whole(self.gateway.options.limits.held_bytes)).await;
        self.errand.upstream = clock.elapsed();
        let bytes = match read {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(error)) => return self.fail(Failure::upstream(&error)).await,
            Err(_) => return self.fail(Failure::deadline(deadline)).await,
        };
        if serde_json::from_slice::<IgnoredAny>(&bytes).is_err() {
            let failure = Failure::garbled("the reply is not JSON");
            return self.fail(failure).await;
        }
        self.answered(200, None);
        let head = self.head(kind);
        self.pass_whole(bytes.clone()).await?;
        Ok(head.map(|()| Body::from(bytes)))
    }

    async fn post(&mut self) -> Result<Relayed, Failure> {
        let onward = headers::onward(&self.errand);
        let path = self.surface.path();
        let reply = self
            .served
            .relay
            .post(path, &onward, std::mem::take(&mut self.body))
            .await;
        reply.map_err(|error| Failure::upstream(&error))
    }

    async fn fail(self, failure: Failure) -> Result<Response, Failure> {
        self.errand.log(&failure);
        self.answered(failure.status.as_u16(), Some(&failure));
        self.keep_unanswered(&failure.whole).await?;
        Err(failure)
    }

    fn head(&self, kind: Option<HeaderValue>) -> Response<()> {
        let mut response = Response::new(());
        let headers = response.headers_mut();
        if let Some(kind) = kind {
            headers.insert(CONTENT_TYPE, kind);
        }
        if self.requested.stream {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        }
        headers::unassessed(headers);
        headers::timing(headers, &self.errand);
        response
    }

    async fn pass_whole(self, bytes: Bytes) -> Result<(), Failure> {
        let surface = self.surface;
        let read = move || {
            let answer: Option<Value> = serde_json::from_slice(&bytes).ok();
            answer.and_then(|answer| surface.parts(&answer))
        };
        let gateway = Arc::clone(&self.gateway);
        if self.served.mode == Mode::Observe {
            let parts = read();
            return self.observe(parts.unwrap_or_default(), None).await;
        }
        let served = Arc::clone(&self.served);
        gateway
            .keep(&served, move || {
                self.unassessed(&read().unwrap_or_default(), None)
            })
            .await
    }

    /// Tells what a stream used, now that it has ended. Where its server does not say, and its key has
    /// a limit, the key is charged by the length of the texts.
    pub(super) fn tell_streamed(&mut self, gathered: &Gathered) {
        self.tokens = gathered.tokens();
        if self.tokens == (0, 0) {
            let said = self.requested.conversation.messages().iter();
            let said: usize = said.map(|message| message.content.len()).sum();
            let bytes = said + gathered.bytes();
            if let Some(admitted) = &self.errand.admitted {
                admitted.spend(bytes.div_ceil(BYTES_PER_TOKEN) as u64);
            }
            return;
        }
        let tally = Tally::default();
        self.gateway
            .reporter
            .streamed(&self.facts(200, &tally, None));
    }

    /// Has an answer that has left criticised, or only kept.
    pub(super) async fn observe(
        mut self,
        parts: Vec<Part>,
        fault: Option<&'static str>,
    ) -> Result<(), Failure> {
        self.errand.leave();
        let (gateway, served) = (Arc::clone(&self.gateway), Arc::clone(&self.served));
        if served.mode == Mode::Off || fault.is_some() || parts.is_empty() {
            return gateway
                .keep(&served, move || self.unassessed(&parts, fault))
                .await;
        }
        let observation = Observation { call: self, parts };
        let Err(dropped) = gateway.observations.offer(observation) else {
            return Ok(());
        };
        gateway.reporter.observation_dropped(&served.name);
        let why = "too many observed answers wait for their critique";
        gateway
            .keep(&served, move || {
                dropped.call.unassessed(&dropped.parts, Some(why))
            })
            .await
    }
}
