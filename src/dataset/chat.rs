//! Lists of messages inside a row, as chat models take them.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::dataset::json::{decode_text, is_list, is_text, kind_of, message_of};
use crate::dataset::reason::{RejectReason, TurnProblem};
use crate::message::{Message, Role};

/// One turn, and its content as it stands in the row.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    /// Who speaks, and what is said.
    pub(super) message: Message,
    /// The content's raw JSON.
    pub(super) content: &'a str,
    /// Whether it says `from` and `value` where others say `role` and `content`.
    pub(super) says_from: bool,
}

/// Names of those who speak, where a turn says `from`.
const SPEAKERS: [(&str, Role); 12] = [
    ("human", Role::User),
    ("user", Role::User),
    ("gpt", Role::Assistant),
    ("chatgpt", Role::Assistant),
    ("assistant", Role::Assistant),
    ("model", Role::Assistant),
    ("system", Role::System),
    ("developer", Role::Developer),
    ("tool", Role::Tool),
    ("function", Role::Tool),
    ("function_call", Role::Tool),
    ("observation", Role::Tool),
];

/// Reads an object that is one message, if it is one.
pub(super) fn read_message(object: &str) -> Option<Turn<'_>> {
    read_turn(&serde_json::from_str(object).ok()?).ok()
}

/// Reads a list of messages that stands in `column`.
pub(super) fn read_chat<'a>(column: &str, list: &'a str) -> Result<Vec<Turn<'a>>, RejectReason> {
    let fields = match serde_json::from_str::<Vec<Fields<'_>>>(list) {
        Ok(fields) => fields,
        // The whole list says only that something in it is wrong; its turns say which.
        Err(error) => read_one_by_one(column, list, &error)?,
    };
    if fields.is_empty() {
        let column = column.to_owned();
        return Err(RejectReason::NoMessages { column });
    }
    let turns = fields.iter().enumerate();
    turns
        .map(|(place, fields)| read_turn(fields).map_err(|problem| at_turn(column, place, problem)))
        .collect()
}

fn at_turn(column: &str, place: usize, problem: TurnProblem) -> RejectReason {
    RejectReason::Turn {
        column: column.to_owned(),
        turn: place + 1,
        problem,
    }
}

fn read_one_by_one<'a>(
    column: &str,
    list: &'a str,
    error: &serde_json::Error,
) -> Result<Vec<Fields<'a>>, RejectReason> {
    let items: Vec<&RawValue> = serde_json::from_str(list).map_err(|_| RejectReason::BadText {
        column: column.to_owned(),
        what: message_of(error),
    })?;
    let items = items.into_iter().enumerate();
    items
        .map(|(place, item)| {
            let raw = item.get();
            let what = |error: &serde_json::Error| match kind_of(raw) {
                "an object" => message_of(error),
                other => format!("it is {other}, expected an object"),
            };
            serde_json::from_str(raw).map_err(|error| {
                let what = what(&error);
                at_turn(column, place, TurnProblem::NotAMessage { what })
            })
        })
        .collect()
}

fn read_turn<'a>(fields: &Fields<'a>) -> Result<Turn<'a>, TurnProblem> {
    if fields.uses_tools {
        return Err(TurnProblem::Tool);
    }
    let says_from = present(fields.role).is_none() && present(fields.from).is_some();
    let role = if says_from {
        read_speaker(fields.from)?
    } else {
        read_role(fields.role)?
    };
    let content = present(fields.content)
        .or_else(|| present(fields.value))
        .ok_or(TurnProblem::NoContent)?;
    let text = if is_text(content) {
        decode(content)?
    } else if is_list(content) {
        join_parts(content)?
    } else {
        let found = kind_of(content);
        return Err(TurnProblem::WrongContent { found });
    };
    Ok(Turn {
        message: Message::new(role, text),
        content,
        says_from,
    })
}

/// A field that is there, and not only because every row has it.
fn present(field: Option<&RawValue>) -> Option<&str> {
    field.map(RawValue::get).filter(|raw| *raw != "null")
}

fn read_speaker(from: Option<&RawValue>) -> Result<Role, TurnProblem> {
    let raw = present(from).filter(|raw| is_text(raw));
    let name = decode(raw.ok_or(TurnProblem::NoRole)?)?;
    let known = SPEAKERS.iter().find(|(known, _)| *known == name);
    match known {
        Some((_, Role::Tool)) => Err(TurnProblem::Tool),
        Some((_, role)) => Ok(*role),
        None => Err(TurnProblem::UnknownSpeaker { name }),
    }
}

fn read_role(role: Option<&RawValue>) -> Result<Role, TurnProblem> {
    let raw = role.map(RawValue::get).filter(|raw| is_text(raw));
    let name = decode(raw.ok_or(TurnProblem::NoRole)?)?;
    match Role::from_name(&name) {
        Some(Role::Tool) => Err(TurnProblem::Tool),
        Some(role) => Ok(role),
        None => Err(TurnProblem::UnknownRole { role: name }),
    }
}

fn decode(raw: &str) -> Result<String, TurnProblem> {
    decode_text(raw)
        .map(Into::into)
        .map_err(|what| TurnProblem::BadText { what })
}

