//! Following a store's log: what was erased is forgotten, and what people reviewed is marked.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::catch_up::{PAGE, take};
use super::take_in::{Taken, Trace};
use super::{Extractor, Index, IndexError, renew};
use crate::record::RecordId;
use crate::store::{EventEntry, LoggedEvent, Store};

/// What an event says about a record's transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    /// Its payload was erased.
    Erased,
    /// Somebody reviewed it.
    Reviewed,
}

/// Takes in what the store's log says since the last look, below a leaf: transcripts that events below it
/// are about have been taken in.
pub(super) async fn follow_log(
    index: &Arc<Index>,
    store: &dyn Store,
    extract: Extractor,
    below: u64,
) -> Result<(), IndexError> {
    let mut from = index.source()?.map_or(0, |(_, looked)| looked);
    loop {
        let mut events = store.events(from, PAGE).await?;
        events.retain(|event| event.index < below);
        let Some(last) = events.last() else {
            return Ok(());
        };
        let mut erased = Vec::new();
        for (run, record) in records(&events, Said::Erased) {
            erased.extend(index.item(&run, &record)?);
        }
        renew(index, store, extract, &erased).await?;
        mark(index, store, extract, records(&events, Said::Reviewed)).await?;
        from = last.index + 1;
        index.looked_through(from)?;
    }
}

/// Marks items of which the log says that somebody reviewed their record.
async fn mark(
    index: &Arc<Index>,
    store: &dyn Store,
    extract: Extractor,
    records: impl Iterator<Item = (String, String)>,
) -> Result<(), IndexError> {
    let mut runs: BTreeMap<String, BTreeMap<i64, Taken>> = BTreeMap::new();
    for (run, record) in records {
        let item = index.item(&run, &record)?;
        let Some(item) = item.filter(|item| !item.facts.reviewed) else {
            continue;
        };
        let now = store.transcript(&run, &RecordId::new(record)).await?;
        let Some(stored) = now.filter(|stored| stored.position == item.position) else {
            continue;
        };
        let mut taken = take(&stored, extract);
        taken.extract.facts.reviewed = true;
        runs.entry(run).or_default().insert(item.position, taken);
    }
    for (run, marked) in runs {
        let index = Arc::clone(index);
        let replaced = tokio::task::spawn_blocking(move || {
            let (places, instead): (Vec<i64>, Vec<Taken>) = marked.into_iter().unzip();
            index.replace(&run, &places, &instead, Trace::Words)
        });
        replaced.await.map_err(IndexError::from)??;
    }
    Ok(())
}

/// The runs and records of which events say something.
fn records(events: &[LoggedEvent], wanted: Said) -> impl Iterator<Item = (String, String)> {
    events.iter().filter_map(move |event| {
        let (said, run, record) = about(&event.entry)?;
        (said == wanted).then_some((run, record))
    })
}

fn about(entry: &[u8]) -> Option<(Said, String, String)> {
    let event: EventEntry = serde_json::from_slice(entry).ok()?;
    let said = if event.more.contains_key("erases") {
        Said::Erased
    } else if event.event == "review" {
        Said::Reviewed
    } else {
        return None;
    };
    let record = event.more.get("record")?.as_str()?.to_owned();
    Some((said, event.run?, record))
}
