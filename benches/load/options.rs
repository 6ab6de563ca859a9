//! What to send, where, and how fast.

use std::fs::File;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How the requests follow each other.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Mode {
    Paced,
    Closed,
    Idle,
}

/// Who is asked, and for what.
pub(super) struct Target {
    pub(super) name: String,
    pub(super) address: String,
    model: String,
    pub(super) stream: bool,
}

pub(super) struct Options {
    pub(super) mode: Mode,
    pub(super) targets: Vec<Target>,
    rate: f64,
    seconds: f64,
    pub(super) rounds: u64,
    pub(super) threads: usize,
    pub(super) count: Option<u64>,
    pub(super) streams: u64,
    wait: Option<u64>,
    mail: bool,
    /// The number of the first request.
    pub(super) first: u64,
    pub(super) keep: Option<Mutex<File>>,
}

const SYSTEM: &str =
    "You answer for a shop that sends parcels. Be brief, and say what you do not know.";
const QUESTION: &str =
    "My parcel has been on its way for two weeks and nobody answers. What can I do, and by when?";

impl Options {
    /// Reads the command line; nothing when it does not say what to do.
    pub(super) fn read(arguments: impl Iterator<Item = String>) -> Option<Self> {
        let mut arguments = arguments.filter(|it| it != "--bench");
        let mode = match arguments.next()?.as_str() {
            "paced" => Mode::Paced,
            "closed" => Mode::Closed,
            "idle" => Mode::Idle,
            _ => return None,
        };
        let mut options = Self {
            mode,
            targets: Vec::new(),
            rate: 1000.0,
            seconds: 3.0,
            rounds: 3,
            threads: 64,
            count: None,
            streams: 100,
            wait: None,
            mail: false,
            first: 0,
            keep: None,
        };
        while let Some(word) = arguments.next() {
            if let Some(target) = Target::read(&word) {
                options.targets.push(target);
                continue;
            }
            if word == "--mail" {
                options.mail = true;
                continue;
            }
            let value = arguments.next()?;
            match word.as_str() {
                "--rate" => options.rate = value.parse().ok()?,
                "--seconds" => options.seconds = value.parse().ok()?,
                "--rounds" => options.rounds = value.parse().ok()?,
                "--threads" => options.threads = value.parse().ok()?,
                "--count" => options.count = Some(value.parse().ok()?),
                "--streams" => options.streams = value.parse().ok()?,
                "--wait" => options.wait = Some(value.parse().ok()?),
                "--first" => options.first = value.parse().ok()?,
                "--keep" => options.keep = Some(Mutex::new(File::create(value).ok()?)),
                _ => return None,
            }
        }
        (!options.targets.is_empty()).then_some(options)
    }

    /// When the next request of a slice is due, at no certain time where nothing is paced; a break
    /// when the slice is over.
    pub(super) fn due(&self, begin: Instant, sent: u64) -> ControlFlow<(), Option<Instant>> {
        #[expect(clippy::cast_precision_loss, reason = "a number far below 2^52")]
        let after = match self.mode {
            Mode::Paced => sent as f64 / self.rate,
            Mode::Closed | Mode::Idle => begin.elapsed().as_secs_f64(),
        };
        let is_over = match self.count {
            Some(count) => sent >= count,
            None => after >= self.seconds,
        };
        if is_over {
            return ControlFlow::Break(());
        }
        let is_paced = self.mode == Mode::Paced;
        ControlFlow::Continue(is_paced.then(|| begin + Duration::from_secs_f64(after)))
    }
}

impl Target {
    fn read(word: &str) -> Option<Self> {
        let (name, rest) = word.split_once('=')?;
        let mut parts = rest.split(',');
        Some(Self {
            name: name.to_owned(),
            address: parts.next()?.to_owned(),
            model: parts.next()?.to_owned(),
            stream: parts.next() == Some("stream"),
        })
    }

    /// The request of that number, with its head.
    pub(super) fn request(&self, number: u64, options: &Options) -> Vec<u8> {
        let wait = options
            .wait
            .map_or(String::new(), |wait| format!(" wait={wait};"));
        let mail = if options.mail && number.is_multiple_of(2) {
            " mail;"
        } else {
            ""
        };
        let stream = if self.stream { r#","stream":true"# } else { "" };
        let body = format!(
            r#"{{"model":"{}"{stream},"messages":[{{"role":"system","content":"{SYSTEM}"}},{{"role":"user","content":"number={number};{wait}{mail} {QUESTION}"}}]}}"#,
            self.model
        );
        format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .into_bytes()
    }
}
