//! A load of chat completions, and what their clients see: latencies, silences, whole and broken answers.
//!
//!     cargo bench --bench load -- paced --rate 1000 --seconds 5 --rounds 4 TARGET…
//!     cargo bench --bench load -- closed --seconds 5 --rounds 4 TARGET…
//!     cargo bench --bench load -- closed --count 50000 --keep answers.jsonl TARGET
//!     cargo bench --bench load -- idle --streams 5000 --wait 45000 TARGET
//!
//! A TARGET is NAME=ADDRESS:PORT,MODEL or the same with `,stream`. `paced` sends at a fixed rate, whatever
//! comes back, and counts each latency from the moment at which the request was due: what is late
//! because others were slow counts as slow. `closed` sends on each connection when the answer before
//! is whole. Targets take turns, one slice of time each, after one round that is not counted.
//! `--keep` writes what each client got. One line of JSON comes back for each target.

#![expect(
    clippy::unwrap_used,
    reason = "a tool for developers, which may end with a panic"
)]

mod connection;
mod options;
mod seen;
mod tally;

use std::ops::ControlFlow::Continue;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use connection::{Connection, Reply};
use options::{Mode, Options, Target};
use tally::Tally;

/// Between the decision to begin and the first request of a slice.
const LEAD: Duration = Duration::from_millis(20);
/// Who sends later than this after a request was due had no connection free.
const LATE: Duration = Duration::from_millis(5);
const STACK: usize = 256 << 10;

fn main() {
    let Some(options) = Options::read(std::env::args().skip(1)) else {
        println!("usage: see the head of benches/load/main.rs");
        return;
    };
    let tallies = if options.mode == Mode::Idle {
        vec![idle(&options)]
    } else {
        in_turns(&options)
    };
    for (target, tally) in options.targets.iter().zip(tallies) {
        println!("{}", tally.into_json(&target.name));
    }
}

/// A connection to each target, opened when it is needed.
type Connections = Vec<Option<Connection>>;

fn in_turns(options: &Options) -> Vec<Tally> {
    let mut workers: Vec<Connections> = (0..options.threads)
        .map(|_| options.targets.iter().map(|_| None).collect())
        .collect();
    let mut tallies: Vec<Tally> = options.targets.iter().map(|_| Tally::default()).collect();
    let numbers = AtomicU64::new(options.first);
    let rounds = if options.count.is_some() {
        0..1
    } else {
        0..options.rounds + 1
    };
    for round in rounds {
        for (place, target) in options.targets.iter().enumerate() {
            let tally = slice(options, target, place, &mut workers, &numbers);
            // The first round opens connections and fills caches.
            if round > 0 || options.count.is_some() {
                tallies[place].add(tally);
            }
        }
    }
    tallies
}

/// One slice of time, or all of the counted requests, with one target.
fn slice(
    options: &Options,
    target: &Target,
    place: usize,
    workers: &mut [Connections],
    numbers: &AtomicU64,
) -> Tally {
    let begin = Instant::now() + LEAD;
    let sent = AtomicU64::new(0);
    let whole = Mutex::new(Tally::default());
    thread::scope(|scope| {
        for connections in workers {
            let connection = &mut connections[place];
            let (sent, whole) = (&sent, &whole);
            let work = move || {
                let mut tally = Tally::default();
                while let Continue(due) = options.due(begin, sent.fetch_add(1, Ordering::Relaxed)) {
                    let number = numbers.fetch_add(1, Ordering::Relaxed);
                    one(options, target, connection, number, due, &mut tally);
                }
                whole.lock().unwrap().add(tally);
            };
            let thread = thread::Builder::new().stack_size(STACK);
            thread.spawn_scoped(scope, work).unwrap();
        }
    });
    let mut tally = whole.into_inner().unwrap();
    tally.took = begin.elapsed();
    tally
}

fn one(
    options: &Options,
    target: &Target,
    connection: &mut Option<Connection>,
    number: u64,
    due: Option<Instant>,
    tally: &mut Tally,
) {
    if let Some(due) = due {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        tally.late += u64::from(due.elapsed() > LATE);
    }
    let began = due.unwrap_or_else(Instant::now);
    let request = target.request(number, options);
    let reply = match connection
        .take()
        .map_or_else(|| Connection::open(target), Ok)
    {
        Ok(mut open) => {
            let reply = open.exchange(&request);
            if reply.can_go_on {
                *connection = Some(open);
            }
            reply
        }
        Err(_) => Reply::default(),
    };
    tally.note(began.elapsed(), &reply, target.stream);
    if let Some(file) = &options.keep {
        seen::keep(file, number, &reply);
    }
}

/// Opens many streams, one after the other, and waits for all of them.
fn idle(options: &Options) -> Tally {
    let target = &options.targets[0];
    let begin = Instant::now();
    let whole = Mutex::new(Tally::default());
    thread::scope(|scope| {
        for number in 0..options.streams {
            let whole = &whole;
            let work = move || {
                let mut tally = Tally::default();
                let (mut connection, due) = (None, Some(Instant::now()));
                one(options, target, &mut connection, number, due, &mut tally);
                whole.lock().unwrap().add(tally);
            };
            let thread = thread::Builder::new().stack_size(STACK);
            thread.spawn_scoped(scope, work).unwrap();
            thread::sleep(Duration::from_millis(1));
        }
    });
    let mut tally = whole.into_inner().unwrap();
    tally.took = begin.elapsed();
    tally
}
