//! What a stream that passes by says, gathered on the side within a bound.

use std::collections::{BTreeMap, BTreeSet};

use memchr::memchr;
use serde_json::Value;

use super::part::{Part, PartKind};
use super::surface::{Surface, tokens};

/// Where a piece of text belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot {
    pub(super) choice: usize,
    pub(super) kind: PartKind,
    pub(super) number: usize,
}

/// What a stream has said so far.
#[derive(Debug)]
pub(super) struct Gathered {
    surface: Surface,
    most: usize,
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    /// Whether the line is too long to be read.
    skips: bool,
    /// Whether an event has begun that no empty line has ended.
    in_event: bool,
    texts: BTreeMap<Slot, String>,
    bytes: usize,
    tokens: (u64, u64),
    ended: BTreeSet<usize>,
    whole: Option<Vec<Part>>,
    is_done: bool,
    fault: Option<&'static str>,
}

impl Gathered {
    /// Nothing yet, of a stream of which at most so many bytes are kept.
    pub(super) fn new(surface: Surface, most: usize) -> Self {
        Self {
            surface,
            most,
            line: Vec::new(),
            skips: false,
            in_event: false,
            texts: BTreeMap::new(),
            bytes: 0,
            tokens: (0, 0),
            ended: BTreeSet::new(),
            whole: None,
            is_done: false,
            fault: None,
        }
    }

