//! One request on its way: what it is called, and where its time goes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Extensions, HeaderMap};
use tracing::Span;
use uuid::Uuid;

use super::access::Admitted;
use super::{Client, Failure, Reporter};
use crate::telemetry::metrics::InFlight;
use crate::telemetry::{self, RequestNotes};

/// One request on its way.
#[derive(Clone, Debug)]
pub(super) struct Errand {
    /// What its transcripts are called.
    pub(super) id: String,
    /// What client and logs call it.
    pub(super) request_id: String,
    /// The trace that it belongs to, as the client says.
    pub(super) traceparent: Option<String>,
    /// When it came, RFC 3339 in UTC.
    pub(super) started: String,
    /// The same for measuring.
    pub(super) began: Instant,
    /// The time that went into the model's own answer.
    pub(super) upstream: Duration,
    /// The time that went into asking models for critiques and revisions.
    pub(super) revision: Duration,
    /// Where it comes from, where the connection tells.
    pub(super) client: Option<Client>,
    /// The key that it came with, where keys are asked for.
    pub(super) admitted: Option<Arc<Admitted>>,
    /// It is one of those that are being answered.
    pub(super) flight: Option<Arc<InFlight>>,
    /// What is told within it.
    pub(super) span: Span,
}

/// The header by which requests are told apart.
pub(super) const REQUEST_ID: &str = "x-request-id";
/// The header by which traces go from one program to the next.
pub(super) const TRACEPARENT: &str = "traceparent";
const LONGEST_ID: usize = 128;

impl Errand {
    /// A request that comes now with these headers.
    pub(super) fn new(headers: &HeaderMap) -> Self {
        let id = Uuid::now_v7().simple().to_string();
        let header = |name| headers.get(name)?.to_str().ok();
        let request_id = header(REQUEST_ID).filter(|given| is_plain(given));
        Self {
            request_id: request_id.map_or_else(|| id.clone(), str::to_owned),
            traceparent: header(TRACEPARENT)
                .filter(|given| is_traceparent(given))
                .map(str::to_owned),
            id,
            started: telemetry::now(),
            began: Instant::now(),
            upstream: Duration::ZERO,
            revision: Duration::ZERO,
            client: None,
            admitted: None,
            flight: None,
            span: Span::none(),
        }
    }

    /// The same, with what connection and guard know of it; from here on it counts as under way.
    pub(super) fn begun(
        mut self,
        extensions: &Extensions,
        route: &'static str,
        reporter: &dyn Reporter,
    ) -> Self {
        self.client = extensions.get().copied();
        self.admitted = extensions.get().cloned();
        self.flight = reporter.begun().map(Arc::new);
        self.span = telemetry::request_span(&self.request_id, route, self.traceparent.as_deref());
        self.note(&RequestNotes {
            key: self.admitted.as_ref().and_then(|admitted| admitted.name()),
            transcript: Some(&self.id),
            ..RequestNotes::default()
        });
        self
    }

    /// Puts into its span what is known of it by now.
    pub(super) fn note(&self, notes: &RequestNotes<'_>) {
        telemetry::note_request(&self.span, notes);
    }

    /// The client has its answer; what is done with it from now on is no business of the client's.
    pub(super) fn leave(&mut self) {
        self.flight = None;
        if let Some(admitted) = &self.admitted {
            admitted.leave();
        }
    }

    /// Writes in the log why the request is not answered.
    pub(super) fn log(&self, failure: &Failure) {
        let request = &self.request_id;
        let status = failure.status.as_u16();
        if failure.status.is_server_error() {
            tracing::warn!(request, status, "not answered: {}", failure.whole);
        } else {
            let client = self.client.map(|client| client.address.to_string());
            tracing::debug!(request, status, client, "not answered: {}", failure.whole);
        }
    }

    /// The time until now that went neither into the model's answer nor into asking models about it.
    pub(super) fn own(&self) -> Duration {
        self.began
            .elapsed()
            .saturating_sub(self.upstream + self.revision)
    }
}

/// Whether an id can stand in headers and logs as it is.
fn is_plain(id: &str) -> bool {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte);
    !id.is_empty() && id.len() <= LONGEST_ID && id.bytes().all(is_fine)
}

/// Whether a text is a trace context of the W3C's version 00.
fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let is_hex = |part: &str, length: usize| {
        part.len() == length
            && part
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_zero = |part: &str| part.bytes().all(|byte| byte == b'0');
    matches!(parts[..], ["00", trace, span, flags]
        if is_hex(trace, 32) && is_hex(span, 16) && is_hex(flags, 2)
            && !is_zero(trace) && !is_zero(span))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errand(name: &'static str, value: &str) -> Errand {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        Errand::new(&headers)
    }

    #[test]
    fn a_clients_own_id_is_kept_unless_it_is_odd() {
        assert_eq!(errand(REQUEST_ID, "req_42.a").request_id, "req_42.a");
        for odd in ["", "a b", "<script>", &"x".repeat(200)] {
            let errand = errand(REQUEST_ID, odd);
            assert_eq!(errand.request_id, errand.id);
        }
        let first = errand(REQUEST_ID, "same");
        let second = errand(REQUEST_ID, "same");
        assert_ne!(
            first.id, second.id,
            "transcripts are told apart all the same"
        );
    }

    #[test]
    fn only_a_whole_trace_context_is_taken() {
        let whole = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(
            errand(TRACEPARENT, whole).traceparent.as_deref(),
            Some(whole)
        );
        for odd in [
            "00-xyz",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        ] {
            assert_eq!(errand(TRACEPARENT, odd).traceparent, None);
        }
    }
}
