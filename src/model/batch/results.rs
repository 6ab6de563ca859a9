//! The files of a batch that has ended, read row by row.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;

use super::desk::Desk;
use super::follow::Batch;
use super::patience::unless_gone;
use super::provider::BatchState;
use super::refusal::refused;
use super::setback::RowEnd;
use crate::digest::Digest;
use crate::model::ModelError;

/// How the rows ended, as the batch's files say.
pub(super) async fn read(
    desk: &Desk,
    batch: &Batch,
    ended: &BatchState,
) -> Result<HashMap<Digest, RowEnd>, ModelError> {
    let known: HashSet<&Digest> = batch.rows.iter().collect();
    let mut ends: HashMap<Digest, RowEnd> = HashMap::new();
    let mut odd = 0_u64;
    for file in [&ended.output_file, &ended.error_file]
        .into_iter()
        .flatten()
    {
        for line in lines(&download(desk, file).await?) {
            let Some((id, end)) = desk.provider.read_line(&line) else {
                odd += 1;
                continue;
            };
            if !known.contains(&id) {
                odd += 1;
            } else if desk.state().wants(batch.number, &id)
                && ends
                    .get(&id)
                    .is_none_or(|known| known.is_err() && end.is_ok())
            {
                ends.insert(id, end);
            }
        }
    }
    if odd > 0 {
        tracing::warn!(
            batch = batch.id,
            lines = odd,
            "lines of a batch's results cannot be read, or belong to no request of it"
        );
    }
    Ok(ends)
}

/// A file of results; one that is gone is empty, and its rows have no result.
async fn download(desk: &Desk, file: &str) -> Result<Bytes, ModelError> {
    let whole = unless_gone(desk, || desk.provider.content(file)).await;
    let whole = whole.map_err(|error| refused(desk, error))?;
    Ok(whole.unwrap_or_else(|| {
        tracing::warn!(
            file,
            "a file of a batch's results is gone: the requests in it go into another batch"
        );
        Bytes::new()
    }))
}

fn lines(file: &Bytes) -> impl Iterator<Item = Bytes> {
    let lines = file.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines
        .filter(|line| !line.is_empty())
        .map(|line| file.slice_ref(line))
}
