//! Reads rows and their records: each is both, or the reason why it is neither.

use std::fmt;

use crate::dataset::canonical::{Canonical, InFile};
use crate::dataset::columns::recognise;
use crate::dataset::excerpt::excerpt;
use crate::dataset::labels::{id_column, read_extra, read_id, read_tags, tags_column};
use crate::dataset::lines::{Content, Line, LineReader};
use crate::dataset::options::ReadOptions;
use crate::dataset::part::Seekable;
use crate::dataset::position::{self, Position};
use crate::dataset::reason::RejectReason;
use crate::dataset::row::{Row, parse_row};
use crate::dataset::rows::Taken;
use crate::dataset::source::{Input, Way};
use crate::dataset::source_error::SourceError;
use crate::message::Conversation;
use crate::record::Record;

/// What one line held.
#[derive(Debug)]
pub struct RowRead {
    /// Its number in all of the input, from 1: the line's in JSON lines, where empty ones count
    /// though they are no rows, and else the row's.
    pub line: u64,
    /// Where the next one begins, in bytes of JSON lines from the start of the input.
    pub end: u64,
    /// The row and its record, or why there is none.
    pub result: Result<ReadRow, Rejected>,
}

/// A row, and the record that it is.
#[derive(Debug)]
pub struct ReadRow {
    /// The row, to be written back.
    pub row: Row,
    /// The record, to be worked on.
    pub record: Record,
}

/// A line that is no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Why.
    pub reason: RejectReason,
    /// How the line begins, safe to show.
    pub excerpt: String,
}

/// Reads the rows of one input, one after the other.
///
/// # Examples
///
/// ```
/// use redraft::dataset::{RowReader, ReadOptions, Source};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("rows.jsonl");
/// # std::fs::write(&path, "{\"prompt\": \"Where is my parcel?\"}\nnot a row\n")?;
/// let mut source = Source::open(&path)?;
/// let mut reader = RowReader::new(source.first_pass()?, ReadOptions::default());
/// while let Some(read) = reader.next_row()? {
///     match read.result {
///         Ok(read) => assert!(read.record.answer().is_none()),
///         Err(rejected) => {
///             let message = format!("line {}: {}", read.line, rejected.reason);
///             assert_eq!(message, "line 2: not JSON: expected value at column 2");
///         }
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RowReader {
    lines: Lines,
    options: ReadOptions,
    name: String,
}

/// Where the lines come from.
enum Lines {
    /// From one plain file of JSON lines, which can be entered anywhere.
    Plain(LineReader<Box<dyn Seekable>>),
    /// From anything else.
    Canonical(Canonical),
}

impl RowReader {
    /// Reads `input` from its start.
    #[must_use]
    pub fn new(input: Input, options: ReadOptions) -> Self {
        let limit = options.line_limit;
        let (name, way) = input.into_parts();
        let lines = match way {
            Way::Plain(file) => Lines::Plain(LineReader::new(file, limit)),
            Way::Canonical(origin) => Lines::Canonical(Canonical::new(name.clone(), origin, limit)),
        };
        Self {
            lines,
            options,
            name,
        }
    }

    /// The next row, good or bad, or nothing at the end. Lines that are empty or blank are passed
    /// over.
    ///
    /// # Errors
    ///
    /// When the input cannot be read on; no row is at fault for that.
    pub fn next_row(&mut self) -> Result<Option<RowRead>, SourceError> {
        loop {
            let (line, end, result) = match &mut self.lines {
                Lines::Plain(lines) => {
                    let last = lines.lines();
                    let found = lines
                        .next_line()
                        .map_err(|error| SourceError::reading(&self.name, "line", last, error))?;
                    let Some(line) = found else {
                        return Ok(None);
                    };
                    (line.number, line.end, read_line(&line, &self.options))
                }
                Lines::Canonical(lines) => {
                    let Some(line) = lines.next_line()? else {
                        return Ok(None);
                    };
                    let (number, end) = (line.number, line.end);
                    let result = read_taken(line.taken, line.bytes, &self.options);
                    let is_bad = result.as_ref().is_some_and(Result::is_err);
                    let place = lines.in_file().filter(|_| is_bad);
                    (number, end, result.map(|result| at_place(result, place)))
                }
            };
            if let Some(result) = result {
                return Ok(Some(RowRead { line, end, result }));
            }
        }
    }

