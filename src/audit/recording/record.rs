//! Writing the calls of a run.

use std::collections::BTreeSet;

use super::line::{CallLine, FORMAT, Header, Line};
use crate::audit::call_keys;
use crate::dataset::{Output, OutputError, Target};
use crate::model::journal::JournalError;
use crate::store::{RunRow, Store, StoreError};

/// How many transcripts are read at a time.
const PAGE: usize = 256;
/// What a note about how replies are held to a schema is called.
const NOTE: &str = "structured";

/// The calls of a run could not be written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The file cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A transcript or a call of it is damaged.
    #[error("a transcript of the run, or a call, is damaged")]
    Damaged(#[from] serde_json::Error),
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Calls.
    pub calls: u64,
    /// Calls that transcripts name and the journal does not have.
    pub missing: u64,
}

/// Writes every call that the transcripts of a run name, in their order. A call that several transcripts
/// name stands there as often.
///
/// # Errors
///
/// When the store cannot be read or the file not written.
pub async fn record(
    store: &dyn Store,
    run: &RunRow,
    target: &Target,
) -> Result<Recorded, RecordError> {
    let mut output = Output::create(target)?;
    let header = Header {
        format: FORMAT.to_owned(),
        run: run.run.name.clone(),
        scope: run.run.scope.clone(),
        decided_by: run.run.decided_by.clone(),
        redraft: env!("CARGO_PKG_VERSION").to_owned(),
    };
    output.write_row(&serde_json::to_vec(&header)?)?;
    let mut noted = BTreeSet::new();
    let mut recorded = Recorded::default();
    let mut after = None;
    loop {
        let page = store.transcripts(&run.run.name, after, PAGE).await?;
        for stored in page.items {
            for key in call_keys(&stored.row.sealed.open()?) {
                let Some(call) = store.call(key).await? else {
                    recorded.missing += 1;
                    continue;
                };
                if noted.insert(call.model.clone())
                    && let Some(value) = store.note(&call.model, NOTE).await?
                {
                    let (model, name) = (call.model.clone(), NOTE.to_owned());
                    let note = Line::Note { model, name, value };
                    output.write_row(&serde_json::to_vec(&note)?)?;
                }
                let line = Line::Call(CallLine::of(&call)?);
                output.write_row(&serde_json::to_vec(&line)?)?;
                recorded.calls += 1;
            }
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let end = Line::End {
        calls: recorded.calls,
    };
    output.write_row(&serde_json::to_vec(&end)?)?;
    output.commit()?.at_once()?;
    Ok(recorded)
}
