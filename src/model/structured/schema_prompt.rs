//! The schema told in the prompt, for servers that cannot be told otherwise.

use crate::message::{Message, Role};
use crate::model::ReplySchema;

const TEMPLATE: &str = include_str!("../../../prompts/structured-reply.txt");

/// `messages` with the schema at the end of the last user message: what comes before stays as it
/// is, so that a server's prefix cache serves it.
pub(super) fn with_schema_told(messages: &[Message], schema: &ReplySchema) -> Vec<Message> {
    let told = TEMPLATE
        .trim_end()
        .replace("{{ schema }}", &schema.schema.to_string());
    let mut messages = messages.to_vec();
    match messages
        .iter_mut()
        .rfind(|message| message.role == Role::User)
    {
        Some(last) => last.content.push_str(&told),
        None => messages.push(Message::user(told.trim_start())),
    }
    messages
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_schema_stands_at_the_end_of_the_last_user_message() {
        let schema = ReplySchema {
            name: "x".to_owned(),
            description: "X.".to_owned(),
            schema: json!({ "type": "object", "required": ["a"] }),
        };
        let messages = [
            Message::user("one"),
            Message::assistant("two"),
            Message::user("three"),
            Message::assistant("{"),
        ];
        let told = with_schema_told(&messages, &schema);
        assert_eq!((&told[..2], &told[3]), (&messages[..2], &messages[3]));
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

        let alone = with_schema_told(&[Message::system("s")], &schema);
        assert_eq!(alone.len(), 2);
        assert!(alone[1].content.starts_with("Reply with"), "{alone:?}");
    }
}