    /// Reads on.
    pub(super) fn push(&mut self, mut bytes: &[u8]) {
        while let Some(end) = memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(end);
            if self.line.is_empty() && !self.skips {
                self.take(line);
            } else {
                self.begin(line);
                let line = std::mem::take(&mut self.line);
                if !std::mem::take(&mut self.skips) {
                    self.take(&line);
                }
            }
            bytes = &rest[1..];
        }
        self.begin(bytes);
    }

    fn begin(&mut self, bytes: &[u8]) {
        if self.line.len() + bytes.len() > self.most {
            self.fault = Some("a line of the stream is too long to be read");
            self.skips = true;
            self.line = Vec::new();
        } else if !self.skips {
            self.line.extend_from_slice(bytes);
        }
    }

    fn take(&mut self, line: &[u8]) {
        self.in_event = !line.trim_ascii().is_empty();
        let Some(data) = line.strip_prefix(b"data:") else {
            return;
        };
        let data = String::from_utf8_lossy(data);
        match data.trim() {
            "" => {}
            "[DONE]" => self.is_done = true,
            data => {
                self.count(data);
                let surface = self.surface;
                if !surface.take(data, self) {
                    self.fault = Some("an event of the stream could not be read");
                }
            }
        }
    }

    /// Notes the tokens used, in the one event that tells them.
    fn count(&mut self, data: &str) {
        if !data.contains("\"usage\":{") && !data.contains("\"usage\": {") {
            return;
        }
        let event: Value = serde_json::from_str(data).unwrap_or_default();
        for told in [&event, &event["response"]] {
            let counted = tokens(told);
            if counted != (0, 0) {
                self.tokens = counted;
            }
        }
    }

    /// The tokens of prompt and answer, where the stream has told them.
    pub(super) fn tokens(&self) -> (u64, u64) {
        self.tokens
    }

    /// How many bytes of texts have come.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a piece of text, as long as there is room.
    pub(super) fn add(&mut self, slot: Slot, text: &str) {
        if text.is_empty() {
            return;
        }
        self.bytes += text.len();
        if self.bytes > self.most {
            self.fault = Some("the stream is longer than is kept");
            return;
        }
        self.texts.entry(slot).or_default().push_str(text);
    }

    /// Notes that a choice has said why it ends.
    pub(super) fn ends(&mut self, choice: usize) {
        self.ended.insert(choice);
    }

    /// Takes the whole answer, where the stream gives it at its end.
    pub(super) fn whole(&mut self, parts: Option<Vec<Part>>) {
        self.is_done = true;
        self.whole = parts.or_else(|| self.whole.take());
    }

    /// Whether an event could begin here.
    pub(super) fn is_between_events(&self) -> bool {
        self.line.is_empty() && !self.skips && !self.in_event
    }

    /// What is wrong with what was gathered, if something is.
    pub(super) fn fault(&self) -> Option<&'static str> {
        self.fault.or_else(|| self.unfinished())
    }

    /// Why the stream must not end here, if the answer has not ended.
    pub(super) fn unfinished(&self) -> Option<&'static str> {
        let is_whole = self.is_done || !self.ended.is_empty();
        (!is_whole).then_some("the stream ended before the answer did")
    }

    /// The texts, by choice.
    pub(super) fn into_parts(self) -> Vec<Part> {
        if let Some(whole) = self.whole {
            return whole;
        }
        let mut parts: Vec<Part> = self
            .texts
            .iter()
            .map(|(slot, text)| Part::new(slot.choice, slot.kind, String::new(), text))
            .collect();
        for choice in self.ended {
            if !parts.iter().any(|part| part.choice == choice) {
                parts.push(Part::new(choice, PartKind::Content, String::new(), ""));
            }
        }
        parts.sort_by_key(|part| part.choice);
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(gathered: Gathered) -> Vec<(usize, &'static str, String)> {
        let parts = gathered.into_parts().into_iter();
        parts
            .map(|part| (part.choice, part.kind.as_str(), part.text))
            .collect()
    }

    const STREAM: &str = concat!(
        ": comment\r\n",
        "data: {\"choices\":[{\"index\":1,\"delta\":{\"role\":\"assistant\",\"content\":\"b\"}}]}\r\n\r\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ä\"}}]}\n\n",
        "data:{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"€\",\"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":\"{}\"}}]}}]}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
        "data: {\"choices\":[],\"usage\":{}}\n\n",
        "data: [DONE]\n\n",
    );

    #[test]
    fn a_stream_says_the_same_wherever_it_is_cut() {
        let expected = vec![
            (0, "content", "ä€".to_owned()),
            (0, "arguments", "{}".to_owned()),
            (1, "content", "b".to_owned()),
        ];
        for size in [1, 2, 3, 7, 64, 4096] {
            let mut gathered = Gathered::new(Surface::Chat, 1000);
            for piece in STREAM.as_bytes().chunks(size) {
                gathered.push(piece);
            }
            assert_eq!(gathered.fault(), None, "{size}");
            assert!(gathered.is_between_events());
            assert_eq!(texts(gathered), expected, "{size}");
        }
    }

    #[test]
    fn an_event_begins_only_after_an_empty_line() {
        let mut gathered = Gathered::new(Surface::Chat, 1000);
        for (bytes, is_between) in [
            ("data: {}", false),
            ("\n", false),
            ("data: {}\r\n", false),
            ("\r", false),
            ("\n", true),
            (": comment\n", false),
            ("\n", true),
        ] {
            gathered.push(bytes.as_bytes());
            assert_eq!(gathered.is_between_events(), is_between, "{bytes:?}");
        }
    }

    #[test]
    fn no_more_is_kept_than_fits() {
        let mut gathered = Gathered::new(Surface::Chat, 300);
        gathered.push(&vec![b'x'; 1_000_000]);
        assert!(gathered.line.capacity() < 1000);
        gathered.push(b"\n");
        for _ in 0..1000 {
            gathered.push(
                b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"0123456789\"}}]}\n\n",
            );
        }
        assert_eq!(gathered.fault(), Some("the stream is longer than is kept"));
        assert_eq!(texts(gathered)[0].2.len(), 300);
    }

    #[test]
    fn a_stream_that_breaks_off_is_known() {
        let mut gathered = Gathered::new(Surface::Chat, 1000);
        gathered.push(&STREAM.as_bytes()[..120]);
        assert!(gathered.fault().is_some());
        assert!(!gathered.is_between_events());
    }
}
