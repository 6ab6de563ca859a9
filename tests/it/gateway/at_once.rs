//! A stream whose server sends many events at once costs no write for each.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use super::desk::{Desk, ask, settings};
use super::upstream::Upstream;

const CHAT: &str = "chat/completions";
const PIECES: usize = 100;
const PIECE: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";
const LAST: &str = concat!(
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: [DONE]\n\n",
);

/// A server that answers every request with all of a stream in one write, each event a chunk of its own.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = answer(stream);
        }
    });
    url
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    read_request(&stream)?;
    let chunk = |data: &str| format!("{:x}\r\n{data}\r\n", data.len());
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunks = chunk(PIECE).repeat(PIECES) + &chunk(LAST);
    stream.write_all(format!("{head}{chunks}0\r\n\r\n").as_bytes())
}

fn read_request(stream: &TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line)?;
        if let Some(given) = line.to_lowercase().strip_prefix("content-length:") {
            length = given.trim().parse().expect("a length");
        }
    }
    reader.read_exact(&mut vec![0; length])
}

/// The chunks of a body.
fn chunks(mut body: &str) -> Vec<&str> {
    let mut chunks = Vec::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("a size");
        if size == 0 {
            break;
        }
        let (chunk, rest) = rest.split_at(size);
        chunks.push(chunk);
        body = rest.strip_prefix("\r\n").expect("the end of a chunk");
    }
    chunks
}

#[test]
fn what_comes_at_once_leaves_together() {
    let settings = settings("gate.yaml", "off", "").replace("UPSTREAM", &serve());
    let desk = Desk::with(&Upstream::start(), &settings);
    let mut stream = TcpStream::connect(desk.address()).expect("a connection");
    let patience = Some(Duration::from_secs(60));
    stream.set_read_timeout(patience).expect("a limit");
    let body = ask(CHAT, "content", "", true).to_string();
    let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
    write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).expect("it is sent");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("a reply");
    let (_, body) = reply.split_once("\r\n\r\n").expect("a head");
    let chunks = chunks(body);
    assert_eq!(chunks.concat(), PIECE.repeat(PIECES) + LAST);
    assert!(chunks.len() < PIECES / 4, "{} chunks", chunks.len());
}
