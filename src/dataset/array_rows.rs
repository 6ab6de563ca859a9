//! Reads the elements of one large JSON array, one after the other.
//!
//! Only brackets and strings are followed; whether an element is good JSON is found out where it is
//! read as a row, so a bad one costs itself alone.

use std::io::{self, Read};

use crate::dataset::rows::{KEPT_BYTES, Rows, Taken};

/// How much is asked of the source at once.
const CHUNK_BYTES: usize = 256 << 10;

/// Reads an array from a source.
pub(super) struct ArrayRows<R> {
    source: R,
    buffer: Vec<u8>,
    place: usize,
    filled: usize,
    limit: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the bracket that opens the array.
    Before,
    /// Where an element may begin.
    Inside,
    /// Behind the bracket that closes it.
    Behind,
}

/// An element as far as it was read.
struct Element<'a> {
    line: &'a mut Vec<u8>,
    limit: usize,
    length: u64,
}

impl Element<'_> {
    fn push(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        let room = self.limit.saturating_add(1).saturating_sub(self.line.len());
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

impl<R: Read> ArrayRows<R> {
    /// Reads `source` from its start; elements above `limit` bytes are skipped.
    pub(super) fn new(source: R, limit: usize) -> Self {
        Self {
            source,
            buffer: vec![0; CHUNK_BYTES],
            place: 0,
            filled: 0,
            limit,
            state: State::Before,
        }
    }

    /// The bytes at hand, more of them where there were none; empty at the end.
    fn at_hand(&mut self) -> io::Result<&[u8]> {
        while self.place == self.filled {
            match self.source.read(&mut self.buffer) {
                Ok(0) => return Ok(&[]),
                Ok(read) => (self.place, self.filled) = (0, read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(&self.buffer[self.place..self.filled])
    }

    /// The next byte that is no white space, still to be taken.
    fn skip_space(&mut self) -> io::Result<Option<u8>> {
        loop {
            let at_hand = self.at_hand()?;
            if at_hand.is_empty() {
                return Ok(None);
            }
            let is_space = |byte: &u8| byte.is_ascii_whitespace();
            let space = at_hand.iter().take_while(|byte| is_space(byte)).count();
            let next = at_hand.get(space).copied();
            self.place += space;
            if next.is_some() {
                return Ok(next);
            }
        }
    }

    /// Passes over a byte order mark and the opening bracket; whether there is an array at all.
    fn open(&mut self) -> io::Result<bool> {
        loop {
            match self.skip_space()? {
                Some(0xef | 0xbb | 0xbf) => self.place += 1,
                Some(b'[') => {
                    self.place += 1;
                    self.state = State::Inside;
                    return Ok(true);
                }
                Some(_) => return Err(damaged("it does not begin with [")),
                None => return Ok(false),
            }
        }
    }

    /// Reads an element up to the comma or bracket behind it.
    fn element(&mut self, element: &mut Element<'_>) -> io::Result<()> {
        let (mut depth, mut in_string, mut escaped, mut in_indent) = (0_usize, false, false, false);
        loop {
            let at_hand = self.at_hand()?;
            if at_hand.is_empty() {
                return Err(damaged("the array ends too early"));
            }
            let mut taken = 0;
            while let Some(&byte) = at_hand.get(taken) {
                if in_string {
                    let begin = taken;
                    if escaped {
                        escaped = false;
                        taken += 1;
                    } else {
                        let rest = &at_hand[taken..];
                        let stop = memchr::memchr2(b'"', b'\\', rest);
                        taken += stop.map_or(rest.len(), |stop| stop + 1);
                        match stop.map(|stop| rest[stop]) {
                            Some(b'"') => in_string = false,
                            Some(_) => escaped = true,
                            None => {}
                        }
                    }
                    element.push(&at_hand[begin..taken]);
                    continue;
                }
                // Line ends outside of strings, and the indent behind them, say nothing.
                if matches!(byte, b'\n' | b'\r') || (in_indent && byte.is_ascii_whitespace()) {
                    in_indent = true;
                    taken += 1;
                    continue;
                }
                in_indent = false;
                match byte {
                    b'"' => in_string = true,
                    b'{' | b'[' => depth += 1,
                    b',' | b']' if depth == 0 => {
                        self.place += taken;
                        return Ok(());
                    }
                    b'}' | b']' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                element.push(&[byte]);
                taken += 1;
            }
            self.place += taken;
        }
    }

    fn close(&mut self) -> io::Result<()> {
        self.state = State::Behind;
        match self.skip_space()? {
            None => Ok(()),
            Some(_) => Err(damaged("something stands behind the end of the array")),
        }
    }
}

impl<R: Read + Send> Rows for ArrayRows<R> {
    fn next_row(&mut self, line: &mut Vec<u8>) -> io::Result<Option<Taken>> {
        line.clear();
        if self.state == State::Behind || (self.state == State::Before && !self.open()?) {
            return Ok(None);
        }
        match self.skip_space()? {
            None => return Err(damaged("the array ends too early")),
            Some(b']') => {
                self.place += 1;
                self.close()?;
                return Ok(None);
            }
            Some(_) => {}
        }
        let mut element = Element {
            line,
            limit: self.limit,
            length: 0,
        };
        self.element(&mut element)?;
        let length = element.length;
        if self.at_hand()?.first() == Some(&b',') {
            self.place += 1;
        }
        if length > self.limit as u64 {
            line.truncate(KEPT_BYTES);
            return Ok(Some(Taken::TooLong(length)));
        }
        Ok(Some(Taken::Whole))
    }
}

fn damaged(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::dataset::format::Format;
    use crate::dataset::rows::tests::all;

    fn elements(text: &str) -> io::Result<Vec<Result<String, String>>> {
        all(text.as_bytes(), Some(Format::Json))
    }

    #[test]
    fn elements_are_lines_and_a_bad_one_costs_itself_alone() {
        let text = "[\n  {\n    \"a\": \"x]},\\\"\",\n    \"b\": [1, {}]\n  },\n  7, {oops}, {\"a\": 1}\n]\n";
        let long = format!("[{{\"a\":\"{}\"}},{{}}]", "x".repeat(1000));
        let lines: Vec<_> = elements(text)
            .unwrap()
            .into_iter()
            .map(Result::unwrap)
            .collect();
        assert_eq!(
            lines,
            [
                r#"{"a": "x]},\"","b": [1, {}]}"#,
                "7",
                "{oops}",
                "{\"a\": 1}"
            ]
        );
        let long = elements(&long).unwrap();
        assert_eq!(long, [Err("1008 bytes".to_owned()), Ok("{}".to_owned())]);
        assert!(elements("[]").unwrap().is_empty());
    }

    #[test]
    fn an_array_that_is_cut_short_is_damaged() {
        for text in ["[", "[{}", "[{},", "[{\"a\":\"x", "[{}] {}"] {
            let error = elements(text).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_in_an_array_comes_out_of_it(
            texts in proptest::collection::vec(".{0,20}", 0..8), pretty in any::<bool>(),
        ) {
            let rows: Vec<Value> = texts.iter().map(|text| serde_json::json!({"t": text, "l": [text]})).collect();
            let text = if pretty { serde_json::to_string_pretty(&rows) } else { serde_json::to_string(&rows) };
            let mut reader = ArrayRows::new(io::Cursor::new(text.unwrap()), 1 << 20);
            let (mut line, mut found) = (Vec::new(), Vec::new());
            while reader.next_row(&mut line).unwrap().is_some() {
                prop_assert!(!line.contains(&b'\n'));
                found.push(serde_json::from_slice::<Value>(&line).unwrap());
            }
            prop_assert_eq!(found, rows);
        }
    }
}
