//! What is said: roles, messages and conversations, free of any wire format.
//!
//! They are values: how they travel is `model::openai`'s concern, how rows hold them `dataset`'s.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Who speaks in a [`Message`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Instructions from whoever deploys the model.
    System,
    /// Instructions from whoever deploys the model, under the newer name some providers use.
    Developer,
    /// The person, or program, that asks.
    User,
    /// The model that answers.
    Assistant,
    /// The result of a tool that the assistant called.
    Tool,
}

impl Role {
    /// The role's lower-case name, as it stands in chat messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Developer => "developer",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }

    /// The role of that lower-case name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::System,
            Self::Developer,
            Self::User,
            Self::Assistant,
            Self::Tool,
        ]
        .into_iter()
        .find(|role| role.as_str() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One turn: a role and the text it spoke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
}

impl Message {
    /// A message of any role.
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self {
            role,
            content: content.into(),
        }
    }

    /// A system message.
    pub fn system(content: impl Into<String>) -> Self {
        Self::new(Role::System, content)
    }

    /// A user message.
    pub fn user(content: impl Into<String>) -> Self {
        Self::new(Role::User, content)
    }

    /// An assistant message.
    pub fn assistant(content: impl Into<String>) -> Self {
        Self::new(Role::Assistant, content)
    }
}

/// The turns that lead up to an answer, oldest first; a clone shares them.
///
/// # Examples
///
/// ```
/// use redraft::message::{Conversation, Message};
///
/// let conversation = Conversation::from(vec![
///     Message::system("Answer in one sentence."),
///     Message::user("Why is the sky blue?"),
/// ]);
/// assert_eq!(conversation.messages().len(), 2);
/// assert_eq!(conversation, serde_json::from_str(&serde_json::to_string(&conversation)?)?);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Conversation(Arc<[Message]>);

impl Conversation {
    /// A conversation that is one question from a user.
    pub fn from_prompt(prompt: impl Into<String>) -> Self {
        Self::from(vec![Message::user(prompt)])
    }

    /// The turns, oldest first.
    #[must_use]
    pub fn messages(&self) -> &[Message] {
        &self.0
    }

    /// Whether nothing has been said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<Message>> for Conversation {
    fn from(messages: Vec<Message>) -> Self {
        Self(messages.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_is_found_by_its_name() {
        for role in [
            Role::System,
            Role::Developer,
            Role::User,
            Role::Assistant,
            Role::Tool,
        ] {
            assert_eq!(Role::from_name(role.as_str()), Some(role));
        }
        assert_eq!(Role::from_name("narrator"), None);
    }
}
