//! Conversations as one text, each turn after an empty line and a name.

use crate::message::{Message, Role};

/// The turns as one text, up to the mark after which the answer follows.
pub(super) fn prompt(messages: &[Message]) -> String {
    let mut text = String::new();
    for message in messages {
        let mark = match message.role {
            Role::Assistant => "\n\nAssistant: ",
            Role::User => "\n\nHuman: ",
            Role::System | Role::Developer => "\n\nSystem: ",
            Role::Tool => "\n\nTool: ",
        };
        text.push_str(mark);
        text.push_str(&message.content);
    }
    text.push_str("\n\nAssistant:");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_turn_has_its_mark() {
        let turns = [
            Message::user("Hi"),
            Message::assistant("Yes?"),
            Message::user("Ah"),
        ];
        let expected = "\n\nHuman: Hi\n\nAssistant: Yes?\n\nHuman: Ah\n\nAssistant:";
        assert_eq!(prompt(&turns), expected);
    }
}
