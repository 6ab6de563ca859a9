//! The headers of answers: what they are called, how they ended, and where the time went.

use std::fmt::Write as _;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::errand::{Errand, REQUEST_ID, TRACEPARENT};
use super::tally::Tally;

const TRANSCRIPT: HeaderName = HeaderName::from_static("x-redraft-transcript");
const OUTCOME: HeaderName = HeaderName::from_static("x-redraft-outcome");
const ROUNDS: HeaderName = HeaderName::from_static("x-redraft-rounds");
const USAGE: HeaderName = HeaderName::from_static("x-redraft-usage");
const TIMING: HeaderName = HeaderName::from_static("server-timing");

/// What every response says.
pub(super) fn identify(headers: &mut HeaderMap, errand: &Errand) {
    insert(
        headers,
        HeaderName::from_static(REQUEST_ID),
        &errand.request_id,
    );
}

/// What a response says whose request has a transcript.
pub(super) fn transcript(headers: &mut HeaderMap, errand: &Errand) {
    insert(headers, TRANSCRIPT, &errand.id);
}

/// How a judged answer ended.
pub(super) fn outcome(headers: &mut HeaderMap, tally: &Tally) {
    if let Some(outcome) = tally.outcome {
        headers.insert(OUTCOME, HeaderValue::from_static(outcome.as_str()));
    }
    headers.insert(ROUNDS, tally.rounds.into());
    let (mut calls, mut input, mut output) = (0, 0, 0);
    for role in tally.usage.values() {
        calls += role.calls;
        input += role.input;
        output += role.output;
    }
    if calls > 0 {
        insert(
            headers,
            USAGE,
            &format!("calls={calls}, input={input}, output={output}"),
        );
    }
}

/// That an answer left without being judged.
pub(super) fn unassessed(headers: &mut HeaderMap) {
    headers.insert(OUTCOME, HeaderValue::from_static("unassessed"));
}

/// Where the time went until the answer left.
pub(super) fn timing(headers: &mut HeaderMap, errand: &Errand) {
    let milliseconds = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    let mut timing = format!("redraft;dur={:.3}", milliseconds(errand.own()));
    for (name, time) in [("upstream", errand.upstream), ("revision", errand.revision)] {
        if !time.is_zero() {
            let _ = write!(timing, ", {name};dur={:.3}", milliseconds(time));
        }
    }
    insert(headers, TIMING, &timing);
}

/// What the model's server is told of where the request comes from.
pub(super) fn onward(errand: &Errand) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(6);
    insert(
        &mut headers,
        HeaderName::from_static(REQUEST_ID),
        &errand.request_id,
    );
    if let Some(trace) = &errand.traceparent {
        insert(&mut headers, HeaderName::from_static(TRACEPARENT), trace);
    }
    headers
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
