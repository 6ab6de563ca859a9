//! Many kills at random moments, and a server that vanishes: the same bytes in the end.
//!
//! `REDRAFT_KILLS=100` kills that often, in as many runs as it takes.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redraft::store::Store;
use redraft::store::sqlite::SqliteStore;

use crate::support::{Act, Place, Seeded, Server, hash, wait_until};

const COMMAND: &str = "run in.jsonl -o out.jsonl -c manners.yaml --concurrency 6 --run killed";
/// Calls in flight at that concurrency: a call keeps its place until its reply is on disk.
const IN_FLIGHT: usize = 6;
const ROWS: usize = 60;
/// Without the variable.
const KILLS: usize = 12;

fn kills_wanted() -> usize {
    let wanted = std::env::var("REDRAFT_KILLS").ok();
    wanted.map_or(KILLS, |kills| kills.parse().expect("a number of kills"))
}

fn place(seed: usize) -> Place {
    let place = Place::with_manners();
    place.write_prompts(
        "in.jsonl",
        (0..ROWS).map(|n| match (n + seed) % 4 {
            0 => format!("draft: Seed {seed}, row {n}. !be-kind"),
            1 => format!("draft: Seed {seed}, row {n}. !be-kind !be-brief !be-kind"),
            2 => format!("draft: Seed {seed}, row {n}. !be-brief !stubborn"),
            _ => format!("draft: Seed {seed}, row {n}."),
        }),
    );
    place
}

/// The record, digest and bytes of every transcript, read through the library.
fn sealed(place: &Place) -> BTreeSet<(String, String, Vec<u8>)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let store = SqliteStore::open_read_only(place.path("redraft.db")).expect("a store");
        let page = store.transcripts("killed", None, 10 * ROWS).await;
        let page = page.expect("transcripts");
        assert!(page.next.is_none(), "all of them are on one page");
        let sealed = page.items.into_iter().map(|stored| stored.row.sealed);
        sealed
            .map(|sealed| {
                (
                    sealed.record.to_string(),
                    sealed.digest.to_string(),
                    sealed.body,
                )
            })
            .collect()
    })
}

/// What an undisturbed run of the seed leaves, and how many calls it made.
struct Whole {
    output: String,
    sealed: BTreeSet<(String, String, Vec<u8>)>,
    calls: usize,
}

fn undisturbed(server: &Server, seed: usize) -> Whole {
    let place = place(seed);
    server.forget();
    place.redraft(COMMAND).model(server).run().exits(0);
    Whole {
        output: place.read("out.jsonl"),
        sealed: sealed(&place),
        calls: server.count() - server.repeated(),
    }
}

fn compare(place: &Place, whole: &Whole) {
    assert_eq!(place.read("out.jsonl"), whole.output);
    let sealed = sealed(place);
    assert_eq!(sealed.len(), ROWS);
    assert!(sealed == whole.sealed, "the transcripts differ");
}

/// Kills a run again and again until it is through; gives how often.
fn kill_until_done(server: &Server, seed: usize, whole: &Whole) -> usize {
    let place = place(seed);
    server.forget();
    let mut kills = 0;
    loop {
        // Most moments lie amid the work; some before the first call, some behind the last.
        let number = hash(&format!("seed {seed}, kill {kills}"));
        let wait = Duration::from_millis(number % 700);
        let mut running = place.redraft(COMMAND).model(server).start();
        std::thread::sleep(wait);
        if running.has_ended() {
            running.end().exits(0);
            break;
        }
        running.kill();
        kills += 1;
        assert!(kills < 200, "it gets nowhere");
    }
    // What a process sent last may still be on its way to the server.
    std::thread::sleep(Duration::from_millis(50));
    compare(&place, whole);
    assert_eq!(server.count() - server.repeated(), whole.calls);
    assert!(
        server.repeated() <= kills * IN_FLIGHT,
        "{} calls were repeated after {kills} kills",
        server.repeated()
    );
    // Whoever has the reply does not ask: every reply is in the journal just once, and a further
    // start finds them all.
    let calls = place.count("SELECT count(*) FROM calls");
    assert_eq!(usize::try_from(calls).ok(), Some(whole.calls));
    server.forget();
    place.redraft(COMMAND).model(server).run().exits(0);
    assert_eq!(server.count(), 0, "a journalled call was asked again");
    kills
}

