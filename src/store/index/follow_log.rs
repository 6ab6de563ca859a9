//! Following a store's log: what was erased is forgotten, and what people reviewed is marked.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::catch_up::{PAGE, take};
use super::take_in::{Taken, Trace};
use super::{Extractor, Index, IndexError, renew};
use crate::record::RecordId;
use crate::store::{ERASED, EventEntry, LoggedEvent, Store, StoredTranscript};

/// What an event says about a record.
struct Said {
    run: String,
    record: String,
    /// The digest of the transcript that somebody reviewed; absent: its payload was erased.
    reviewed: Option<String>,
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
        let mut reviewed = Vec::new();
        for said in events.iter().filter_map(said) {
            match &said.reviewed {
                None => erased.extend(index.item(&said.run, &said.record)?),
                Some(_) => reviewed.push(said),
            }
        }
        renew(index, store, extract, &erased).await?;
        mark(index, store, extract, reviewed).await?;
        from = last.index + 1;
        index.looked_through(from)?;
    }
}

/// Marks items whose transcript somebody reviewed; a review of one that was taken back says nothing of the
/// one that took its place.
async fn mark(
    index: &Arc<Index>,
    store: &dyn Store,
    extract: Extractor,
    reviewed: Vec<Said>,
) -> Result<(), IndexError> {
    let mut runs: BTreeMap<String, BTreeMap<i64, Taken>> = BTreeMap::new();
    for said in reviewed {
        let item = index.item(&said.run, &said.record)?;
        let Some(item) = item.filter(|item| !item.facts.reviewed) else {
            continue;
        };
        let record = RecordId::new(said.record.clone());
        let now = store.transcript(&said.run, &record).await?;
        let Some(stored) =
            now.filter(|stored| stored.position == item.position && is_about(&said, stored))
        else {
            continue;
        };
        let mut taken = take(&stored, extract);
        taken.extract.facts.reviewed = true;
        runs.entry(said.run)
            .or_default()
            .insert(item.position, taken);
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

/// Whether a review is about this transcript; of an erased one only its record is known.
fn is_about(said: &Said, stored: &StoredTranscript) -> bool {
    let sealed = &stored.row.sealed;
    sealed.content == ERASED || said.reviewed == Some(sealed.digest.to_string())
}

fn said(event: &LoggedEvent) -> Option<Said> {
    let event: EventEntry = serde_json::from_slice(&event.entry).ok()?;
    let text = |name: &str| Some(event.more.get(name)?.as_str()?.to_owned());
    let reviewed = if event.more.contains_key("erases") {
        None
    } else if event.event == "review" {
        Some(text("transcript")?)
    } else {
        return None;
    };
    Some(Said {
        record: text("record")?,
        reviewed,
        run: event.run?,
    })
}
