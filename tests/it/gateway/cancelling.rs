//! A client that hangs up ends what runs for it.

use std::io::Write as _;
use std::net::TcpStream;

use super::desk::{Desk, ask, settings};
use super::upstream::{Say, Upstream};
use crate::support::{Part, wait_until};

fn send(desk: &Desk, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(desk.address()).expect("a connection");
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("it is sent");
    stream
}

#[test]
fn a_client_that_hangs_up_cancels_the_calls_that_were_made_for_it() {
    let upstream = Upstream::with(|seen| {
        let is_draft = Part::of(&seen.body) == Part::Drafter;
        let hangs = match seen.body["metadata"]["text"].as_str() {
            Some("draft hangs") => true,
            _ => !is_draft,
        };
        hangs.then_some(Say::Hang)
    });
    let text = settings("gate.yaml", "enforce", "")
        .replace("gateway:\n", "gateway:\n  grace_seconds: 0.1\n");
    let desk = Desk::with(&upstream, &text);
    for what in ["draft hangs", "critic hangs"] {
        for stream in [false, true] {
            let connection = send(
                &desk,
                &ask("chat/completions", "content", what, stream).to_string(),
            );
            let is_critic = what == "critic hangs";
            wait_until("the call is under way", || {
                let seen = upstream.seen();
                let last = seen.last().map(|seen| Part::of(&seen.body) == Part::Critic);
                upstream.in_flight() == 1 && (!is_critic || last == Some(true))
            });
            if stream {
                // By now the stream is open, and waits.
                std::thread::sleep(std::time::Duration::from_millis(300));
                assert_eq!(upstream.in_flight(), 1);
            }
            drop(connection);
            wait_until("the call is given up", || upstream.in_flight() == 0);
        }
    }
}