#[test]
fn kills_at_random_moments_change_nothing() {
    let server = Server::with(|_| Act::AnswerAfter(Duration::from_millis(12)));
    let (mut kills, mut repeated, wanted) = (0, 0, kills_wanted());
    for seed in 0.. {
        let whole = undisturbed(&server, seed);
        let before = kills;
        kills += kill_until_done(&server, seed, &whole);
        assert!(kills > before || seed < 50, "nothing is ever killed");
        repeated += 1;
        if kills >= wanted {
            break;
        }
    }
    eprintln!("{kills} kills over {repeated} seeds");
}

/// A way to a server that can be taken away: the port stays closed until it is back.
struct Door {
    address: SocketAddr,
    open: Arc<AtomicBool>,
    through: Arc<Mutex<Vec<TcpStream>>>,
}

impl Door {
    fn to(server: &Server) -> Self {
        let target = server.url().trim_start_matches("http://");
        let target = target.trim_end_matches("/v1").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let open = Arc::new(AtomicBool::new(true));
        let through = Arc::<Mutex<Vec<TcpStream>>>::default();
        let (is_open, passing) = (Arc::clone(&open), Arc::clone(&through));
        std::thread::spawn(move || {
            let mut listener = Some(listener);
            loop {
                if !is_open.load(Ordering::SeqCst) {
                    listener = None;
                    std::thread::sleep(Duration::from_millis(5));
                    continue;
                }
                let here = listener.get_or_insert_with(|| {
                    let again = TcpListener::bind(address).expect("the same port");
                    again.set_nonblocking(true).expect("a socket");
                    again
                });
                here.set_nonblocking(true).expect("a socket");
                match here.accept() {
                    Ok((client, _)) => pass(client, &target, &passing),
                    Err(_) => std::thread::sleep(Duration::from_millis(2)),
                }
            }
        });
        Self {
            address,
            open,
            through,
        }
    }

    /// Closes the port, and cuts every connection.
    fn close(&self) {
        self.open.store(false, Ordering::SeqCst);
        // The thread at the door may be letting somebody in just now.
        for _ in 0..10 {
            for stream in self.through.lock().expect("no thread panics").drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn open(&self) {
        self.open.store(true, Ordering::SeqCst);
    }
}

fn pass(client: TcpStream, target: &str, passing: &Mutex<Vec<TcpStream>>) {
    client.set_nonblocking(false).expect("a socket");
    let Ok(server) = TcpStream::connect(target) else {
        return;
    };
    let copy = |from: &TcpStream, to: &TcpStream| {
        let mut from = from.try_clone().expect("a socket");
        let mut to = to.try_clone().expect("a socket");
        std::thread::spawn(move || {
            let mut part = [0; 16 * 1024];
            while let Ok(length @ 1..) = from.read(&mut part) {
                if to.write_all(&part[..length]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Both);
        });
    };
    copy(&client, &server);
    copy(&server, &client);
    let mut passing = passing.lock().expect("no thread panics");
    passing.push(client);
    passing.push(server);
}

#[test]
fn a_server_that_vanishes_and_returns_costs_nothing_but_time() {
    let server = Server::with(|_| Act::AnswerAfter(Duration::from_millis(12)));
    let whole = undisturbed(&server, 0);
    let door = Door::to(&server);
    let place = place(0);
    server.forget();
    let running = place
        .redraft(COMMAND)
        .args(["--model", "stub", "--base-url"])
        .arg(format!("http://{}/v1", door.address))
        .start();
    wait_until("some calls were made", || server.count() > 20);
    door.close();
    std::thread::sleep(Duration::from_secs(2));
    let before = server.count();
    door.open();
    running.end().exits(0);
    assert!(server.count() > before, "it went on by itself");
    compare(&place, &whole);
    assert!(
        server.repeated() <= IN_FLIGHT,
        "{} calls were repeated",
        server.repeated()
    );
}

/// Kills and faults together: what failed for the moment is tried again, before and after.
#[test]
fn kills_amid_faults_change_nothing() {
    let faults = Seeded(5);
    let calm = Server::with(|_| Act::Answer);
    let whole = undisturbed(&calm, 1);
    let server = Server::with(move |asked| match faults.act(asked) {
        Act::Answer => Act::AnswerAfter(Duration::from_millis(5)),
        fault => fault,
    });
    let place = place(1);
    for kill in 0..3_u64 {
        let running = place.redraft(COMMAND).model(&server).start();
        std::thread::sleep(Duration::from_millis(250 + 150 * kill));
        running.kill();
    }
    place.redraft(COMMAND).model(&server).run().exits(0);
    compare(&place, &whole);
}
