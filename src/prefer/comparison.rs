//! Two answers to compare, and the record that they belong to.

use serde::Serialize;

use crate::dataset::Pair;
use crate::digest::Digest;
use crate::message::Conversation;
use crate::record::RecordId;

/// Two answers to compare.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The record's name.
    pub id: RecordId,
    /// The words by which principles choose their records.
    pub tags: Vec<String>,
    /// The answers, and what was said before them.
    pub pair: Pair,
    /// The place of the pair among others: its calls go before those of later ones.
    pub place: u64,
}

#[derive(Serialize)]
struct Content<'a> {
    conversation: &'a Conversation,
    a: &'a str,
    b: &'a str,
}

impl Comparison {
    /// The digest of conversation and answers, whatever the record is called.
    #[must_use]
    pub fn content_digest(&self) -> Digest {
        Digest::of_json(&Content {
            conversation: &self.pair.conversation,
            a: &self.pair.a,
            b: &self.pair.b,
        })
    }
}
