//! Following a store: what was sealed since is taken in, what is gone is forgotten.

use std::sync::Arc;

use super::follow_log::follow_log;
use super::take_in::{Known, Taken, Trace};
use super::{Extract, Index, IndexError, Item};
use crate::store::{RunRow, RunState, Store, StoredTranscript};

/// How many transcripts are read at a time.
pub(super) const PAGE: usize = 512;
/// A transaction ends at so many transcripts, or so much text: each one writes the words it has met
/// in one piece, and many small pieces are slow to write and to search.
const BATCH: usize = 16 * 1024;
const BATCH_BYTES: usize = 24 << 20;
/// How many positions are compared at a time.
const POSITIONS: usize = 64 * 1024;

/// Makes of a stored transcript what the index takes in; one that cannot be read has facts, too.
pub type Extractor = fn(&StoredTranscript) -> Extract;

/// How far the index is behind its store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Transcripts taken in so far.
    pub done: u64,
    /// Transcripts in the store, as far as known.
    pub total: u64,
}

/// Brings the index to where the store is. Processes that do this at once do it together.
///
/// # Errors
///
/// When the store cannot be read, or the index not written.
pub async fn catch_up(
    index: &Arc<Index>,
    store: &dyn Store,
    extract: Extractor,
    report: &(dyn Fn(Progress) + Sync),
) -> Result<(), IndexError> {
    let log = store.log_id().await?;
    if index.source()?.is_none_or(|(known, _)| known != log) {
        index.begin_anew(&log)?;
    }
    let below = store.log_size().await?;
    let rows = store.runs().await?;
    let mut known = index.known()?;
    let mut progress = Progress {
        done: known.values().map(|known| known.count).sum(),
        total: rows.iter().map(|row| row.sealed).sum(),
    };
    report(progress);
    for row in &rows {
        let begin = known.remove(&row.run.name).unwrap_or_default();
        let reached = follow(index, store, extract, row, begin, &mut progress, report).await?;
        forget_gone(index, store, &row.run.name, reached.count).await?;
    }
    follow_log(index, store, extract, below).await?;
    forget_words(index).await
}

/// Takes in a run from where it was left.
async fn follow(
    index: &Arc<Index>,
    store: &dyn Store,
    extract: Extractor,
    row: &RunRow,
    mut known: Known,
    progress: &mut Progress,
    report: &(dyn Fn(Progress) + Sync),
) -> Result<Known, IndexError> {
    let (run, started) = (&row.run.name, &row.run.started);
    let (mut batch, mut more) = read(store, extract, run, known.last).await?;
    while !batch.is_empty() {
        let taken = batch.len() as u64;
        let end = batch.last().map_or(known.last, |last| last.position);
        let writing = {
            let (index, run, started) = (Arc::clone(index), run.clone(), started.clone());
            tokio::task::spawn_blocking(move || index.take_in(&run, &started, known.last, &batch))
        };
        let reading = async {
            if more {
                read(store, extract, run, end).await
            } else {
                Ok((Vec::new(), false))
            }
        };
        let (written, read_on) = tokio::join!(writing, reading);
        known = written.map_err(IndexError::from)??;
        progress.done += taken;
        progress.total = progress.total.max(progress.done);
        report(*progress);
        (batch, more) = if known.last == end {
            read_on?
        } else {
            // Another process has taken in more meanwhile.
            read(store, extract, run, known.last).await?
        };
    }
    Ok(known)
}

/// The transcripts after a position, as the index takes them in, and whether there are more.
async fn read(
    store: &dyn Store,
    extract: Extractor,
    run: &str,
    after: i64,
) -> Result<(Vec<Taken>, bool), IndexError> {
    let (mut batch, mut after, mut bytes) = (Vec::new(), Some(after), 0);
    while batch.len() < BATCH && bytes < BATCH_BYTES {
        let page = store.transcripts(run, after, PAGE).await?;
        let items = page.items;
        let taken: Vec<Taken> = tokio::task::spawn_blocking(move || {
            items.iter().map(|stored| take(stored, extract)).collect()
        })
        .await
        .map_err(IndexError::from)?;
        bytes += taken
            .iter()
            .map(|taken| taken.extract.text.len())
            .sum::<usize>();
        batch.extend(taken);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok((batch, false)),
        }
    }
    Ok((batch, true))
}

pub(super) fn take(stored: &StoredTranscript, extract: Extractor) -> Taken {
    Taken {
        position: stored.position,
        line: stored.row.line,
        record: stored.row.sealed.record.to_string(),
        content: stored.row.sealed.content,
        extract: extract(stored),
    }
}

/// Forgets what the store has no more, if the counts say that there is such a thing.
async fn forget_gone(
    index: &Arc<Index>,
    store: &dyn Store,
    run: &str,
    count: u64,
) -> Result<(), IndexError> {
    let Some(row) = store.run(run).await? else {
        return Ok(());
    };
    // Of a run under way, more may be sealed by now than was taken in.
    let is_behind = row.state == RunState::Running && row.sealed > count;
    if row.sealed == count || is_behind {
        return Ok(());
    }
    let mut after = 0;
    loop {
        let ours = index.positions(run, after, POSITIONS)?;
        let Some(last) = ours.last().copied() else {
            return Ok(());
        };
        let theirs = store.positions(run, after, last).await?;
        let gone: Vec<i64> = ours
            .into_iter()
            .filter(|position| theirs.binary_search(position).is_err())
            .collect();
        if !gone.is_empty() {
            let (index, run) = (Arc::clone(index), run.to_owned());
            tokio::task::spawn_blocking(move || index.replace(&run, &gone, &[], Trace::Words))
                .await
                .map_err(IndexError::from)??;
        }
        after = last;
    }
}

/// Takes those items in again whose record now has other content in the store, or none; gives whether
/// there was one.
///
/// # Errors
///
/// When the store cannot be read, or the index not written.
pub async fn renew(
    index: &Arc<Index>,
    store: &dyn Store,
    extract: Extractor,
    items: &[Item],
) -> Result<bool, IndexError> {
    let mut any = false;
    for item in items {
        let record = crate::record::RecordId::new(item.record.clone());
        let mark = store.seal_mark(&item.run, &record).await?;
        if mark.is_some_and(|mark| mark.content == item.content) {
            continue;
        }
        any = true;
        let now = store.transcript(&item.run, &record).await?;
        let instead: Vec<Taken> = now
            .iter()
            .filter(|stored| stored.position == item.position)
            .map(|stored| take(stored, extract))
            .collect();
        let (index, item) = (Arc::clone(index), item.clone());
        let replaced = tokio::task::spawn_blocking(move || {
            index.replace(&item.run, &[item.position], &instead, Trace::None)
        });
        replaced.await.map_err(IndexError::from)??;
    }
    if any {
        forget_words(index).await?;
    }
    Ok(any)
}

async fn forget_words(index: &Arc<Index>) -> Result<(), IndexError> {
    let index = Arc::clone(index);
    tokio::task::spawn_blocking(move || index.forget_words())
        .await
        .map_err(IndexError::from)?
}
