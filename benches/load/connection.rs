//! A connection that is kept, and the little of HTTP/1.1 that a reply needs.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::options::Target;

/// No reply takes as long.
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    last_read: Instant,
    silence: Duration,
}

/// What came back, as far as it came.
#[derive(Default)]
pub(super) struct Reply {
    /// 0 when no reply began.
    pub(super) status: u16,
    pub(super) transcript: Option<String>,
    pub(super) is_stream: bool,
    pub(super) body: Vec<u8>,
    /// Whether it came to the end that HTTP gives it.
    pub(super) is_whole: bool,
    /// Whether the connection can be used again.
    pub(super) can_go_on: bool,
    /// The longest time for which nothing came.
    pub(super) silence: Duration,
}

impl Connection {
    pub(super) fn open(target: &Target) -> io::Result<Self> {
        let stream = TcpStream::connect(&target.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream,
            buffer: Vec::new(),
            last_read: Instant::now(),
            silence: Duration::ZERO,
        })
    }

    /// Sends a request and reads its reply.
    pub(super) fn exchange(&mut self, request: &[u8]) -> Reply {
        let mut reply = Reply::default();
        self.last_read = Instant::now();
        self.silence = Duration::ZERO;
        let read = self
            .stream
            .write_all(request)
            .and_then(|()| self.receive(&mut reply));
        reply.is_whole = read.is_ok();
        reply.can_go_on &= reply.is_whole;
        reply.silence = self.silence;
        reply
    }

    fn receive(&mut self, reply: &mut Reply) -> io::Result<()> {
        let end = self.find(b"\r\n\r\n", 0)? + 4;
        let head = String::from_utf8_lossy(&self.buffer[..end]).to_ascii_lowercase();
        self.buffer.drain(..end);
        let header = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            lines
                .find(|(found, _)| *found == name)
                .map(|(_, value)| value)
        };
        let status = head.get(9..12).and_then(|status| status.parse().ok());
        reply.status = status.unwrap_or_default();
        reply.transcript = header("x-redraft-transcript").map(str::to_owned);
        reply.is_stream =
            header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"));
        reply.can_go_on = header("connection") != Some("close");
        if let Some(length) = header("content-length").and_then(|length| length.parse().ok()) {
            return self.take(length, &mut reply.body);
        }
        loop {
            let line = self.find(b"\r\n", 0)?;
            let size = std::str::from_utf8(&self.buffer[..line]).ok();
            let size = size.and_then(|size| usize::from_str_radix(size, 16).ok());
            let size = size.ok_or(io::ErrorKind::InvalidData)?;
            self.buffer.drain(..line + 2);
            self.take(size, &mut reply.body)?;
            self.take(2, &mut Vec::new())?;
            if size == 0 {
                return Ok(());
            }
        }
    }

    /// Moves so many bytes to a body, as far as they come.
    fn take(&mut self, mut length: usize, body: &mut Vec<u8>) -> io::Result<()> {
        loop {
            let there = length.min(self.buffer.len());
            body.extend(self.buffer.drain(..there));
            length -= there;
            if length == 0 {
                return Ok(());
            }
            self.more()?;
        }
    }

    fn find(&mut self, mark: &[u8], from: usize) -> io::Result<usize> {
        loop {
            let mut windows = self.buffer[from..].windows(mark.len());
            if let Some(found) = windows.position(|bytes| bytes == mark) {
                return Ok(from + found);
            }
            self.more()?;
        }
    }

    fn more(&mut self) -> io::Result<()> {
        let mut piece = [0; 8 << 10];
        let read = self.stream.read(&mut piece)?;
        self.silence = self.silence.max(self.last_read.elapsed());
        self.last_read = Instant::now();
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.buffer.extend_from_slice(&piece[..read]);
        Ok(())
    }
}