    /// Where the reader stands: behind the row it gave last. Costs about a microsecond, so ask
    /// at intervals.
    pub fn position(&mut self) -> Position {
        match &mut self.lines {
            Lines::Plain(lines) => lines.position(),
            Lines::Canonical(lines) => lines.position(),
        }
    }

    /// Goes on behind `position`, if the input holds the same up to there, and tells whether it
    /// does. If not, or if the input is a stream, the next row is the first. A plain file of JSON
    /// lines is entered there; what has another form is read again up to there, without making
    /// records of it.
    ///
    /// Ask before the first row is read: what a stream has given does not come again.
    ///
    /// # Errors
    ///
    /// When the input cannot be read.
    pub fn resume_at(&mut self, position: &Position) -> Result<bool, SourceError> {
        let lines = match &mut self.lines {
            Lines::Canonical(lines) => return lines.resume_at(position),
            Lines::Plain(lines) => lines,
        };
        match position::move_to(lines.source_mut().as_mut(), position) {
            Ok(Some(hasher)) => {
                lines.stand_at(position, hasher);
                Ok(true)
            }
            Ok(None) => {
                lines.stand_at_start();
                Ok(false)
            }
            Err(source) => Err(SourceError::reading(&self.name, "line", 0, source)),
        }
    }
}

impl fmt::Debug for RowReader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RowReader")
            .field("name", &self.name)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

fn at_place(result: Result<ReadRow, Rejected>, place: Option<InFile>) -> Result<ReadRow, Rejected> {
    result.map_err(|rejected| match place {
        None => rejected,
        Some(InFile { file, unit, number }) => Rejected {
            reason: RejectReason::InFile {
                reason: Box::new(rejected.reason),
                unit,
                number,
                file,
            },
            ..rejected
        },
    })
}

fn read_taken(
    taken: Taken,
    bytes: &[u8],
    options: &ReadOptions,
) -> Option<Result<ReadRow, Rejected>> {
    let reason = match taken {
        Taken::Whole => {
            let content = Content::Whole(bytes);
            return read_content(content, options);
        }
        Taken::TooLong(length) => {
            let content = Content::TooLong {
                start: bytes,
                length,
            };
            return read_content(content, options);
        }
        Taken::Bad(reason) => reason,
    };
    let excerpt = excerpt(bytes);
    Some(Err(Rejected { reason, excerpt }))
}

fn read_line(line: &Line<'_>, options: &ReadOptions) -> Option<Result<ReadRow, Rejected>> {
    read_content(line.content, options)
}

fn read_content(content: Content<'_>, options: &ReadOptions) -> Option<Result<ReadRow, Rejected>> {
    let (bytes, result) = match without_mark(content) {
        Content::Whole(bytes) if bytes.trim_ascii().is_empty() => return None,
        Content::Whole(bytes) => (bytes, read_row(bytes, options)),
        Content::TooLong { start, length } => {
            let limit = options.line_limit;
            (start, Err(RejectReason::TooLong { length, limit }))
        }
    };
    Some(result.map_err(|reason| Rejected {
        reason,
        excerpt: excerpt(bytes),
    }))
}

