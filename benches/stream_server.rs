//! An OpenAI-compatible server that answers at once, whole or as a stream; late or wrongly where it is
//! to.
//!
//!     cargo bench --bench stream_server -- 127.0.0.1:8098 [FAULTS]
//!
//! A prompt holds `number=N;`, which the answer repeats, and may hold `wait=MILLISECONDS;`, or `mail;`
//! for an answer with an address in it. FAULTS is the share of requests that fail, in every way that
//! a server can; which ones is decided by their number. Answers have about 800 characters, in
//! streams 20 events that are sent at once.

#![expect(
    clippy::unwrap_used,
    reason = "a tool for developers, which may end with a panic"
)]

use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// Thousands of threads wait at the same time.
const STACK: usize = 128 << 10;
const DRIP_PAUSE: Duration = Duration::from_millis(2);
const LATE: Duration = Duration::from_millis(300);

/// How a reply fails.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    Status(u16),
    /// The connection ends before the reply does.
    Cut,
    /// The reply ends in good order before the answer does.
    Truncated,
    /// A proxy's page instead of a reply.
    Page,
    /// The connection ends before the reply begins.
    HangUp,
    /// The reply comes in small pieces.
    Drip,
    Late,
    /// Something in it is not JSON.
    Garbled,
}

const FAULTS: [Fault; 10] = [
    Fault::Status(429),
    Fault::Status(500),
    Fault::Status(503),
    Fault::Cut,
    Fault::Truncated,
    Fault::Page,
    Fault::HangUp,
    Fault::Drip,
    Fault::Late,
    Fault::Garbled,
];

fn main() {
    let mut given = std::env::args().skip(1).filter(|it| !it.starts_with('-'));
    let Some(address) = given.next() else {
        println!("usage: cargo bench --bench stream_server -- ADDRESS:PORT [FAULTS]");
        return;
    };
    let faults: f64 = given.next().map_or(0.0, |share| share.parse().unwrap());
    let listener = TcpListener::bind(&address).unwrap();
    println!("listening on http://{address}/v1");
    for stream in listener.incoming() {
        let serving = thread::Builder::new().stack_size(STACK);
        // A client that goes away ends its own connection only.
        let serve = move || drop(serve(stream.unwrap(), faults));
        serving.spawn(serve).unwrap();
    }
}

/// Answers one request after the other until the client hangs up.
fn serve(mut stream: TcpStream, faults: f64) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    while let Some(end) = receive(&mut stream, &mut buffer)? {
        let request = String::from_utf8_lossy(&buffer[..end]).into_owned();
        buffer.drain(..end);
        let number = told(&request, "number=").unwrap_or_default();
        let fault = drawn(number, faults);
        if let Some(wait) = told(&request, "wait=") {
            thread::sleep(Duration::from_millis(wait));
        }
        let reply = reply(&request, number, fault);
        match fault {
            Some(Fault::HangUp) => return Ok(()),
            Some(Fault::Cut) => return stream.write_all(&reply[..reply.len() / 2]),
            Some(Fault::Drip) => {
                for piece in reply.chunks(reply.len().div_ceil(20)) {
                    stream.write_all(piece)?;
                    thread::sleep(DRIP_PAUSE);
                }
            }
            Some(Fault::Late) => {
                thread::sleep(LATE);
                stream.write_all(&reply)?;
            }
            _ => stream.write_all(&reply)?,
        }
    }
    Ok(())
}

/// Reads one whole request; gives its length.
fn receive(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<usize>> {
    let mut piece = [0; 8 << 10];
    loop {
        if let Some(end) = length(buffer).filter(|end| *end <= buffer.len()) {
            return Ok(Some(end));
        }
        match stream.read(&mut piece)? {
            0 => return Ok(None),
            read => buffer.extend_from_slice(&piece[..read]),
        }
    }
}

/// Where the request in the buffer ends, once its headers are there.
fn length(buffer: &[u8]) -> Option<usize> {
    let end = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
    let headers = String::from_utf8_lossy(&buffer[..end]).to_lowercase();
    let (_, after) = headers.split_once("content-length:")?;
    Some(end + after.lines().next()?.trim().parse::<usize>().unwrap())
}

/// The number that the request tells after a word.
fn told(request: &str, word: &str) -> Option<u64> {
    let (_, after) = request.split_once(word)?;
    after.split_once(';')?.0.parse().ok()
}

/// Whether the request of that number fails, and how.
#[expect(clippy::cast_precision_loss, reason = "53 bits of a hash are a share")]
fn drawn(number: u64, share: f64) -> Option<Fault> {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let drawn = (mixed >> 11) as f64 / (1_u64 << 53) as f64;
    let kind = usize::try_from(mixed % FAULTS.len() as u64).unwrap();
    (drawn < share).then_some(FAULTS[kind])
}

fn reply(request: &str, number: u64, fault: Option<Fault>) -> Vec<u8> {
    match fault {
        Some(Fault::Status(status)) => {
            let body = r#"{"error":{"message":"this attempt was to fail","type":"server_error"}}"#;
            return whole(status, "application/json", body);
        }
        Some(Fault::Page) => return whole(200, "text/html", "<!doctype html><p>Bad gateway"),
        _ => {}
    }
    let mail = if request.contains("mail;") {
        " Write to ann@example.com."
    } else {
        ""
    };
    let text = format!(
        "Answer number={number};{mail} {}",
        "It is of a usual length. ".repeat(31)
    );
    if request.contains(r#""stream":true"#) {
        return streamed(&text, fault);
    }
    let mut body = format!(
        r#"{{"id":"chatcmpl-{number}","object":"chat.completion","created":1700000000,"model":"plain","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":90,"completion_tokens":200,"total_tokens":290}}}}"#
    );
    match fault {
        Some(Fault::Truncated) => body.truncate(body.len() / 2),
        Some(Fault::Garbled) => body = body.replace(r#""message""#, "message"),
        _ => {}
    }
    whole(200, "application/json", &body)
}

fn whole(status: u16, kind: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} Simulated\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn streamed(text: &str, fault: Option<Fault>) -> Vec<u8> {
    let mut bytes =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            .to_owned();
    let mut event = |data: &str| {
        let _ = write!(bytes, "{:x}\r\ndata: {data}\n\n\r\n", data.len() + 8);
    };
    let characters: Vec<char> = text.chars().collect();
    let pieces: Vec<String> = characters
        .chunks(characters.len().div_ceil(20))
        .map(String::from_iter)
        .collect();
    for (place, piece) in pieces.iter().enumerate() {
        let is_half = place == pieces.len() / 2;
        if is_half && fault == Some(Fault::Truncated) {
            return ended(bytes);
        }
        if is_half && fault == Some(Fault::Garbled) {
            event(r#"{"choices":[{"index":0,"del"#);
        }
        event(&chunk(&format!(r#"{{"content":"{piece}"}}"#), "null"));
    }
    event(&chunk("{}", r#""stop""#));
    event("[DONE]");
    ended(bytes)
}

fn chunk(delta: &str, finish: &str) -> String {
    format!(
        r#"{{"id":"chatcmpl-0","object":"chat.completion.chunk","created":1700000000,"model":"plain","choices":[{{"index":0,"delta":{delta},"finish_reason":{finish}}}]}}"#
    )
}

/// The bytes, with the last chunk.
fn ended(mut bytes: String) -> Vec<u8> {
    bytes.push_str("0\r\n\r\n");
    bytes.into_bytes()
}
