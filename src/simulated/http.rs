//! The little of HTTP/1.1 that the simulated server needs.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The longest request that is taken in.
const MOST_BYTES: usize = 64 << 20;

/// A connection that is kept as long as its client wants.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    buffer: BytesMut,
}

/// One request.
#[derive(Debug)]
pub(super) struct Request {
    /// The first line: method, path and version.
    pub(super) line: String,
    /// The body.
    pub(super) body: Bytes,
}

impl Connection {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            buffer: BytesMut::with_capacity(16 << 10),
        }
    }

    /// The next request; nothing once the client has gone.
    pub(super) async fn next(&mut self) -> io::Result<Option<Request>> {
        let head = loop {
            if let Some(end) = memchr::memmem::find(&self.buffer, b"\r\n\r\n") {
                break self.buffer.split_to(end + 4);
            }
            if !self.more().await? {
                return Ok(None);
            }
        };
        let head = String::from_utf8_lossy(&head);
        let (line, headers) = head.split_once("\r\n").unwrap_or_default();
        let length = body_length(headers)?;
        let line = line.to_owned();
        while self.buffer.len() < length {
            if !self.more().await? {
                return Ok(None);
            }
        }
        let body = self.buffer.split_to(length).freeze();
        Ok(Some(Request { line, body }))
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Ends the connection with a reset.
    pub(super) fn reset(self) -> io::Result<()> {
        self.stream.set_zero_linger()
    }

    async fn more(&mut self) -> io::Result<bool> {
        if self.buffer.len() > MOST_BYTES {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.buffer.reserve(16 << 10);
        Ok(self.stream.read_buf(&mut self.buffer).await? > 0)
    }
}

fn body_length(headers: &str) -> io::Result<usize> {
    let length = headers.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    });
    match length {
        Some(length) if length <= MOST_BYTES => Ok(length),
        None if !is_chunked(headers) => Ok(0),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn is_chunked(headers: &str) -> bool {
    headers
        .lines()
        .filter_map(|line| line.split_once(':'))
        .any(|(name, _)| name.eq_ignore_ascii_case("transfer-encoding"))
}

/// A whole response.
pub(super) fn response(status: u16, headers: &str, kind: &str, body: &str) -> Vec<u8> {
    let reason = match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    };
    format!(
        "HTTP/1.1 {status} {reason}\r\nserver: simulated\r\ncontent-type: {kind}\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A response of JSON.
pub(super) fn json(status: u16, headers: &str, body: &str) -> Vec<u8> {
    response(status, headers, "application/json", body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_body_is_found_however_its_name_is_written() {
        let length = |headers| body_length(headers).ok();
        assert_eq!(length("Host: a\r\nContent-LENGTH:  17\r\n"), Some(17));
        assert_eq!(length("host: a\r\n"), Some(0));
        assert_eq!(length("host: a\r\nTransfer-Encoding: chunked\r\n"), None);
        assert_eq!(length("content-length: 99999999999\r\n"), None);
    }
}
