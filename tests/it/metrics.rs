//! `--metrics-addr`: what a run counts, for Prometheus.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::{Act, Place, Running, Server, wait_until};

/// The address that the command says it gives metrics out at.
fn address(running: &Running) -> String {
    wait_until("the address is said", || running.has_said("/metrics\n"));
    let said = running.said();
    let (_, address) = said.split_once("metrics: http://").expect("an address");
    address.split('/').next().expect("an address").to_owned()
}

fn fetch(address: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a listener");
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .expect("a request");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("a reply");
    reply
}

#[test]
fn a_run_counts_while_it_goes_on() {
    let server = Server::with(|_| Act::AnswerAfter(Duration::from_millis(40)));
    let place = Place::with_manners();
    place.write_prompts("in.jsonl", (0..2000).map(|n| format!("draft: Row {n}.")));
    let running = place
        .redraft("run in.jsonl -c manners.yaml --metrics-addr 127.0.0.1:0")
        .model(&server)
        .start();
    let address = address(&running);
    let has = |text: &str, start: &str| text.lines().any(|line| line.starts_with(start));
    wait_until("records are counted", || {
        has(&fetch(&address), "redraft_rows_total{kind=\"sealed\"}")
    });
    let text = fetch(&address);
    for start in [
        "content-type: application/openmetrics-text",
        "redraft_records_total{outcome=\"compliant\"}",
        "redraft_calls_total{role=\"drafter\",model=\"stub\",end=\"answered\"}",
        "redraft_calls_total{role=\"critic\",model=\"stub\",end=\"answered\"}",
        "redraft_call_seconds_count{role=\"critic\",model=\"stub\"}",
        "redraft_upstream_limit{model=\"stub\",address=\"http://127.0.0.1:",
        "redraft_build_info{version=\"",
    ] {
        assert!(has(&text, start), "no {start} in\n{text}");
    }
    running.signal("INT");
    running.end().exits(130);
}

#[test]
fn an_address_that_is_taken_is_named_before_anything_is_paid_for() {
    let server = Server::start();
    let place = Place::with_manners();
    place.write_prompts("in.jsonl", ["draft: One."]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a listener");
    let taken = taken.local_addr().expect("an address").to_string();
    place
        .redraft("run in.jsonl -c manners.yaml")
        .args(["--metrics-addr", &taken])
        .model(&server)
        .run()
        .exits(1)
        .says(&taken);
    assert_eq!(server.count(), 0);
}