/// What a line holds behind a byte order mark. One stands at the start of some files, and in the
/// middle of those that were put together from them.
fn without_mark(content: Content<'_>) -> Content<'_> {
    let strip = |bytes| <[u8]>::strip_prefix(bytes, b"\xef\xbb\xbf").unwrap_or(bytes);
    match content {
        Content::Whole(bytes) => Content::Whole(strip(bytes)),
        Content::TooLong { start, length } => Content::TooLong {
            start: strip(start),
            length,
        },
    }
}

/// Reads one line, without its end, as a row.
///
/// # Errors
///
/// With the reason why it is none.
pub fn read_row(line: &[u8], options: &ReadOptions) -> Result<ReadRow, RejectReason> {
    let text = std::str::from_utf8(line).map_err(|error| RejectReason::NotUtf8 {
        at: error.valid_up_to() + 1,
    })?;
    let cells = parse_row(text)?;
    let said = recognise(text, &cells, options)?;
    let names = &options.columns;
    let id = read_id(&cells, names)?;
    let tags = read_tags(&cells, names)?;
    let mut used = vec![id_column(names), tags_column(names)];
    used.extend(said.used.iter().map(|(_, column)| *column));
    let extra = read_extra(&cells, &used)?;
    let answer = said.answer.text.filter(|_| !options.ignore_answers);
    let mut record = Record::build(id, Conversation::from(said.turns), answer, tags);
    if let Some(extra) = extra {
        record = record.with_extra(extra);
    }
    let place = said.answer.place;
    let row = Row::new(text, cells, place);
    Ok(ReadRow { row, record })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;
    use std::path::Path;

    use super::*;
    use crate::dataset::options::ColumnNames;
    use crate::dataset::source::Source;
    use crate::message::Message;

    fn record_with(line: &str, options: &ReadOptions) -> Result<Record, String> {
        let read = read_row(line.as_bytes(), options);
        read.map(|read| read.record)
            .map_err(|reason| reason.to_string())
    }

    fn record(line: &str) -> Record {
        record_with(line, &ReadOptions::default()).unwrap()
    }

    fn reason(line: &str) -> String {
        record_with(line, &ReadOptions::default()).unwrap_err()
    }

    fn answer_from(column: &str) -> ReadOptions {
        ReadOptions {
            answer_column: Some(column.to_owned()),
            ..ReadOptions::default()
        }
    }

    fn reader(path: &Path) -> RowReader {
        let mut source = Source::open(path).unwrap();
        RowReader::new(source.first_pass().unwrap(), ReadOptions::default())
    }

    fn outcomes(reader: &mut RowReader) -> Vec<(u64, Result<String, String>)> {
        let mut outcomes = Vec::new();
        while let Some(read) = reader.next_row().unwrap() {
            let result = read.result.map(|read| read.record.id().to_string());
            outcomes.push((
                read.line,
                result.map_err(|rejected| rejected.reason.to_string()),
            ));
        }
        outcomes
    }

    #[test]
    fn a_last_turn_of_the_assistant_is_the_answer() {
        let record = record(
            r#"{"messages":[{"role":"system","content":"s"},{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"id":7,"tags":["x"],"other":1}"#,
        );
        assert_eq!(
            record.conversation().messages(),
            [Message::system("s"), Message::user("q")]
        );
        assert_eq!(record.answer(), Some("a"));
        assert_eq!(
            (record.id().as_str(), record.tags()),
            ("7", &["x".to_owned()][..])
        );
        assert_eq!(record.extra().unwrap().get(), r#"{"other":1}"#);
    }

    #[test]
    fn the_first_answer_column_that_is_there_wins() {
        let answer = |line: &str| record(line).answer().map(ToOwned::to_owned);
        let line =
            r#"{"completion":"c","response":"r","answer":null,"prompt":"p","messages":null}"#;
        assert_eq!(answer(line).as_deref(), Some("r"));
        assert_eq!(
            record(line).extra().unwrap().get(),
            r#"{"completion":"c","answer":null,"messages":null}"#
        );
        assert_eq!(answer(r#"{"prompt":"p","answer":""}"#).as_deref(), Some(""));
        assert_eq!(answer(r#"{"prompt":"p"}"#), None);
        let line = r#"{"prompt":[{"role":"user","content":"q"}],"completion":[{"role":"assistant","content":"c"}]}"#;
        assert_eq!(answer(line).as_deref(), Some("c"));
    }

    #[test]
    fn other_tools_names_are_known() {
        let said = |line: &str| {
            let record = record(line);
            let turns = record.conversation().messages().iter();
            let turns: Vec<String> = turns
                .map(|turn| format!("{}: {}", turn.role, turn.content))
                .collect();
            let extra = record.extra().map(|extra| extra.get().to_owned());
            (turns.join(" | "), record.answer().map(str::to_owned), extra)
        };
        let expected = |turns: &str, answer: &str, extra: Option<&str>| {
            let answer = Some(answer.to_owned());
            (turns.to_owned(), answer, extra.map(str::to_owned))
        };
        assert_eq!(
            said(
                r#"{"system":"s","mask":"User","conversations":[{"from":"human","value":"q"},{"from":"gpt","value":"a"}]}"#
            ),
            expected("system: s | user: q", "a", Some(r#"{"mask":"User"}"#))
        );
        assert_eq!(
            said(r#"{"instruction":"q","input":"i","output":"a"}"#),
            expected("user: q\n\ni", "a", None)
        );
        assert_eq!(
            said(r#"{"instruction":"q","input":"","output":"a","system":""}"#),
            expected("user: q", "a", Some(r#"{"system":""}"#))
        );
        assert_eq!(
            said(r#"{"init_prompt":"q","init_response":"a","critic_prompt":"c"}"#),
            expected("user: q", "a", Some(r#"{"critic_prompt":"c"}"#))
        );
        assert_eq!(
            said(
                r#"{"init_prompt":{"content":"q","role":"user"},"init_response":{"content":"a","role":"assistant"}}"#
            ),
            expected("user: q", "a", None)
        );
        assert_eq!(
            said(r#"{"prompt":"q","output":"a"}"#),
            expected("user: q", "a", None)
        );
    }

    #[test]
    fn preference_pairs_are_read_from_their_better_side() {
        let whole = r#"[{"role":"user","content":"q"},{"role":"user","content":"r"},{"role":"assistant","content":"a"}]"#;
        let read = record(&format!(
            r#"{{"prompt":"q","chosen":{whole},"rejected":[]}}"#
        ));
        assert_eq!(
            (read.conversation().messages().len(), read.answer()),
            (2, Some("a"))
        );
        let last = r#"[{"role":"assistant","content":"a"}]"#;
        let read = record(&format!(
            r#"{{"prompt":[{{"role":"user","content":"q"}}],"chosen":{last}}}"#
        ));
        assert_eq!(
            (read.conversation().messages().len(), read.answer()),
            (1, Some("a"))
        );
        let read = record(r#"{"prompt":"q","chosen":"a","rejected":"b"}"#);
        assert_eq!(read.answer(), Some("a"));
        let read = record(r#"{"prompt":"x","chosen":"\n\nHuman: q\n\nAssistant: a"}"#);
        assert_eq!(read.conversation().messages(), [Message::user("q")]);
    }

    #[test]
    fn columns_can_be_named() {
        let options = ReadOptions {
            answer_column: Some("reply".to_owned()),
            columns: ColumnNames {
                prompt: Some("question".to_owned()),
                id: Some("uid".to_owned()),
                tags: Some("topic".to_owned()),
                system: Some("rules".to_owned()),
                messages: None,
            },
            ..ReadOptions::default()
        };
        let line = r#"{"id":"x","uid":"u","topic":"t","rules":"be kind","question":"q","prompt":"no","reply":"a"}"#;
        let named = record_with(line, &options).unwrap();
        assert_eq!(
            (named.id().as_str(), named.tags()),
            ("u", &["t".to_owned()][..])
        );
        let messages = [Message::system("be kind"), Message::user("q")];
        assert_eq!(named.conversation().messages(), messages);
        assert_eq!(named.extra().unwrap().get(), r#"{"id":"x","prompt":"no"}"#);
        let missing = record_with(r#"{"prompt":"q","reply":"a"}"#, &options).unwrap_err();
        assert_eq!(missing, "has no column `question` to take the prompt from");
        let whole = ReadOptions {
            columns: ColumnNames {
                messages: Some("transcript".to_owned()),
                ..ColumnNames::default()
            },
            ..ReadOptions::default()
        };
        let line = r#"{"prompt":"no","transcript":"\n\nHuman: q\n\nAssistant: a"}"#;
        assert_eq!(record_with(line, &whole).unwrap().answer(), Some("a"));
    }

    #[test]
    fn a_named_column_holds_the_answer() {
        let options = answer_from("reply");
        let answer = |line: &str| {
            record_with(line, &options).map(|record| record.answer().map(ToOwned::to_owned))
        };
        let some = Ok(Some("r".to_owned()));
        assert_eq!(answer(r#"{"prompt":"p","answer":"a","reply":"r"}"#), some);
        assert_eq!(answer(r#"{"reply":"\n\nHuman: q\n\nAssistant: r"}"#), some);
        let line = r#"{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"reply":"r"}"#;
        assert_eq!(answer(line), some);
        assert_eq!(
            record_with(line, &options)
                .unwrap()
                .conversation()
                .messages()
                .len(),
            1
        );
        assert_eq!(answer(r#"{"prompt":"p","reply":null}"#), Ok(None));
        let missing = Err("has no column `reply` to take the answer from".to_owned());
        assert_eq!(answer(r#"{"prompt":"p","answer":"a"}"#), missing);
        assert_eq!(answer(r#"{"chosen":"\n\nHuman: q"}"#), missing);
    }

    #[test]
    fn answers_are_left_out_on_request() {
        let options = ReadOptions {
            ignore_answers: true,
            ..ReadOptions::default()
        };
        for line in [
            r#"{"prompt":"q","answer":"a"}"#,
            r#"{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}"#,
            r#"{"chosen":"\n\nHuman: q\n\nAssistant: a"}"#,
        ] {
            let record = record_with(line, &options).unwrap();
            assert_eq!(record.conversation().messages(), [Message::user("q")]);
            assert_eq!((record.answer(), record.extra().is_none()), (None, true));
        }
    }

    #[test]
    fn a_pair_of_transcripts_is_read_from_either_side() {
        let line = r#"{"chosen":"\n\nHuman: q\n\nHuman: r\n\nAssistant: a","rejected":"\n\nHuman: q\n\nAssistant: "}"#;
        let chosen = record(line);
        assert_eq!(
            chosen.conversation().messages(),
            [Message::user("q"), Message::user("r")]
        );
        assert_eq!(chosen.answer(), Some("a"));
        assert_eq!(
            chosen.extra().unwrap().get(),
            r#"{"rejected":"\n\nHuman: q\n\nAssistant: "}"#
        );
        let rejected = record_with(line, &answer_from("rejected")).unwrap();
        assert_eq!(rejected.answer(), Some(""));
        let chat =
            r#"{"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}"#;
        assert_eq!(record(chat).answer(), Some("a"));
    }

    #[test]
    fn a_row_without_a_record_says_why() {
        let cases = [
            (
                "{}",
                "no text: has none of messages, conversations, prompt, instruction, init_prompt, chosen",
            ),
            (
                r#"{"prompt":null}"#,
                "no text: has none of messages, conversations, prompt, instruction, init_prompt, chosen",
            ),
            (
                r#"{"prompt":7}"#,
                "the column `prompt` is a number, expected text",
            ),
            (
                r#"{"prompt":""}"#,
                "no question: no turn of a user holds text",
            ),
            (
                r#"{"prompt":"p","answer":{}}"#,
                "the column `answer` is an object, expected text",
            ),
            (
                r#"{"prompt":"p","answer":[{"role":"user","content":"a"}]}"#,
                "the column `answer` is a list that does not end in a turn of the assistant",
            ),
            (
                r#"{"messages":"hi"}"#,
                "the column `messages` is text, expected a list of messages",
            ),
            (
                r#"{"messages":[]}"#,
                "the column `messages` is an empty list, expected messages",
            ),
            (
                r#"{"messages":[{"role":"assistant","content":"a"}]}"#,
                "no question: no turn of a user holds text",
            ),
            (
                r#"{"chosen":"hello"}"#,
                "the column `chosen` is not a transcript: no turn begins with an empty line and `Human:` or `Assistant:`",
            ),
            (
                r#"{"chosen":"Hello.\n\nHuman: q"}"#,
                "the transcript in the column `chosen` begins with text that belongs to no turn",
            ),
            (
                r#"{"chosen":true}"#,
                "the column `chosen` is a boolean, expected a transcript",
            ),
            (r#"{"prompt":"p","id":""}"#, "the id is empty"),
            (
                r#"{"prompt":"\udc00"}"#,
                "the text in the column `prompt` cannot be read: lone leading surrogate in hex escape",
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(reason(line), expected, "{line}");
        }
        let deep = "[".repeat(1 << 20);
        assert_eq!(
            reason(&deep),
            "not JSON: the line ends inside a list at column 1048576"
        );
        let hidden = format!(r#"{{"prompt":"p","messages":[{{"x":{deep}"#);
        assert!(reason(&hidden).starts_with("not JSON: the line ends inside a list"));
        let read = read_row(b"{\"prompt\":\"caf\xe9\"}", &ReadOptions::default());
        assert_eq!(read.unwrap_err().to_string(), "not valid UTF-8 at byte 15");
    }

    #[test]
    fn one_bad_line_never_ends_the_reading() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.jsonl");
        let mut file = fs::File::create(&path).unwrap();
        file.write_all(b"\xef\xbb\xbf{\"prompt\":\"a\",\"id\":1}\r\n\r\n  \nnot\n[]\n\xff\n")
            .unwrap();
        file.write_all(&vec![b'x'; 50 << 20]).unwrap();
        file.write_all(b"\n{}\n{\"prompt\":\"b\",\"id\":2}")
            .unwrap();
        let outcomes = outcomes(&mut reader(&path));
        let bad = |reason: &str| Err(reason.to_owned());
        assert_eq!(
            outcomes,
            [
                (1, Ok("1".to_owned())),
                (4, bad("not JSON: expected value at column 2")),
                (5, bad("not a JSON object but a list")),
                (6, bad("not valid UTF-8 at byte 1")),
                (
                    7,
                    bad("the line is 52428800 bytes long, at most 16777216 are read")
                ),
                (
                    8,
                    bad(
                        "no text: has none of messages, conversations, prompt, instruction, init_prompt, chosen"
                    )
                ),
                (9, Ok("2".to_owned())),
            ]
        );
        for empty in ["", "\u{feff}", "\n\n", "\u{feff}\r\n\u{feff}"] {
            fs::write(&path, empty).unwrap();
            assert!(reader(&path).next_row().unwrap().is_none());
        }
    }

    #[test]
    fn reading_goes_on_where_it_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.jsonl");
        let lines = "\u{feff}{\"prompt\":\"a\",\"id\":1}\n\n{\"prompt\":\"b\",\"id\":2}\n{\"prompt\":\"c\",\"id\":3}\n";
        fs::write(&path, lines).unwrap();
        let mut first = reader(&path);
        first.next_row().unwrap();
        let row = first.next_row().unwrap().unwrap();
        let position = first.position();
        assert_eq!((position.lines, position.bytes), (row.line, row.end));
        let rest = outcomes(&mut first);
        let end = first.position();

        let mut second = reader(&path);
        assert!(second.resume_at(&position).unwrap());
        assert_eq!(second.position(), position);
        assert_eq!(outcomes(&mut second), rest);
        assert_eq!(second.position(), end);
        assert!(reader(&path).resume_at(&end).unwrap());

        fs::write(&path, lines.replace("\"a\"", "\"x\"")).unwrap();
        let mut changed = reader(&path);
        assert!(!changed.resume_at(&position).unwrap());
        assert_eq!(outcomes(&mut changed).len(), 3);
    }

    #[test]
    fn every_real_row_is_a_record() {
        let Some(file) = crate::dataset::real_data::harmless() else {
            return;
        };
        let mut empty = 0;
        for line in file.lines() {
            let chosen = record(line);
            let rejected = record_with(line, &answer_from("rejected")).unwrap();
            for record in [&chosen, &rejected] {
                empty += usize::from(record.answer().unwrap().is_empty());
                assert_eq!(record.conversation().messages()[0].role.as_str(), "user");
            }
            assert_eq!(
                chosen.extra().unwrap().get().find("{\"rejected\":"),
                Some(0)
            );
        }
        assert_eq!((file.lines().count(), empty), (2_312, 4));
    }
}
