//! What all calls of a model share: the desk behind its lock, and the guards that give back what a
//! call took, even when it is dropped in the middle.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::desk::{Desk, Given, Telling, Turn};
use super::in_words::in_words;
use super::law::{Refusal, Sent, Why};
use super::{DispatchOptions, Replica};
use crate::model::pace::Pace;
use crate::model::traffic::{EndpointState, EndpointStatus, InFlight, Lane, Traffic, TrafficEvent};
use crate::model::{Concurrency, ModelError, Origin};

#[derive(Debug)]
pub(super) struct Shared {
    model: String,
    desk: Mutex<Desk>,
    paces: Vec<Arc<Pace>>,
    began: Instant,
    patience: Duration,
    has_answered: AtomicBool,
    traffic: Arc<Traffic>,
}

impl Shared {
    pub(super) fn new(
        replicas: &[Replica],
        options: &DispatchOptions,
        traffic: &Arc<Traffic>,
    ) -> Arc<Self> {
        let addresses = replicas.iter().map(|replica| replica.address.clone());
        let mut desk = Desk::new(addresses.collect(), options.concurrency);
        desk.paused = traffic.is_paused();
        desk.last_stretch = traffic.is_last_stretch();
        Arc::new(Self {
            model: replicas[0].model.name().to_owned(),
            desk: Mutex::new(desk),
            paces: replicas
                .iter()
                .map(|replica| Arc::clone(&replica.pace))
                .collect(),
            began: Instant::now(),
            patience: options.outage_patience,
            has_answered: AtomicBool::new(false),
            traffic: Arc::clone(traffic),
        })
    }

    pub(super) fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    pub(super) fn is_set_aside(&self, replica: usize) -> bool {
        self.desk().replicas[replica].health.is_aside()
    }

    /// Whether another replica than this one answers.
    pub(super) fn has_sibling(&self, replica: usize) -> bool {
        let desk = self.desk();
        let mut others = desk.replicas.iter().enumerate();
        others.any(|(index, other)| index != replica && !other.health.is_aside())
    }

    /// A place for a call; waits until there is one.
    pub(super) async fn place(
        self: &Arc<Self>,
        origin: Origin,
        besides: Option<usize>,
    ) -> Result<Place, ModelError> {
        let mut seat = {
            let mut desk = self.desk();
            if let Some(replica) = desk.place(origin, besides) {
                return Ok(self.taken(replica));
            }
            let (turn, told) = desk.wait(origin);
            // When it alone was left out above, and nobody else will ever free a place.
            let tell = if besides.is_some() {
                desk.deal_all()
            } else {
                Vec::new()
            };
            drop(desk);
            let seat = Seat {
                shared: self,
                turn,
                told,
            };
            self.tell(tell);
            seat
        };
        let given = (&mut seat.told).await;
        match given {
            Ok(Ok(replica)) => Ok(self.taken(replica)),
            Ok(Err(why)) => Err(ModelError::Outage {
                model: self.model.clone(),
                waited: self.patience,
                why,
            }),
            Err(_) => Err(ModelError::Other("the model is shut down".to_owned())),
        }
    }

    fn taken(self: &Arc<Self>, replica: usize) -> Place {
        Place {
            shared: Arc::clone(self),
            replica,
            keeping: AtomicBool::new(false),
        }
    }

    fn give_back(&self, replica: usize) {
        let mut tell = Vec::new();
        {
            let mut desk = self.desk();
            desk.replicas[replica].in_use -= 1;
            desk.deal(replica, &mut tell);
        }
        self.tell(tell);
    }

    /// Tells waiting calls what they are given; what nobody takes any more is given back.
    fn tell(&self, calls: Vec<Telling>) {
        for (sender, given) in calls {
            if let Err(Ok(replica)) = sender.send(given) {
                self.desk().replicas[replica].health.probe_lost();
                self.give_back(replica);
            }
        }
    }

    /// The replica said something: it is there, even if it was set aside.
    fn take_back(&self, index: usize) {
        let (address, tell) = {
            let mut desk = self.desk();
            let replica = &mut desk.replicas[index];
            if !replica.health.answered() {
                return;
            }
            replica.law.restart();
            let address = replica.address.clone();
            desk.move_house();
            (address, desk.deal_all())
        };
        self.tell(tell);
        self.traffic.tell(&TrafficEvent::TakenBack {
            model: self.model.clone(),
            address,
        });
    }

