//! Puts a new answer back into its row, in the form in which the row has it.
//!
//! All other values keep their bytes; what may change between them is white space.

use std::ops::Range;

use serde::Serialize;

use crate::dataset::place::{Form, Place};
use crate::dataset::row::Row;

/// The column that says what was done to a row.
pub const REDRAFT_COLUMN: &str = "redraft";

/// The row as one line of JSON, without its end: with `new_answer` in place of its answer, or as
/// it was without one, and with `redraft` as its last column, whatever that column held before.
///
/// # Errors
///
/// When `redraft` cannot be written as JSON.
pub fn write_back(
    row: &Row,
    new_answer: Option<&str>,
    redraft: &impl Serialize,
) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = Line::begin(row);
    let keys = row.places();
    for ((name, value), (key, place)) in row.columns().zip(keys) {
        if name == REDRAFT_COLUMN {
            continue;
        }
        line.key(&row.text()[key]);
        match (row.place(), new_answer) {
            (Place::Over { span, form }, Some(answer)) if lies_in(span, &place) => {
                line.push(&row.text()[place.start..span.start]);
                line.answer(*form, answer)?;
                line.push(&row.text()[span.end..place.end]);
            }
            _ => line.push(value),
        }
    }
    if let (Place::NewColumn(name), Some(answer)) = (row.place(), new_answer) {
        line.key(&serde_json::to_string(name)?);
        line.json(answer)?;
    }
    line.key("\"redraft\"");
    line.json(redraft)?;
    line.push("}");
    Ok(line.bytes)
}

