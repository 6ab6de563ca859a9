//! One item of work: a conversation, and maybe an answer that exists already.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::digest::Digest;
use crate::message::Conversation;

/// The name of a record: given by its row, or the digest of its content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordId(String);

impl RecordId {
    /// An id that the row gave.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// One item of work.
///
/// # Examples
///
/// ```
/// use redraft::message::Conversation;
/// use redraft::record::Record;
///
/// let record = Record::new(Conversation::from_prompt("Where is my parcel?"))
///     .with_answer("Write to ann@example.com.")
///     .with_tags(["delivery"]);
/// // Without an id of its own, a record is named by what it holds.
/// assert_eq!(record.id().as_str(), record.content_digest().to_string());
/// ```
#[derive(Clone, Debug)]
pub struct Record {
    id: RecordId,
    content: Digest,
    conversation: Conversation,
    answer: Option<String>,
    tags: Vec<String>,
    extra: Option<Box<RawValue>>,
    place: u64,
    sample: u32,
}

#[derive(Serialize)]
struct Content<'a> {
    conversation: &'a Conversation,
    answer: Option<&'a str>,
    tags: &'a [String],
}

impl Record {
    /// A record without an answer, named by its content.
    #[must_use]
    pub fn new(conversation: Conversation) -> Self {
        Self::build(None, conversation, None, Vec::new())
    }

    /// A record from all its parts; without `id` it is named by its content.
    #[must_use]
    pub fn build(
        id: Option<RecordId>,
        conversation: Conversation,
        answer: Option<String>,
        tags: Vec<String>,
    ) -> Self {
        let content = Digest::of_json(&Content {
            conversation: &conversation,
            answer: answer.as_deref(),
            tags: &tags,
        });
        Self {
            id: id.unwrap_or_else(|| RecordId(content.to_string())),
            content,
            conversation,
            answer,
            tags,
            extra: None,
            place: 0,
            sample: 1,
        }
    }

    /// The same record with the row's other columns, one JSON object. They travel along and decide
    /// nothing: neither the name nor the content digest follows them.
    #[must_use]
    pub fn with_extra(mut self, extra: Box<RawValue>) -> Self {
        self.extra = Some(extra);
        self
    }

    /// The same record under a name of its own.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = RecordId::new(id);
        self
    }

    /// The same record with an answer that exists already; its name follows its content, so give
    /// an id after this.
    #[must_use]
    pub fn with_answer(self, answer: impl Into<String>) -> Self {
        Self::build(None, self.conversation, Some(answer.into()), self.tags)
    }

    /// The same record under other tags; its name follows its content, so give an id after this.
    #[must_use]
    pub fn with_tags<T: Into<String>>(self, tags: impl IntoIterator<Item = T>) -> Self {
        let tags = tags.into_iter().map(Into::into).collect();
        Self::build(None, self.conversation, self.answer, tags)
    }

    /// The same record at a place among others: its calls go before those of later ones. It decides
    /// nothing else.
    #[must_use]
    pub fn at_place(mut self, place: u64) -> Self {
        self.place = place;
        self
    }

    /// The same record as a further sample of itself: its calls and draws are made anew, apart from
    /// those of the others. The first one is the record as it is, the second of `a` is called
    /// `a#2`.
    #[must_use]
    pub fn as_sample(mut self, sample: u32) -> Self {
        if sample > 1 {
            self.id = RecordId(format!("{}#{sample}", self.id));
            self.sample = sample;
        }
        self
    }

    /// Which sample of itself the record is, from 1.
    #[must_use]
    pub fn sample(&self) -> u32 {
        self.sample
    }

    /// The record's place among others.
    #[must_use]
    pub fn place(&self) -> u64 {
        self.place
    }

    /// The record's name.
    #[must_use]
    pub fn id(&self) -> &RecordId {
        &self.id
    }

    /// The digest of conversation, answer and tags, whatever the record is called.
    #[must_use]
    pub fn content_digest(&self) -> Digest {
        self.content
    }

    /// What was said before the answer.
    #[must_use]
    pub fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    /// The answer that exists already, if there is one.
    #[must_use]
    pub fn answer(&self) -> Option<&str> {
        self.answer.as_deref()
    }

    /// The words by which principles choose their records.
    #[must_use]
    pub fn tags(&self) -> &[String] {
        &self.tags
    }

    /// The row's other columns, as one JSON object.
    #[must_use]
    pub fn extra(&self) -> Option<&RawValue> {
        self.extra.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_does_not_change_the_content_digest() {
        let record = Record::new(Conversation::from_prompt("hello"));
        let named = record.clone().with_id("row-1");
        assert_eq!(record.content_digest(), named.content_digest());
        assert_eq!(named.id().as_str(), "row-1");
    }

    #[test]
    fn a_sample_has_a_name_of_its_own_and_the_same_content() {
        let record = Record::new(Conversation::from_prompt("hello")).with_id("a");
        let names = [1, 2, 3].map(|sample| record.clone().as_sample(sample).id().to_string());
        assert_eq!(names, ["a", "a#2", "a#3"]);
        let second = record.clone().as_sample(2);
        assert_eq!((record.sample(), second.sample()), (1, 2));
        assert_eq!(record.content_digest(), second.content_digest());
    }

    #[test]
    fn a_missing_answer_is_not_an_empty_answer() {
        let without = Record::new(Conversation::from_prompt("hello"));
        assert_ne!(
            without.content_digest(),
            without.clone().with_answer("").content_digest()
        );
    }
}
