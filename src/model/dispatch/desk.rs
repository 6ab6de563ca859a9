//! The places of all replicas of a model, and the calls that wait for one.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::oneshot;

use super::health::Health;
use super::home;
use super::law::Law;
use crate::model::{Concurrency, Origin};

/// So many requests in a row that come to nothing are told.
const FRUITLESS: u64 = 5;

/// The order of waiting calls: the place of the record, then who came first.
pub(super) type Turn = (u64, u64);

/// How a waiting call is told: the replica at which it has a place, or that nobody answers.
pub(super) type Given = Result<usize, String>;

/// A waiting call that is to be told.
pub(super) type Telling = (oneshot::Sender<Given>, Given);

#[derive(Debug)]
struct Waiting {
    home: u64,
    tell: oneshot::Sender<Given>,
}

/// One replica: its limit, its places and who waits for them.
#[derive(Debug)]
pub(super) struct Replica {
    pub(super) address: String,
    pub(super) law: Law,
    pub(super) health: Health,
    /// Places given and not given back.
    pub(super) in_use: usize,
    /// Of these, the calls that wait for the pace.
    pub(super) pacing: usize,
    /// Of these, the calls that have a reply which is on its way to the disk.
    pub(super) keeping: usize,
    pub(super) answered: u64,
    pub(super) failed: u64,
    /// How many requests in a row came to nothing, put off or failed, and why the last one did.
    fruitless: (u64, String),
    seed: u64,
    waiting: BTreeMap<Turn, Waiting>,
}

impl Replica {
    fn has_room(&self) -> bool {
        if self.health.is_aside() {
            return self.health.wants_probe();
        }
        self.in_use < self.law.limit() + self.keeping.min(self.law.spare())
    }

    fn take_place(&mut self) {
        self.in_use += 1;
        self.health.probe_sent();
    }

    /// A request came to nothing.
    pub(super) fn came_to_nothing(&mut self, why: &str) {
        self.failed += 1;
        self.fruitless.0 += 1;
        why.clone_into(&mut self.fruitless.1);
    }

    /// A request has a reply.
    pub(super) fn has_replied(&mut self) {
        self.answered += 1;
        self.fruitless.0 = 0;
    }

    /// Why the last request came to nothing, where so many did that it is no chance.
    pub(super) fn trouble(&self) -> Option<&str> {
        (self.fruitless.0 >= FRUITLESS).then_some(self.fruitless.1.as_str())
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

/// All replicas under one lock.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) replicas: Vec<Replica>,
    /// Nothing is given while this holds.
    pub(super) paused: bool,
    /// The youngest records first: they have the longest way to go.
    pub(super) last_stretch: bool,
    arrivals: u64,
}

impl Desk {
    pub(super) fn new(addresses: Vec<String>, concurrency: Concurrency) -> Self {
        let replicas = addresses
            .into_iter()
            .map(|address| Replica {
                law: Law::new(concurrency),
                health: Health::default(),
                in_use: 0,
                pacing: 0,
                keeping: 0,
                answered: 0,
                failed: 0,
                fruitless: (0, String::new()),
                seed: home::seed(&address),
                waiting: BTreeMap::new(),
                address,
            })
            .collect();
        Self {
            replicas,
            paused: false,
            last_stretch: false,
            arrivals: 0,
        }
    }

    /// A place at once: at home, or else where the load is least. `besides` is a replica that just
    /// failed this call.
    pub(super) fn place(&mut self, origin: Origin, besides: Option<usize>) -> Option<usize> {
        if self.paused {
            return None;
        }
        let home = self.home(origin.home);
        let replica = if self.replicas[home].has_room() && Some(home) != besides {
            home
        } else {
            let free = self.replicas.iter().enumerate().filter(|(index, replica)| {
                Some(*index) != besides && !replica.health.is_aside() && replica.has_room()
            });
            free.min_by_key(|(_, replica)| replica.in_use * 1000 / replica.law.limit())
                .map(|(index, _)| index)?
        };
        self.replicas[replica].take_place();
        Some(replica)
    }

    /// Lets a call wait. It is told of its place; `home` and turn say where it waits.
    pub(super) fn wait(&mut self, origin: Origin) -> (Turn, oneshot::Receiver<Given>) {
        let (tell, told) = oneshot::channel();
        self.arrivals += 1;
        let turn = (origin.place, self.arrivals);
        let home = self.home(origin.home);
        let waiting = Waiting {
            home: origin.home,
            tell,
        };
        self.replicas[home].waiting.insert(turn, waiting);
        (turn, told)
    }

    /// A waiting call is dropped.
    pub(super) fn leave(&mut self, turn: Turn) {
        for replica in &mut self.replicas {
            if replica.waiting.remove(&turn).is_some() {
                return;
            }
        }
    }

    /// Gives the free places of one replica to waiting calls.
    pub(super) fn deal(&mut self, replica: usize, tell: &mut Vec<Telling>) {
        while !self.paused && self.replicas[replica].has_room() {
            let Some(waiting) = self.next(replica) else {
                return;
            };
            self.replicas[replica].take_place();
            tell.push((waiting.tell, Ok(replica)));
        }
    }

    pub(super) fn deal_all(&mut self) -> Vec<Telling> {
        let mut tell = Vec::new();
        for replica in 0..self.replicas.len() {
            self.deal(replica, &mut tell);
        }
        tell
    }

    /// The calls that waited for a replica which was set aside, or taken back, find a home anew.
    pub(super) fn move_house(&mut self) {
        let calls: Vec<_> = self
            .replicas
            .iter_mut()
            .flat_map(|replica| std::mem::take(&mut replica.waiting))
            .collect();
        for (turn, waiting) in calls {
            let home = self.home(waiting.home);
            self.replicas[home].waiting.insert(turn, waiting);
        }
    }

