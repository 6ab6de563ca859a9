//! A bad wire between the program and its server: what it breaks is asked for again, and nothing of
//! it shows in the end.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use crate::support::{Place, Server, hash};

const COMMAND: &str = "run in.jsonl -o out.jsonl -c manners.yaml";

/// What a bad wire does to a call.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// Takes the request and says nothing.
    Hangs,
    /// Resets the connection in the middle of the body.
    Resets,
    /// Sends a byte now and then, always too soon to count as idle.
    Drips,
    /// Begins a body and sends no more of it.
    Stops,
    /// Answers with a page for people, as a proxy does.
    Page,
    /// Answers with half the JSON.
    Truncates,
}

const FAULTS: [Fault; 6] = [
    Fault::Hangs,
    Fault::Resets,
    Fault::Drips,
    Fault::Stops,
    Fault::Page,
    Fault::Truncates,
];

/// A relay to a server that breaks the first attempt of about one of three calls.
struct BadWire {
    url: String,
    counts: Arc<[AtomicUsize; FAULTS.len()]>,
    _runtime: Runtime,
}

impl BadWire {
    fn before(server: &Server) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a port");
        let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let host = server.url().trim_start_matches("http://");
        let relay = Arc::new(Relay {
            server: host.trim_end_matches("/v1").to_owned(),
            known: Mutex::default(),
            counts: Arc::default(),
        });
        let counts = Arc::clone(&relay.counts);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let relay = Arc::clone(&relay);
                // Whoever gives up waiting breaks the connection, and that is no failure here.
                tokio::spawn(async move { relay.serve(stream).await.ok() });
            }
        });
        Self {
            url,
            counts,
            _runtime: runtime,
        }
    }
}

struct Relay {
    server: String,
    known: Mutex<HashSet<u64>>,
    counts: Arc<[AtomicUsize; FAULTS.len()]>,
}

impl Relay {
    async fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let Some((head, body)) = read_request(&mut stream).await? else {
            return Ok(());
        };
        match self.fault(&body) {
            None => {
                let mut server = TcpStream::connect(&self.server).await?;
                let request = format!("{head}\r\nconnection: close\r\n\r\n{body}");
                server.write_all(request.as_bytes()).await?;
                tokio::io::copy(&mut server, &mut stream).await?;
            }
            Some(Fault::Hangs) => wait_for_end(&mut stream).await?,
            Some(Fault::Resets) => {
                begin(&mut stream).await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
                stream.set_zero_linger()?;
            }
            Some(Fault::Drips) => {
                begin(&mut stream).await?;
                loop {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    stream.write_all(b" ").await?;
                }
            }
            Some(Fault::Stops) => {
                begin(&mut stream).await?;
                wait_for_end(&mut stream).await?;
            }
            Some(Fault::Page) => {
                let page = "<!DOCTYPE html><html><title>Sign in</title></html>";
                stream.write_all(whole(page).as_bytes()).await?;
            }
            Some(Fault::Truncates) => {
                let half = r#"{"id":"x","choices":[{"message":{"content":"Hel"#;
                stream.write_all(whole(half).as_bytes()).await?;
            }
        }
        Ok(())
    }

    /// What happens to a call: always the same to its first attempt, and nothing to later ones.
    fn fault(&self, body: &str) -> Option<Fault> {
        let number = hash(body);
        let is_first = self.known.lock().expect("no test panics").insert(number);
        if !is_first || !number.is_multiple_of(3) {
            return None;
        }
        let index = usize::try_from((number >> 8) % FAULTS.len() as u64).expect("small");
        self.counts[index].fetch_add(1, Ordering::SeqCst);
        Some(FAULTS[index])
    }
}

/// The head, without the empty line after it, and the body.
async fn read_request(stream: &mut TcpStream) -> std::io::Result<Option<(String, String)>> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .and_then(|length| length.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return Ok(Some((head.to_owned(), body.to_owned())));
        }
    }
}

fn whole(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

async fn begin(stream: &mut TcpStream) -> std::io::Result<()> {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{\"id\":\"x\",";
    stream.write_all(head.as_bytes()).await
}

async fn wait_for_end(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.read(&mut [0]).await.map(|_| ())
}

fn rows(place: &Place) {
    let flaws = ["", " !be-kind", " !be-kind !be-brief"];
    let prompt = |n: usize| format!("draft: Row {n}.{}", flaws[n % flaws.len()]);
    place.write_prompts("in.jsonl", (0..30).map(prompt));
}

fn settings(url: &str) -> String {
    format!(
        "models:\n  stub:\n    {{ model: stub, base_url: '{url}', timeout: 4, connect_timeout: 4, \
         first_byte_timeout: 2, idle_timeout: 2 }}\n"
    )
}

#[test]
fn a_wire_that_breaks_every_way_leaves_no_trace_in_what_is_written() {
    let server = Server::start();
    let good = Place::with_manners();
    rows(&good);
    good.redraft(COMMAND).model(&server).run().exits(0);

    let wire = BadWire::before(&server);
    let bad = Place::with_manners();
    rows(&bad);
    bad.write("redraft.yaml", settings(&wire.url));
    let ended = bad
        .redraft(COMMAND)
        .env("RUST_LOG", "redraft=debug")
        .run()
        .exits(0);
    for (fault, count) in FAULTS.iter().zip(wire.counts.iter()) {
        assert!(count.load(Ordering::SeqCst) > 0, "no call met {fault:?}");
    }
    for told in [
        "began within 2 s",
        "did not go on for 2 s",
        "no whole reply from",
        "an HTML page titled “Sign in”",
        "breaks off after",
    ] {
        assert!(ended.err.contains(told), "{told:?}; {ended}");
    }
    assert_eq!(bad.read("out.jsonl"), good.read("out.jsonl"));
    assert_eq!(bad.transcripts(), good.transcripts());
}

#[test]
fn an_empty_account_ends_the_run_resumable_with_what_to_do() {
    use crate::support::Act;
    let quota =
        r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota"}}"#;
    let paid = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_paid = Arc::clone(&paid);
    let answered = AtomicUsize::new(0);
    let server = Server::with(move |_| {
        let few = answered.fetch_add(1, Ordering::SeqCst) < 20;
        if few || is_paid.load(Ordering::SeqCst) {
            Act::Answer
        } else {
            Act::Status(429, quota.to_owned())
        }
    });
    let place = Place::with_manners();
    rows(&place);
    place
        .redraft(COMMAND)
        .model(&server)
        .run()
        .exits(1)
        .says("has nothing left to spend")
        .says("You exceeded your current quota")
        .says("add credit");
    assert_eq!(
        place.count("SELECT count(*) FROM transcripts WHERE body LIKE '%\"failed\"%'"),
        0,
        "no row is burnt"
    );
    paid.store(true, Ordering::SeqCst);
    place.redraft(COMMAND).model(&server).run().exits(0);
    assert_eq!(place.json_lines("out.jsonl").len(), 30);
}