/// The text of a content that is a list of parts, joined as they stand.
fn join_parts(content: &str) -> Result<String, TurnProblem> {
    let bad = |error: serde_json::Error| TurnProblem::BadText {
        what: message_of(&error),
    };
    let parts: Vec<&RawValue> = serde_json::from_str(content).map_err(bad)?;
    if parts.is_empty() {
        return Err(TurnProblem::NoContent);
    }
    let mut joined = String::new();
    for part in parts {
        let raw = part.get();
        if kind_of(raw) != "an object" {
            let kind = kind_of(raw).to_owned();
            return Err(TurnProblem::NotText { kind });
        }
        let part: Part = serde_json::from_str(raw).map_err(bad)?;
        match (part.kind.as_deref(), part.text) {
            (Some("text"), Some(text)) => joined.push_str(&text),
            (kind, _) => {
                let kind = kind.unwrap_or_default().to_owned();
                return Err(TurnProblem::NotText { kind });
            }
        }
    }
    Ok(joined)
}

#[derive(serde::Deserialize)]
struct Part {
    #[serde(rename = "type")]
    kind: Option<String>,
    text: Option<String>,
}

/// The fields of a message that matter here; others pass.
#[derive(Debug, Default)]
struct Fields<'a> {
    role: Option<&'a RawValue>,
    content: Option<&'a RawValue>,
    from: Option<&'a RawValue>,
    value: Option<&'a RawValue>,
    uses_tools: bool,
}

#[derive(serde::Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    Role,
    Content,
    From,
    Value,
    ToolCalls,
    FunctionCall,
    #[serde(other)]
    Other,
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

/// Written by hand, because a derived one would take a list of values for a message too.
struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields::default();
        while let Some(field) = map.next_key::<Field>()? {
            let value: &RawValue = map.next_value()?;
            let (place, name) = match field {
                Field::Role => (&mut fields.role, "role"),
                Field::Content => (&mut fields.content, "content"),
                Field::From => (&mut fields.from, "from"),
                Field::Value => (&mut fields.value, "value"),
                Field::ToolCalls | Field::FunctionCall => {
                    fields.uses_tools |= !is_nothing(value.get());
                    continue;
                }
                Field::Other => continue,
            };
            if place.replace(value).is_some() {
                return Err(A::Error::duplicate_field(name));
            }
        }
        Ok(fields)
    }
}

/// Whether a field is there only because every row has it.
fn is_nothing(raw: &str) -> bool {
    let mut bytes = raw.bytes().filter(|byte| !byte.is_ascii_whitespace());
    raw == "null" || (bytes.next() == Some(b'[') && bytes.next() == Some(b']'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(list: &str) -> String {
        read_chat("messages", list).unwrap_err().to_string()
    }

    #[test]
    fn content_is_text_or_text_parts() {
        let turns = read_chat(
            "messages",
            r#"[{"content":"be kind","role":"system","name":"x"},
                {"role":"us\u0065r","content":[{"type":"text","text":"a"},{"type":"text","text":"\nb"}],"tool_calls":[ ]}]"#,
        )
        .unwrap();
        assert_eq!(turns[0].message, Message::system("be kind"));
        assert_eq!(turns[0].content, "\"be kind\"");
        assert_eq!(turns[1].message, Message::user("a\nb"));
    }

    #[test]
    fn turns_may_say_from_and_value() {
        let list = r#"[{"from":"system","value":"be kind"},{"from":"human","value":"a","weight":1},{"role":null,"content":null,"from":"gpt","value":"b"}]"#;
        let turns = read_chat("conversations", list).unwrap();
        let said: Vec<_> = turns
            .iter()
            .map(|turn| (turn.message.role.as_str(), turn.content))
            .collect();
        assert_eq!(
            said,
            [
                ("system", "\"be kind\""),
                ("user", "\"a\""),
                ("assistant", "\"b\"")
            ]
        );
        assert!(turns.iter().all(|turn| turn.says_from));
        assert_eq!(
            reason(r#"[{"from":"bard","value":"a"}]"#),
            "turn 1 of the column `messages` is from `bard`, known are human, gpt and system"
        );
        assert!(reason(r#"[{"from":"observation","value":"a"}]"#).contains("the use of a tool"));
    }

    #[test]
    fn every_odd_turn_is_named() {
        let good = r#"{"role":"user","content":"a"}"#;
        let cases = [
            (
                r#""hello""#,
                "is not a message: it is text, expected an object",
            ),
            (
                r#"["user","hello"]"#,
                "is not a message: it is a list, expected an object",
            ),
            (
                r#"{"role":"user","content":"a","content":"b"}"#,
                "is not a message: duplicate field `content`",
            ),
            (r#"{"content":"a"}"#, "has no role"),
            (r#"{"role":null,"content":"a"}"#, "has no role"),
            (
                r#"{"role":"human","content":"a"}"#,
                "has the role `human`, known are system, developer, user and assistant",
            ),
            (
                r#"{"role":"tool","content":"4"}"#,
                "belongs to the use of a tool, and only text is read",
            ),
            (
                r#"{"role":"assistant","content":null,"tool_calls":[{"id":"1"}]}"#,
                "belongs to the use of a tool, and only text is read",
            ),
            (r#"{"role":"user","content":null}"#, "has no content"),
            (r#"{"role":"user"}"#, "has no content"),
            (r#"{"role":"user","content":[]}"#, "has no content"),
            (
                r#"{"role":"user","content":7}"#,
                "has a content that is a number, expected text or a list of text parts",
            ),
            (
                r#"{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}"#,
                "holds a part of type `image_url`, and only text is read",
            ),
            (
                r#"{"role":"user","content":"\ud800"}"#,
                "holds text that cannot be read: unexpected end of hex escape",
            ),
        ];
        for (turn, problem) in cases {
            assert_eq!(
                reason(&format!("[{good},{turn}]")),
                format!("turn 2 of the column `messages` {problem}"),
            );
        }
        assert_eq!(
            reason("[]"),
            "the column `messages` is an empty list, expected messages"
        );
    }
}