    /// Since when no replica answers, with the last failure; nothing while one does.
    pub(super) fn outage(&self) -> Option<(Duration, String)> {
        let mut latest = None;
        for replica in &self.replicas {
            let (since, why) = replica.health.aside()?;
            if latest.as_ref().is_none_or(|(known, _)| *known < since) {
                latest = Some((since, why.to_owned()));
            }
        }
        latest
    }

    /// Tells all waiting calls that nobody answers.
    pub(super) fn give_up(&mut self, why: &str) -> Vec<Telling> {
        let waiting = self
            .replicas
            .iter_mut()
            .flat_map(|replica| std::mem::take(&mut replica.waiting));
        waiting
            .map(|(_, waiting)| (waiting.tell, Err(why.to_owned())))
            .collect()
    }

    /// Where a record is at home: among the replicas that answer, if any does.
    fn home(&self, record: u64) -> usize {
        let all = || self.replicas.iter().enumerate();
        let answering = all().filter(|(_, replica)| !replica.health.is_aside());
        home::home(
            record,
            answering.map(|(index, replica)| (index, replica.seed)),
        )
        .or_else(|| home::home(record, all().map(|(index, replica)| (index, replica.seed))))
        .unwrap_or(0)
    }

    /// The call that a free place of a replica goes to: one that is at home there, or else any.
    fn next(&mut self, replica: usize) -> Option<Waiting> {
        let own = self.first_turn(replica).map(|_| replica);
        let holder = own.or_else(|| {
            let turns =
                (0..self.replicas.len()).filter_map(|index| Some((self.first_turn(index)?, index)));
            if self.last_stretch {
                turns.max().map(|(_, index)| index)
            } else {
                turns.min().map(|(_, index)| index)
            }
        })?;
        let waiting = &mut self.replicas[holder].waiting;
        let (_, call) = if self.last_stretch {
            waiting.pop_last()?
        } else {
            waiting.pop_first()?
        };
        Some(call)
    }

    fn first_turn(&self, replica: usize) -> Option<Turn> {
        let waiting = &self.replicas[replica].waiting;
        let first = if self.last_stretch {
            waiting.last_key_value()
        } else {
            waiting.first_key_value()
        };
        first.map(|(turn, _)| *turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desk(replicas: usize, limit: usize) -> Desk {
        let addresses = (0..replicas).map(|index| format!("http://gpu-{index}/v1"));
        Desk::new(addresses.collect(), Concurrency::Fixed(limit))
    }

    fn origin(home: u64, place: u64) -> Origin {
        Origin { home, place }
    }

    /// Records whose home is this replica.
    fn homed(desk: &Desk, replica: usize) -> Vec<u64> {
        (0..100)
            .filter(|record| desk.home(*record) == replica)
            .collect()
    }

    #[test]
    fn older_records_come_first_and_on_the_last_stretch_younger_ones() {
        let mut desk = desk(1, 1);
        assert_eq!(desk.place(origin(0, 0), None), Some(0));
        let mut told: Vec<_> = [3, 1, 2]
            .map(|place| (place, desk.wait(origin(0, place)).1))
            .into();
        let mut served = |desk: &mut Desk| {
            desk.replicas[0].in_use -= 1;
            let mut tell = Vec::new();
            desk.deal(0, &mut tell);
            for (sender, given) in tell {
                assert!(sender.send(given).is_ok());
            }
            let index = told
                .iter_mut()
                .position(|(_, told)| told.try_recv().is_ok());
            told.remove(index.expect("one was served")).0
        };
        assert_eq!(served(&mut desk), 1);
        desk.last_stretch = true;
        assert_eq!(served(&mut desk), 3);
        assert_eq!(served(&mut desk), 2);
    }

    #[test]
    fn a_call_goes_home_and_elsewhere_only_when_home_is_full() {
        let mut desk = desk(3, 2);
        let record = origin(homed(&desk, 1)[0], 0);
        assert_eq!(desk.place(record, None), Some(1));
        assert_eq!(desk.place(record, None), Some(1));
        let elsewhere = desk.place(record, None).expect("there is room");
        assert_ne!(elsewhere, 1);
        assert_ne!(
            desk.place(record, None),
            Some(elsewhere),
            "the least loaded"
        );
    }

    #[test]
    fn a_free_place_goes_to_who_is_at_home_there_before_older_records() {
        let mut desk = desk(2, 1);
        let (here, there) = (homed(&desk, 0)[0], homed(&desk, 1)[0]);
        assert!(desk.place(origin(here, 0), None).is_some());
        assert!(desk.place(origin(there, 0), None).is_some());
        let (_, mut older) = desk.wait(origin(there, 1));
        let (_, mut at_home) = desk.wait(origin(here, 2));
        for expected in [true, false] {
            desk.replicas[0].in_use = 0;
            let mut tell = Vec::new();
            desk.deal(0, &mut tell);
            let (sender, given) = tell.pop().expect("one is served");
            assert_eq!(given, Ok(0));
            let _ = sender.send(given);
            assert_eq!(at_home.try_recv().is_ok(), expected);
            assert_eq!(older.try_recv().is_ok(), !expected);
        }
    }

    #[test]
    fn nothing_is_given_while_paused_and_who_leaves_is_not_served() {
        let mut desk = desk(1, 1);
        desk.paused = true;
        assert_eq!(desk.place(origin(0, 0), None), None);
        let (turn, _told) = desk.wait(origin(0, 0));
        assert!(desk.deal_all().is_empty());
        desk.paused = false;
        desk.leave(turn);
        assert!(desk.deal_all().is_empty());
        assert_eq!(desk.replicas[0].in_use, 0);
    }
}