fn lies_in(inner: &Range<usize>, outer: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// A line that is being written.
struct Line {
    bytes: Vec<u8>,
    comma: &'static str,
    colon: &'static str,
    columns: usize,
}

impl Line {
    /// Begins a line in the style of the row's own.
    fn begin(row: &Row) -> Self {
        let (comma, colon) = if row.spaced() {
            (", ", ": ")
        } else {
            (",", ":")
        };
        let mut bytes = Vec::with_capacity(row.text().len() + 256);
        bytes.push(b'{');
        Self {
            bytes,
            comma,
            colon,
            columns: 0,
        }
    }

    fn push(&mut self, raw: &str) {
        self.bytes.extend_from_slice(raw.as_bytes());
    }

    fn json(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), serde_json::Error> {
        serde_json::to_writer(&mut self.bytes, value)
    }

    fn key(&mut self, raw: &str) {
        if self.columns > 0 {
            self.push(self.comma);
        }
        self.columns += 1;
        self.push(raw);
        self.push(self.colon);
    }

    fn answer(&mut self, form: Form, answer: &str) -> Result<(), serde_json::Error> {
        let (comma, colon) = (self.comma, self.colon);
        match form {
            Form::Text => self.json(answer)?,
            Form::Parts => {
                self.push(&format!("[{{\"type\"{colon}\"text\"{comma}\"text\"{colon}"));
                self.json(answer)?;
                self.push("}]");
            }
            Form::Message | Form::FromValue => {
                let fields = if form == Form::Message {
                    format!("{{\"role\"{colon}\"assistant\"{comma}\"content\"{colon}")
                } else {
                    format!("{{\"from\"{colon}\"gpt\"{comma}\"value\"{colon}")
                };
                self.push(comma);
                self.push(&fields);
                self.json(answer)?;
                self.push("}");
            }
            Form::Turn(lead) => {
                let quoted = serde_json::to_string(&[lead, answer].concat())?;
                self.push(&quoted[1..quoted.len() - 1]);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::dataset::options::ReadOptions;
    use crate::dataset::reader::{ReadRow, read_row};

    fn read(line: &str, options: &ReadOptions) -> ReadRow {
        read_row(line.as_bytes(), options).unwrap()
    }

    fn written_with(line: &str, answer: Option<&str>, options: &ReadOptions) -> String {
        let read = read(line, options);
        let bytes = write_back(&read.row, answer, &json!({"outcome": "revised"})).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn written(line: &str, answer: &str) -> String {
        written_with(line, Some(answer), &ReadOptions::default())
    }

    fn answer_from(column: &str) -> ReadOptions {
        ReadOptions {
            answer_column: Some(column.to_owned()),
            ..ReadOptions::default()
        }
    }

    #[test]
    fn an_answer_goes_back_into_its_column() {
        let line = r#"{"n": 1.50, "prompt": "p", "response": "old", "redraft": {"x": 1}, "z": 12345678901234567890123}"#;
        assert_eq!(
            written(line, "new \"one\""),
            r#"{"n": 1.50, "prompt": "p", "response": "new \"one\"", "z": 12345678901234567890123, "redraft": {"outcome":"revised"}}"#
        );
        assert_eq!(
            written(r#"{"prompt":"p","completion":null}"#, "new"),
            r#"{"prompt":"p","completion":"new","redraft":{"outcome":"revised"}}"#
        );
        assert_eq!(
            written(r#"{"prompt":"p"}"#, "new"),
            r#"{"prompt":"p","answer":"new","redraft":{"outcome":"revised"}}"#
        );
        assert_eq!(
            written_with(
                r#"{"prompt":"p","answer":"old"}"#,
                None,
                &ReadOptions::default()
            ),
            r#"{"prompt":"p","answer":"old","redraft":{"outcome":"revised"}}"#
        );
        assert_eq!(
            written_with(
                r#"{"prompt":"p","answer":"a","b":"old"}"#,
                Some("new"),
                &answer_from("b")
            ),
            r#"{"prompt":"p","answer":"a","b":"new","redraft":{"outcome":"revised"}}"#
        );
    }

    #[test]
    fn an_answer_goes_back_into_its_message() {
        let line = r#"{"messages":[{"role":"user","content":"p"},{"x":1e0,"content":"old","role":"assistant","y":[ ]}]}"#;
        assert_eq!(
            written(line, "new"),
            r#"{"messages":[{"role":"user","content":"p"},{"x":1e0,"content":"new","role":"assistant","y":[ ]}],"redraft":{"outcome":"revised"}}"#
        );
        let line = r#"{"messages": [{"role": "user", "content": "p"}]}"#;
        assert_eq!(
            written(line, "new"),
            r#"{"messages": [{"role": "user", "content": "p"}, {"role": "assistant", "content": "new"}], "redraft": {"outcome":"revised"}}"#
        );
        let line = r#"{"prompt":[{"role":"user","content":"p"}],"completion":[{"role":"assistant","content":[{"type":"text","text":"old"}]}]}"#;
        assert_eq!(
            written(line, "new"),
            r#"{"prompt":[{"role":"user","content":"p"}],"completion":[{"role":"assistant","content":[{"type":"text","text":"new"}]}],"redraft":{"outcome":"revised"}}"#
        );
    }

    #[test]
    fn an_answer_goes_back_in_the_words_of_its_row() {
        let line =
            r#"{"conversations":[{"from":"human","value":"p"},{"from":"gpt","value":"old"}]}"#;
        assert_eq!(
            written(line, "new"),
            r#"{"conversations":[{"from":"human","value":"p"},{"from":"gpt","value":"new"}],"redraft":{"outcome":"revised"}}"#
        );
        let line = r#"{"conversations":[{"from":"human","value":"p"}]}"#;
        assert_eq!(
            written(line, "new"),
            r#"{"conversations":[{"from":"human","value":"p"},{"from":"gpt","value":"new"}],"redraft":{"outcome":"revised"}}"#
        );
        assert_eq!(
            written(r#"{"instruction":"p","input":"","output":"old"}"#, "new"),
            r#"{"instruction":"p","input":"","output":"new","redraft":{"outcome":"revised"}}"#
        );
        let line = r#"{"init_prompt":{"content":"p","role":"user"},"init_response":{"content":"old","role":"assistant"}}"#;
        assert_eq!(
            written(line, "new"),
            r#"{"init_prompt":{"content":"p","role":"user"},"init_response":{"content":"new","role":"assistant"},"redraft":{"outcome":"revised"}}"#
        );
        let line = r#"{"prompt":"p","chosen":[{"role":"user","content":"p"},{"role":"assistant","content":"old"}]}"#;
        assert_eq!(
            written(line, "new"),
            r#"{"prompt":"p","chosen":[{"role":"user","content":"p"},{"role":"assistant","content":"new"}],"redraft":{"outcome":"revised"}}"#
        );
    }

    #[test]
    fn an_answer_goes_back_into_its_transcript() {
        let line = r#"{"chosen":"\n\nHuman: caf\u00e9 \ud83d\ude00\n\nAssistant: a\n\nAssistant: old","rejected":"\n\nHuman: q\n\nAssistant:"}"#;
        assert_eq!(
            written(line, "new\n"),
            r#"{"chosen":"\n\nHuman: caf\u00e9 \ud83d\ude00\n\nAssistant: a\n\nAssistant: new\n","rejected":"\n\nHuman: q\n\nAssistant:","redraft":{"outcome":"revised"}}"#
        );
        assert_eq!(
            written_with(line, Some("new"), &answer_from("rejected")),
            r#"{"chosen":"\n\nHuman: caf\u00e9 \ud83d\ude00\n\nAssistant: a\n\nAssistant: old","rejected":"\n\nHuman: q\n\nAssistant: new","redraft":{"outcome":"revised"}}"#
        );
        assert_eq!(
            written(r#"{"chosen":"\n\nHuman: q"}"#, "new"),
            r#"{"chosen":"\n\nHuman: q\n\nAssistant: new","redraft":{"outcome":"revised"}}"#
        );
    }

    fn chat() -> impl Strategy<Value = Value> {
        let turn = (
            prop_oneof![Just("user"), Just("assistant"), Just("system")],
            any::<String>(),
        );
        let turns = proptest::collection::vec(turn, 0..4);
        (any::<String>(), turns).prop_map(|(first, turns)| {
            let first = [("user", format!("?{first}"))];
            let turns = first.into_iter().chain(turns);
            turns
                .map(|(role, content)| json!({"role": role, "content": content}))
                .collect()
        })
    }

    fn transcript() -> impl Strategy<Value = Value> {
        let turn = (
            prop_oneof![Just("Human"), Just("Assistant")],
            any::<String>(),
        );
        proptest::collection::vec(turn, 0..4).prop_map(|turns| {
            let turns = turns
                .iter()
                .map(|(name, text)| format!("\n\n{name}: {text}"));
            Value::String(format!("\n\nHuman: ?{}", turns.collect::<String>()))
        })
    }

    fn any_row() -> impl Strategy<Value = Value> {
        let said = prop_oneof![
            chat().prop_map(|chat| json!({"messages": chat})),
            (chat(), any::<Option<String>>())
                .prop_map(|(chat, text)| json!({"prompt": chat, "response": text})),
            any::<String>().prop_map(|text| json!({"prompt": format!("?{text}")})),
            transcript().prop_map(|text| json!({"rejected": text, "chosen": text})),
        ];
        let others =
            proptest::collection::vec((any::<String>(), any::<f64>(), any::<String>()), 0..4);
        (said, others).prop_map(|(mut row, others)| {
            for (name, number, text) in others {
                row[format!("~{name}")] = json!([number, text]);
            }
            row
        })
    }

    proptest! {
        #[test]
        fn an_answer_written_is_the_answer_read(row in any_row(), answer in any::<String>()) {
            let options = ReadOptions::default();
            let line = row.to_string();
            let before = read(&line, &options);
            let out = written(&line, &answer);
            let after = read(&out, &options);
            prop_assert_eq!(after.record.answer(), Some(answer.as_str()));
            prop_assert_eq!(after.record.conversation(), before.record.conversation());
            for (name, value) in before.row.columns().filter(|(name, _)| name.starts_with('~')) {
                prop_assert_eq!(after.row.get(name), Some(value));
            }
        }

        #[test]
        fn the_same_answer_leaves_the_row_as_it_was(row in any_row()) {
            let line = row.to_string();
            let before = read(&line, &ReadOptions::default());
            if let Some(answer) = before.record.answer() {
                let mut out: Value = serde_json::from_str(&written(&line, answer)).unwrap();
                out.as_object_mut().unwrap().shift_remove("redraft");
                prop_assert_eq!(out, row);
            }
        }
    }

    #[test]
    fn real_rows_come_back_as_they_were() {
        let Some(file) = crate::dataset::real_data::harmless() else {
            return;
        };
        for line in file.lines() {
            for options in [ReadOptions::default(), answer_from("rejected")] {
                let answer = read(line, &options).record.answer().unwrap().to_owned();
                let out = written_with(line, Some(&answer), &options);
                let start = line.len() - 1;
                let (same, added) = out.split_at(start);
                assert_eq!(same, &line[..start]);
                assert_eq!(added, ", \"redraft\": {\"outcome\":\"revised\"}}");
            }
        }
    }
}
