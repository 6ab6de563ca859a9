//! What the events of a log say, gathered before its leaves are looked at.

use std::collections::{BTreeMap, HashMap};

use crate::digest::Digest;
use crate::store::{EventEntry, Store, StoreError};

/// How many events are read at a time.
const PAGE: usize = 4096;

/// What the events say.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The leaves whose payload is gone.
    pub(super) gone: HashMap<u64, Gone>,
    /// What happened to each run.
    pub(super) runs: BTreeMap<String, RunFacts>,
    /// The event that gave older transcripts their leaves: how many, and when.
    pub(super) adopted: Option<(u64, String)>,
}

/// Why a payload is gone.
#[derive(Clone, Copy, Debug)]
pub(super) enum Gone {
    /// It was erased, and this is the digest of its tombstone.
    Erased(Option<Digest>),
    /// Its record was done again.
    Withdrawn,
}

/// What happened to a run.
#[derive(Debug, Default)]
pub(super) struct RunFacts {
    /// How it began.
    pub(super) began: Option<EventEntry>,
    /// How it ended last, and at which leaf.
    pub(super) ended: Option<(u64, EventEntry)>,
    /// How many of its transcripts were taken out.
    pub(super) withdrawn: u64,
    /// The last leaf that took one out.
    pub(super) last_withdrawal: Option<u64>,
}

/// Gathers the events below a leaf. What cannot be read as an event is passed over: its leaf is looked at
/// like every other.
pub(super) async fn gather(store: &dyn Store, size: u64) -> Result<Facts, StoreError> {
    let mut facts = Facts::default();
    let mut from = 0;
    loop {
        let events = store.events(from, PAGE).await?;
        let Some(last) = events.last() else {
            return Ok(facts);
        };
        from = last.index + 1;
        for logged in events.into_iter().filter(|logged| logged.index < size) {
            if let Ok(event) = serde_json::from_slice::<EventEntry>(&logged.entry) {
                facts.take(logged.index, event);
            }
        }
    }
}

impl Facts {
    fn take(&mut self, index: u64, event: EventEntry) {
        let number = |name: &str| event.more.get(name)?.as_u64();
        match event.event.as_str() {
            "adopted" => {
                if let Some(leaves) = number("leaves") {
                    self.adopted = Some((leaves, event.at));
                }
            }
            "erased" => {
                let tombstone = event
                    .more
                    .get("tombstone")
                    .and_then(|digest| digest.as_str());
                let tombstone = tombstone.and_then(|digest| digest.parse().ok());
                if let Some(leaf) = number("erases") {
                    self.gone.insert(leaf, Gone::Erased(tombstone));
                }
            }
            kind => {
                let Some(run) = event.run.clone() else { return };
                let leaf = number("withdraws");
                let run = self.runs.entry(run).or_default();
                match kind {
                    "began" => run.began = Some(event),
                    "ended" => run.ended = Some((index, event)),
                    "withdrawn" => {
                        run.withdrawn += 1;
                        run.last_withdrawal = Some(index);
                        if let Some(leaf) = leaf {
                            self.gone.insert(leaf, Gone::Withdrawn);
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}
