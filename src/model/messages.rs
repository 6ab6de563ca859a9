//! The messages of a request: those that many requests begin with alike, and its own.

use std::ops::Index;
use std::sync::Arc;

use serde::ser::{Serialize, SerializeSeq, Serializer};

use super::JsonText;
use crate::message::Message;

/// Messages that many requests of a run begin with, written as JSON once.
#[derive(Clone, Debug, Default)]
pub struct Lead {
    messages: Vec<Message>,
    json: Vec<JsonText>,
}

impl Lead {
    /// The messages, oldest first.
    #[must_use]
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }
}

impl From<Vec<Message>> for Lead {
    fn from(messages: Vec<Message>) -> Self {
        let json = messages.iter().map(JsonText::of).collect();
        Self { messages, json }
    }
}

/// The chat of a request, oldest message first: a shared [`Lead`], if it has one, and what is its
/// own. Where the one ends and the other begins changes neither its JSON nor what it is equal to.
#[derive(Clone, Debug, Default)]
pub struct Messages {
    lead: Option<Arc<Lead>>,
    own: Vec<Message>,
}

impl Messages {
    /// The lead's messages and then these.
    #[must_use]
    pub fn after(lead: Arc<Lead>, own: Vec<Message>) -> Self {
        Self {
            lead: Some(lead),
            own,
        }
    }

    /// Every message, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Message> {
        self.shared().iter().chain(&self.own)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared().len() + self.own.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The newest message.
    #[must_use]
    pub fn last(&self) -> Option<&Message> {
        self.own.last().or_else(|| self.shared().last())
    }

    /// The messages after the lead.
    #[must_use]
    pub fn own(&self) -> &[Message] {
        &self.own
    }

    /// The messages after the lead, to change.
    pub fn own_mut(&mut self) -> &mut Vec<Message> {
        &mut self.own
    }

    /// The JSON of the lead's messages, one after the other.
    pub(super) fn lead_json(&self) -> &[JsonText] {
        self.lead.as_ref().map_or(&[], |lead| &lead.json)
    }

    fn shared(&self) -> &[Message] {
        self.lead.as_ref().map_or(&[], |lead| &lead.messages)
    }
}

impl From<Vec<Message>> for Messages {
    fn from(own: Vec<Message>) -> Self {
        Self { lead: None, own }
    }
}

impl PartialEq for Messages {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Index<usize> for Messages {
    type Output = Message;

    fn index(&self, place: usize) -> &Message {
        let shared = self.shared();
        shared
            .get(place)
            .unwrap_or_else(|| &self.own[place - shared.len()])
    }
}

impl Serialize for Messages {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.len()))?;
        for message in self.lead_json() {
            list.serialize_element(message)?;
        }
        for message in &self.own {
            list.serialize_element(message)?;
        }
        list.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lead_changes_neither_the_json_nor_what_is_equal() {
        let all = vec![
            Message::system("Be \"brief\"."),
            Message::user("Why?\n"),
            Message::assistant("So."),
        ];
        let plain = Messages::from(all.clone());
        for shared in 0..=all.len() {
            let lead = Arc::new(Lead::from(all[..shared].to_vec()));
            let split = Messages::after(lead, all[shared..].to_vec());
            assert_eq!(split, plain);
            assert_eq!(
                serde_json::to_string(&split).expect("JSON"),
                serde_json::to_string(&all).expect("JSON")
            );
            assert_eq!((split.len(), split.last()), (3, all.last()));
            assert!((0..3).all(|place| split[place] == all[place]));
        }
        assert_ne!(plain, Messages::from(all[..2].to_vec()));
    }
}
