//! An OpenAI-compatible server that answers at once, so that what a client costs can be measured.
//!
//!     cargo bench --bench zero_server -- 127.0.0.1:8099
//!
//! It writes an answer, finds one violation in it, revises it, and finds nothing in the revision:
//! four calls for each record without an answer. Its answers have about 800 characters. It says when
//! a client connects.

#![expect(
    clippy::unwrap_used,
    reason = "a tool for developers, which may end with a panic"
)]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::SystemTime;

/// Stands in the draft, and so in every request about it.
const MARK: &str = "the first of two answers";

fn main() {
    let address = std::env::args().find(|given| given.contains(':'));
    let Some(address) = address else {
        println!("usage: cargo bench --bench zero_server -- ADDRESS:PORT");
        return;
    };
    let listener = TcpListener::bind(&address).unwrap();
    println!("listening on http://{address}/v1");
    for stream in listener.incoming() {
        println!("connected at {:.3}", now());
        thread::spawn(|| serve(stream.unwrap()));
    }
}

/// Seconds since 1970, as `date +%s.%N` has them.
#[expect(
    clippy::disallowed_methods,
    reason = "a time to compare with a shell's, not part of any result"
)]
fn now() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap().as_secs_f64()
}

/// Answers one request after the other until the client hangs up.
fn serve(mut stream: TcpStream) {
    stream.set_nodelay(true).unwrap();
    let mut buffer = Vec::with_capacity(64 << 10);
    while let Some(end) = receive(&mut stream, &mut buffer) {
        let reply = completion(&answer(&String::from_utf8_lossy(&buffer[..end])));
        buffer.drain(..end);
        if stream.write_all(reply.as_bytes()).is_err() {
            return;
        }
    }
}

/// Reads one whole request; gives its length.
fn receive(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<usize> {
    let mut piece = [0; 16 << 10];
    loop {
        if let Some(end) = length(buffer).filter(|end| *end <= buffer.len()) {
            return Some(end);
        }
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return None,
            Ok(read) => buffer.extend_from_slice(&piece[..read]),
        }
    }
}

/// Where the request in the buffer ends, once its headers are there.
fn length(buffer: &[u8]) -> Option<usize> {
    let end = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
    let headers = String::from_utf8_lossy(&buffer[..end]).to_lowercase();
    let (_, after) = headers.split_once("content-length:")?;
    let body: usize = after.lines().next()?.trim().parse().unwrap();
    Some(end + body)
}

/// The text of the reply, as it stands between the quotes of a JSON string: a critique where the
/// request holds a schema, and else an answer.
fn answer(request: &str) -> String {
    let first = request.contains(MARK);
    let Some(ids) = asked(request) else {
        return if first {
            format!(
                "This is the better one. {}",
                "It is about as long. ".repeat(37)
            )
        } else {
            format!("This is {MARK}. {}", "It is of a usual length. ".repeat(31))
        };
    };
    let (id, others) = ids.split_once(',').unwrap_or((ids, ""));
    let critique = if first {
        format!(
            r#"{{"violations":[{{"principle":{id},"evidence":"{MARK}","explanation":"It says so.","severity":"medium","fix":"Say it otherwise."}}],"complies":[{others}],"not_applicable":[]}}"#
        )
    } else {
        format!(r#"{{"violations":[],"complies":[{ids}],"not_applicable":[]}}"#)
    };
    critique.replace('"', "\\\"")
}

/// The principles asked about, as they stand in the schema.
fn asked(request: &str) -> Option<&str> {
    let (_, after) = request.split_once(r#""enum":["#)?;
    Some(after.split_once(']')?.0)
}

/// The reply with its headers.
fn completion(text: &str) -> String {
    let body = format!(
        r#"{{"id":"chatcmpl-0","object":"chat.completion","created":1700000000,"model":"zero","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":900,"completion_tokens":120,"total_tokens":1020}}}}"#
    );
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}