    fn deal_all(&self) {
        let tell = self.desk().deal_all();
        self.tell(tell);
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_limit(&self, address: String, limit: usize, why: Why) {
        self.traffic.tell(&TrafficEvent::Limit {
            model: self.model.clone(),
            address,
            limit,
            why,
        });
    }

    /// Lets a probe through now and then, until the replica answers.
    async fn probe(shared: Weak<Self>, replica: usize) {
        let mut wait = Duration::from_secs(1);
        loop {
            sleep(wait).await;
            let Some(shared) = shared.upgrade() else {
                return;
            };
            let Some(next) = shared.probe_due(replica) else {
                return;
            };
            wait = next;
        }
    }

    fn probe_due(&self, replica: usize) -> Option<Duration> {
        let mut tell = Vec::new();
        let next = {
            let mut desk = self.desk();
            let next = desk.replicas[replica].health.probe_due()?;
            if let Some((since, why)) = desk.outage()
                && self.now().saturating_sub(since) >= self.patience
            {
                tell.extend(desk.give_up(&why));
            }
            desk.deal(replica, &mut tell);
            next
        };
        self.tell(tell);
        Some(next)
    }
}

impl Lane for Shared {
    fn endpoints(&self) -> Vec<EndpointStatus> {
        let desk = self.desk();
        let status = |(replica, pace): (&super::desk::Replica, &Arc<Pace>)| EndpointStatus {
            model: self.model.clone(),
            address: replica.address.clone(),
            limit: replica.law.limit(),
            in_flight: replica.law.in_flight(),
            waiting: replica.waiting(),
            state: match replica.health.aside() {
                Some((_, why)) => EndpointState::SetAside {
                    why: why.to_owned(),
                },
                None if pace.is_holding() => EndpointState::Paced,
                None => match replica.trouble() {
                    Some(why) => EndpointState::Failing {
                        why: why.to_owned(),
                    },
                    None if replica.law.is_starting() => EndpointState::Starting,
                    None => EndpointState::Steady,
                },
            },
            answered: replica.answered,
            failed: replica.failed,
            latency_ms: u64::try_from(replica.law.latency().as_millis()).unwrap_or(u64::MAX),
        };
        desk.replicas.iter().zip(&self.paces).map(status).collect()
    }

    fn limit(&self) -> usize {
        let desk = self.desk();
        desk.replicas
            .iter()
            .map(|replica| replica.law.limit())
            .sum()
    }

    fn set_concurrency(&self, concurrency: Concurrency) {
        for replica in &mut self.desk().replicas {
            replica.law.set_concurrency(concurrency);
        }
        self.deal_all();
    }

    fn look_again(&self) {
        {
            let mut desk = self.desk();
            desk.paused = self.traffic.is_paused();
            desk.last_stretch = self.traffic.is_last_stretch();
        }
        self.deal_all();
    }
}

/// A call that waits for a place.
struct Seat<'a> {
    shared: &'a Arc<Shared>,
    turn: Turn,
    told: oneshot::Receiver<Given>,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        // Only who was not served is still in the queue, or has been told and did not listen.
        self.told.close();
        match self.told.try_recv() {
            Ok(Ok(replica)) => {
                self.shared.desk().replicas[replica].health.probe_lost();
                self.shared.give_back(replica);
            }
            Ok(Err(_)) => {}
            Err(_) => self.shared.desk().leave(self.turn),
        }
    }
}

/// A place at a replica, given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    shared: Arc<Shared>,
    replica: usize,
    /// Whether its call has a reply.
    keeping: AtomicBool,
}

impl Place {
    pub(super) fn replica(&self) -> usize {
        self.replica
    }

    /// Counts the call as one that waits for the pace.
    pub(super) fn pacing(&self) -> Pacing<'_> {
        self.shared.desk().replicas[self.replica].pacing += 1;
        Pacing(self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if *self.keeping.get_mut() {
            self.shared.desk().replicas[self.replica].keeping -= 1;
        }
        self.shared.give_back(self.replica);
    }
}

/// A call that waits for the pace.
pub(super) struct Pacing<'a>(&'a Place);

impl Drop for Pacing<'_> {
    fn drop(&mut self) {
        self.0.shared.desk().replicas[self.0.replica].pacing -= 1;
    }
}

/// A call on its way; says how it ended, if only that it was dropped.
pub(super) struct Flight<'a> {
    place: &'a Place,
    sent: Option<Sent>,
    _counted: InFlight,
}

impl<'a> Flight<'a> {
    pub(super) fn begin(place: &'a Place) -> Self {
        let shared = &place.shared;
        let sent = shared.desk().replicas[place.replica].law.sent(shared.now());
        Self {
            place,
            sent: Some(sent),
            _counted: shared.traffic.begin(),
        }
    }

