//! Finding the one record that a command names by its id or its beginning.

use std::collections::BTreeSet;

use crate::store::{Store, StoredTranscript};

/// How many transcripts whose ids begin alike are looked at.
const MOST: usize = 50;

/// The newest transcript of the one record that is meant.
pub(super) async fn one_record(
    store: &dyn Store,
    run: Option<&str>,
    record: &str,
) -> anyhow::Result<StoredTranscript> {
    let found = store.find_record(run, record, MOST).await?;
    let names: BTreeSet<&str> = found
        .iter()
        .map(|stored| stored.row.sealed.record.as_str())
        .collect();
    if names.len() > 1 {
        let names: Vec<&str> = names.into_iter().collect();
        anyhow::bail!(
            "several records begin with {record:?}: {}; give one of these ids in full",
            names.join(", ")
        );
    }
    if let Some(stored) = found.into_iter().next() {
        return Ok(stored);
    }
    let location = store.location();
    match run {
        Some(name) if store.run(name).await?.is_none() => {
            anyhow::bail!(
                "there is no run {name} in {location}; `redraft runs` lists those there are"
            )
        }
        Some(name) => anyhow::bail!(
            "no transcript of a record {record:?} is in the run {name} of {location}; without --run, \
             every run is looked through"
        ),
        None => anyhow::bail!(
            "no transcript of a record {record:?} is in {location}; the rows that `redraft run -o` \
             writes name their records"
        ),
    }
}
