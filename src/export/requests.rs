//! What the calls of a transcript asked: the last message of each request, by call.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::digest::Digest;
use crate::transcript::Round;

/// The last message of each request, by the call that made it.
#[derive(Clone, Debug, Default)]
pub struct Requests(BTreeMap<Digest, String>);

#[derive(Deserialize)]
struct Body {
    messages: Vec<Turn>,
}

#[derive(Deserialize)]
struct Turn {
    #[serde(default)]
    content: Value,
}

impl Requests {
    /// Adds a call, given its request as the journal keeps it; a request without text in its last
    /// message adds nothing.
    pub fn add(&mut self, call: Digest, request: &[u8]) {
        let Ok(body) = serde_json::from_slice::<Body>(request) else {
            return;
        };
        let last = body.messages.into_iter().next_back();
        if let Some(Value::String(text)) = last.map(|turn| turn.content) {
            self.0.insert(call, text);
        }
    }

    /// What the critic was asked in a round: as the transcript itself says, or as its calls do.
    pub(super) fn critique(&self, round: &Round) -> Option<String> {
        let said = round.critique_request.clone();
        said.or_else(|| self.joined(&round.critique_calls))
    }

    /// What the reviser was asked in a round.
    pub(super) fn revision(&self, round: &Round) -> Option<String> {
        let said = round.revision_request.clone();
        let calls = round.revision.as_ref().map(|revision| &revision.calls);
        // Of several, the last gave the text.
        said.or_else(|| self.0.get(calls?.last()?).cloned())
    }

    fn joined(&self, calls: &[Digest]) -> Option<String> {
        let known: Vec<&str> = calls
            .iter()
            .filter_map(|call| self.0.get(call))
            .map(String::as_str)
            .collect();
        (!known.is_empty()).then(|| known.join("\n\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_message_is_kept_and_what_has_none_is_not() {
        let mut requests = Requests::default();
        let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
        requests.add(one, br#"{"messages":[{"content":"a"},{"content":"b"}]}"#);
        requests.add(two, b"not a request");
        requests.add(two, br#"{"messages":[{"content":[{"text":"a"}]}]}"#);
        assert_eq!(requests.joined(&[two, one]), Some("b".to_owned()));
        assert_eq!(requests.joined(&[two]), None);
    }
}
