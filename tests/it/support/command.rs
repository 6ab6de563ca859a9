//! The built command: run to its end, or started and watched.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Server, json_lines};

/// No test waits longer than this for anything.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// A command about to run, with an environment that the machine around it does not reach.
pub(crate) struct Redraft {
    command: Command,
    input: Vec<u8>,
}

impl Redraft {
    pub(crate) fn new(folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_redraft"));
        command.current_dir(folder);
        let odd = |name: &str| {
            let name = name.to_ascii_uppercase();
            ["OPENAI", "AWS_", "GOOGLE_", "AZURE_", "HF_", "OTEL_"]
                .iter()
                .any(|start| name.starts_with(start))
                || name.ends_with("_PROXY")
                || ["RUST_LOG", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"].contains(&&*name)
        };
        for (name, _) in std::env::vars_os() {
            if odd(&name.to_string_lossy()) {
                command.env_remove(name);
            }
        }
        Self {
            command,
            input: Vec::new(),
        }
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    pub(crate) fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(arguments);
        self
    }

    /// With the model `stub` at this server in every role.
    pub(crate) fn model(self, server: &Server) -> Self {
        let url = server.url().to_owned();
        self.args(["--model", "stub", "--base-url"]).arg(url)
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn stdin(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Ended {
        self.start().end()
    }

    /// Starts it.
    pub(crate) fn start(mut self) -> Running {
        let mut child = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        let input = self.input;
        // The process may end before it has read all: that is no failure of the test.
        std::thread::spawn(move || {
            let _ = stdin.write_all(&input);
        });
        let out = Stream::collect(child.stdout.take().expect("a pipe"));
        let err = Stream::collect(child.stderr.take().expect("a pipe"));
        Running { child, out, err }
    }
}

/// What a process has written so far, and the thread that reads it.
struct Stream {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Stream {
    fn collect(mut from: impl Read + Send + 'static) -> Self {
        let bytes = Arc::<Mutex<Vec<u8>>>::default();
        let kept = Arc::clone(&bytes);
        let reader = std::thread::spawn(move || {
            let mut part = [0; 8192];
            while let Ok(length @ 1..) = from.read(&mut part) {
                let mut kept = kept.lock().expect("no reader panics");
                kept.extend_from_slice(&part[..length]);
            }
        });
        Self { bytes, reader }
    }

    fn so_far(&self) -> String {
        let bytes = self.bytes.lock().expect("no reader panics");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn whole(self) -> String {
        self.reader.join().expect("no reader panics");
        let bytes = self.bytes.lock().expect("no reader panics");
        String::from_utf8(bytes.clone()).expect("UTF-8")
    }
}

/// A process under way.
pub(crate) struct Running {
    child: Child,
    out: Stream,
    err: Stream,
}

impl Running {
    /// Sends a signal by its name, such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.child.id().to_string())
            .status()
            .expect("kill is there");
        assert!(status.success(), "the signal {name} was not sent");
    }

    /// Whether standard error holds this text by now.
    pub(crate) fn has_said(&self, text: &str) -> bool {
        self.err.so_far().contains(text)
    }

    /// What standard error holds by now.
    pub(crate) fn said(&self) -> String {
        self.err.so_far()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_some()
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("a process to kill");
        let _ = self.child.wait();
    }

    /// Waits for its end.
    pub(crate) fn end(self) -> Ended {
        self.end_within(LIMIT)
    }

    /// Waits for its end, at most so long.
    pub(crate) fn end_within(self, limit: Duration) -> Ended {
        let Self {
            mut child,
            out,
            err,
        } = self;
        let pid = child.id();
        let (sender, ended) = mpsc::channel();
        let began = Instant::now();
        std::thread::spawn(move || sender.send(child.wait()));
        let Ok(status) = ended.recv_timeout(limit) else {
            let _ = Command::new("kill")
                .args(["-KILL", &pid.to_string()])
                .status();
            let err = err.so_far();
            panic!("still running after {limit:?}:\n{err}");
        };
        Ended {
            code: status.expect("a status").code(),
            took: began.elapsed(),
            out: out.whole(),
            err: err.whole(),
        }
    }
}

/// What a process left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) took: Duration,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// It ended with this exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "exit code; {self}");
        self
    }

    /// Standard error holds this text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.err.contains(text), "does not say {text:?}; {self}");
        self
    }

    /// Standard error does not hold this text.
    #[track_caller]
    pub(crate) fn does_not_say(self, text: &str) -> Self {
        assert!(!self.err.contains(text), "says {text:?}; {self}");
        self
    }

    /// Standard output holds this text.
    #[track_caller]
    pub(crate) fn prints(self, text: &str) -> Self {
        assert!(self.out.contains(text), "does not print {text:?}; {self}");
        self
    }

    /// Standard output is empty.
    #[track_caller]
    pub(crate) fn prints_nothing(self) -> Self {
        assert!(self.out.is_empty(), "prints; {self}");
        self
    }

    /// Standard output as one JSON value.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}; {self}"))
    }

    /// Standard output as lines of JSON.
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        json_lines(&self.out)
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code, out, err, .. } = self;
        write!(
            formatter,
            "exit {code:?}\n--- stdout\n{out}\n--- stderr\n{err}"
        )
    }
}
