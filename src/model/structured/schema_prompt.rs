//! The schema told in the prompt, for servers that cannot be told otherwise.

use crate::message::{Message, Role};
use crate::model::{Messages, ReplySchema};

const TEMPLATE: &str = include_str!("../../../prompts/structured-reply.txt");

/// `messages` with the schema at the end of the last user message: what comes before stays as it
/// is, so that a server's prefix cache serves it.
pub(super) fn with_schema_told(messages: &Messages, schema: &ReplySchema) -> Messages {
    let told = TEMPLATE
        .trim_end()
        .replace("{{ schema }}", schema.schema.as_str());
    let mut messages = messages.clone();
    let own = messages.own_mut();
    match own.iter_mut().rfind(|message| message.role == Role::User) {
        Some(last) => last.content.push_str(&told),
        None => own.push(Message::user(told.trim_start())),
    }
    messages
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::model::Lead;

    #[test]
    fn the_schema_stands_at_the_end_of_the_last_user_message() {
        let schema = ReplySchema {
            name: "x".to_owned(),
            description: "X.".to_owned(),
            schema: json!({ "type": "object", "required": ["a"] }).into(),
        };
        let messages = [
            Message::user("one"),
            Message::assistant("two"),
            Message::user("three"),
            Message::assistant("{"),
        ];
        let lead = Arc::new(Lead::from(messages[..1].to_vec()));
        let split = Messages::after(lead, messages[1..].to_vec());
        let told = with_schema_told(&split, &schema);
        for place in [0, 1, 3] {
            assert_eq!(told[place], messages[place]);
        }
        assert!(
            told[2]
                .content
                .starts_with("three\n\nReply with one JSON object"),
            "{told:?}"
        );
        assert!(
            told[2]
                .content
                .ends_with(r#"{"type":"object","required":["a"]}"#),
            "{told:?}"
        );

        let alone = with_schema_told(&vec![Message::system("s")].into(), &schema);
        assert_eq!(alone.len(), 2);
        assert!(alone[1].content.starts_with("Reply with"), "{alone:?}");
    }
}