    /// The call has a reply.
    pub(super) fn answered(mut self) {
        let (shared, index) = (&self.place.shared, self.place.replica);
        let mut tell = Vec::new();
        let change = {
            let mut desk = shared.desk();
            let now = shared.now();
            let replica = &mut desk.replicas[index];
            replica.has_replied();
            let busy = replica.in_use - replica.pacing - replica.keeping;
            replica.keeping += 1;
            let before = replica.law.limit();
            let why = self
                .sent
                .take()
                .and_then(|sent| replica.law.replied(now, sent, busy));
            let limit = replica.law.limit();
            let change = why.map(|why| (replica.address.clone(), limit, why));
            if limit > before || desk.replicas[index].law.spare() > 0 {
                desk.deal(index, &mut tell);
            }
            change
        };
        self.place.keeping.store(true, Ordering::Relaxed);
        shared.has_answered.store(true, Ordering::Relaxed);
        shared.tell(tell);
        shared.take_back(index);
        if let Some((address, limit, why)) = change {
            shared.tell_limit(address, limit, why);
        }
    }

    /// The server put the call off.
    pub(super) fn refused(mut self, pace: &Pace, sent_at: Instant, error: &ModelError) {
        let ModelError::Status {
            retry_after,
            status,
            ..
        } = error
        else {
            return;
        };
        let (shared, index) = (&self.place.shared, self.place.replica);
        let why = in_words(error);
        let (refusal, change, address) = {
            let mut desk = shared.desk();
            let now = shared.now();
            let replica = &mut desk.replicas[index];
            replica.came_to_nothing(&why);
            if *status != 429 && replica.health.is_aside() {
                replica.health.failed(now, true, "HTTP 503");
            }
            let before = replica.law.limit();
            let refusal = self.sent.take().map(|sent| replica.law.refused(now, sent));
            let limit = replica.law.limit();
            (
                refusal,
                (limit != before).then_some(limit),
                replica.address.clone(),
            )
        };
        if *status == 429 {
            shared.take_back(index);
        }
        let wait = match refusal {
            Some(Refusal::Rate) if *status == 429 => pace.refused(sent_at, *retry_after),
            _ => retry_after.unwrap_or_default(),
        };
        shared.traffic.tell(&TrafficEvent::Throttled {
            model: shared.model.clone(),
            address: address.clone(),
            wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
        });
        if let Some(limit) = change {
            shared.tell_limit(address, limit, "the server refused calls");
        }
    }

    /// The call failed as it does where nothing works.
    pub(super) fn failed(mut self, error: &ModelError) {
        let (shared, index) = (&self.place.shared, self.place.replica);
        let why = in_words(error);
        // A server that hangs takes so long for each call that nobody can wait until all gave up.
        let may_set_aside = (is_hung(error) || shared.has_answered.load(Ordering::Relaxed))
            && (!shared.patience.is_zero() || shared.has_sibling(index));
        let (is_aside, change, address, tell) = {
            let mut desk = shared.desk();
            let now = shared.now();
            let replica = &mut desk.replicas[index];
            replica.came_to_nothing(&why);
            let is_aside = replica.health.failed(now, may_set_aside, &why);
            let change = self.sent.take().and_then(|sent| match error {
                ModelError::Timeout { .. } | ModelError::Status { .. } => {
                    replica.law.failed(now, sent)
                }
                _ => {
                    replica.law.ended(now);
                    None
                }
            });
            let change = change.map(|why| (replica.law.limit(), why));
            let address = replica.address.clone();
            let tell = if is_aside {
                desk.move_house();
                desk.deal_all()
            } else {
                Vec::new()
            };
            (is_aside, change, address, tell)
        };
        shared.tell(tell);
        if let Some((limit, why)) = change {
            shared.tell_limit(address.clone(), limit, why);
        }
        if is_aside {
            tokio::spawn(Shared::probe(Arc::downgrade(shared), index));
            shared.traffic.tell(&TrafficEvent::SetAside {
                model: shared.model.clone(),
                address,
                why,
            });
        }
    }

    /// The call failed, and the server did its work.
    pub(super) fn answered_otherwise(self) {
        let shared = &self.place.shared;
        shared.desk().replicas[self.place.replica].failed += 1;
        shared.take_back(self.place.replica);
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        if self.sent.take().is_some() {
            let shared = &self.place.shared;
            let mut desk = shared.desk();
            let now = shared.now();
            let replica = &mut desk.replicas[self.place.replica];
            replica.law.ended(now);
            replica.health.probe_lost();
            shared.traffic.budget().count_unpriced();
        }
    }
}

/// Whether a server took a call, and nothing came of it in time.
fn is_hung(error: &ModelError) -> bool {
    matches!(error, ModelError::Timeout { .. }) && !error.is_not_connected()
}
