//! Replaying a run: every transcript is made again from the journal, and its bytes compared.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::replay::{Call, Miss, ReplayError, calls, recorded, replay};
use crate::model::ModelRole;
use crate::model::closed::Closed;
use crate::pipeline::Pipeline;
use crate::record::RecordId;
use crate::store::{ERASED, Store, StoreError, StoredTranscript};
use crate::transcript::{Outcome, Transcript};

/// How many transcripts are read at a time.
const PAGE: usize = 256;
/// How many transcripts that do not come out the same are named; more are only counted.
const MOST_NAMED: usize = 100_000;

/// A pipeline on a closed network, which takes one record at a time.
#[derive(Debug)]
pub struct Booth {
    /// The pipeline.
    pub pipeline: Pipeline,
    /// Its network.
    pub closed: Arc<Closed>,
}

/// What came of replaying one transcript.
#[derive(Clone, Debug)]
pub enum Replayed {
    /// The same bytes.
    Same,
    /// Not the same bytes.
    Unlike(Box<Unlike>),
    /// The record had failed for want of a reply, and there is none in the journal either.
    Unanswered,
    /// Its payload was erased.
    Erased,
    /// Another tool made it.
    Imported,
}

/// Why a transcript did not come out the same.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unlike {
    /// A call that the journal has no reply to.
    Missed(Miss),
    /// A transcript with other bytes.
    Different(Difference),
    /// The stored transcript, or a call of it, cannot be read.
    Damaged(String),
}

/// Where two transcripts part.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// The first part that differs, as a JSON pointer.
    pub part: String,
    /// What is stored there.
    pub stored: Value,
    /// What came of the replay.
    pub replayed: Value,
    /// The first call that differs, or whose reply was read otherwise; absent where no call is behind it.
    pub call: Option<Call>,
}

/// A transcript that did not come out the same.
#[derive(Clone, Debug, Serialize)]
pub struct Failed {
    /// The record's name.
    pub record: RecordId,
    /// Why.
    #[serde(flatten)]
    pub why: Unlike,
}

/// What came of replaying a run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RunReplay {
    /// Transcripts that were taken up.
    pub transcripts: u64,
    /// Those with the same bytes.
    pub same: u64,
    /// Those with other bytes.
    pub different: u64,
    /// Those that would ask something that the journal does not know.
    pub missed: u64,
    /// Those that cannot be read.
    pub damaged: u64,
    /// Those that had failed for want of a reply, which is still wanting.
    pub unanswered: u64,
    /// Those whose payload was erased.
    pub erased: u64,
    /// Those that another tool made.
    pub imported: u64,
    /// Each that did not come out the same.
    pub failed: Vec<Failed>,
}

impl RunReplay {
    /// Whether every transcript that could be replayed came out the same.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.different + self.missed + self.damaged == 0
    }

    /// Adds what came of one transcript.
    pub fn add(&mut self, record: RecordId, replayed: Replayed) {
        self.transcripts += 1;
        let unlike = match replayed {
            Replayed::Same => {
                self.same += 1;
                return;
            }
            Replayed::Unanswered => {
                self.unanswered += 1;
                return;
            }
            Replayed::Erased => {
                self.erased += 1;
                return;
            }
            Replayed::Imported => {
                self.imported += 1;
                return;
            }
            Replayed::Unlike(unlike) => unlike,
        };
        match *unlike {
            Unlike::Missed(_) => self.missed += 1,
            Unlike::Different(_) => self.different += 1,
            Unlike::Damaged(_) => self.damaged += 1,
        }
        if self.failed.len() < MOST_NAMED {
            let why = *unlike;
            self.failed.push(Failed { record, why });
        }
    }
}

/// Replays every transcript of a run, page by page, each booth its share of a page.
///
/// # Errors
///
/// When the store cannot be read, or a pipeline fails for a reason that is not the record's.
pub async fn replay_run(
    store: &dyn Store,
    run: &str,
    booths: &[Arc<Booth>],
) -> Result<RunReplay, ReplayError> {
    let mut whole = RunReplay::default();
    let mut after = None;
    loop {
        let page = store
            .transcripts(run, after, PAGE)
            .await
            .map_err(unreadable)?;
        let share = page.items.len().div_ceil(booths.len().max(1)).max(1);
        let mut items = page.items.into_iter();
        let shares = booths.iter().map(|booth| {
            let items: Vec<StoredTranscript> = items.by_ref().take(share).collect();
            tokio::spawn(replay_all(Arc::clone(booth), items))
        });
        let shares: Vec<_> = shares.collect();
        for share in shares {
            let replayed = share
                .await
                .map_err(|error| unreadable(StoreError::Backend(Box::new(error))))?;
            for (record, replayed) in replayed? {
                whole.add(record, replayed);
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(whole);
        }
    }
}

fn unreadable(error: StoreError) -> ReplayError {
    ReplayError::Journal(error.into())
}

async fn replay_all(
    booth: Arc<Booth>,
    items: Vec<StoredTranscript>,
) -> Result<Vec<(RecordId, Replayed)>, ReplayError> {
    let mut all = Vec::with_capacity(items.len());
    for stored in items {
        let replayed = replay_stored(&booth, &stored).await?;
        all.push((stored.row.sealed.record, replayed));
    }
    Ok(all)
}

/// Makes a transcript again from the journal, and compares the bytes.
///
/// # Errors
///
/// When the journal cannot be read, or the pipeline fails for a reason that is not the record's.
pub async fn replay_stored(
    booth: &Booth,
    stored: &StoredTranscript,
) -> Result<Replayed, ReplayError> {
    let sealed = &stored.row.sealed;
    if sealed.content == ERASED {
        return Ok(Replayed::Erased);
    }
    let unlike = |unlike| Ok(Replayed::Unlike(Box::new(unlike)));
    let transcript = match sealed.open() {
        Ok(transcript) => transcript,
        Err(error) => return unlike(Unlike::Damaged(error.to_string())),
    };
    if transcript.imported.is_some() {
        return Ok(Replayed::Imported);
    }
    let Booth { pipeline, closed } = booth;
    closed.begin_anew();
    let record = match recorded(&transcript, closed.as_ref()).await {
        Err(ReplayError::Damaged { key, source }) => {
            return unlike(Unlike::Damaged(format!("call {key}: {source}")));
        }
        record => record?,
    };
    let found = match replay(&record, &transcript, pipeline, closed).await {
        Err(ReplayError::Damaged { key, source }) => {
            return unlike(Unlike::Damaged(format!("call {key}: {source}")));
        }
        found => found?,
    };
    if let Some(missed) = found.missed {
        let is_wanting = transcript.outcome == Outcome::Failed && missed.call.is_none();
        return if is_wanting {
            Ok(Replayed::Unanswered)
        } else {
            unlike(Unlike::Missed(missed))
        };
    }
    let Some(mut again) = found.transcript else {
        return unlike(Unlike::Damaged("the replay came to no end".to_owned()));
    };
    // Which redraft made a transcript is no part of what it says.
    let mut provenance = (*again.provenance).clone();
    provenance
        .redraft
        .clone_from(&transcript.provenance.redraft);
    again.provenance = Arc::new(provenance);
    // Nor is what a client was given made by the pipeline.
    again.delivered.clone_from(&transcript.delivered);
    let again_sealed = again.clone().seal(record.content_digest());
    if again_sealed.body == sealed.body && again_sealed.content == sealed.content {
        return Ok(Replayed::Same);
    }
    match difference(&sealed.body, &again_sealed.body, &transcript, &again) {
        Some(difference) => unlike(Unlike::Different(difference)),
        None => unlike(Unlike::Damaged(
            "it says the same, in other bytes or of a record with other content".to_owned(),
        )),
    }
}

/// The first part in which two transcripts differ, and the call behind it.
fn difference(
    stored: &[u8],
    replayed: &[u8],
    before: &Transcript,
    after: &Transcript,
) -> Option<Difference> {
    let stored: Value = serde_json::from_slice(stored).ok()?;
    let replayed: Value = serde_json::from_slice(replayed).ok()?;
    let mut part = String::new();
    let (old, new) = first_difference(&stored, &replayed, &mut part)?;
    let (was, is) = (calls(before), calls(after));
    let parted = was.iter().zip(&is).find(|(was, is)| was.key != is.key);
    let call = parted.map(|(was, _)| *was).or_else(|| {
        was.iter()
            .copied()
            .find(|call| part.starts_with(&place(call)))
    });
    Some(Difference {
        call,
        part,
        stored: old,
        replayed: new,
    })
}

/// Where in a transcript stands what came of a call.
fn place(call: &Call) -> String {
    let round = call.round.map_or(0, |round| round.saturating_sub(1));
    match call.role {
        ModelRole::Drafter => "/draft".to_owned(),
        ModelRole::Reviser => format!("/rounds/{round}/revision"),
        ModelRole::Critic | ModelRole::Judge => format!("/rounds/{round}/"),
    }
}

/// The first values that differ, in the order of the fields; `part` becomes their place.
fn first_difference(old: &Value, new: &Value, part: &mut String) -> Option<(Value, Value)> {
    if old == new {
        return None;
    }
    let inner = match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let mut names = old.keys().chain(new.keys());
            let name = names.find(|name| old.get(*name) != new.get(*name))?;
            let key = name.replace('~', "~0").replace('/', "~1");
            (key, old.get(name), new.get(name))
        }
        (Value::Array(old), Value::Array(new)) => {
            let mut places = 0..old.len().max(new.len());
            let place = places.find(|place| old.get(*place) != new.get(*place))?;
            (place.to_string(), old.get(place), new.get(place))
        }
        _ => return Some((old.clone(), new.clone())),
    };
    let (name, old, new) = inner;
    part.push('/');
    part.push_str(&name);
    let null = Value::Null;
    first_difference(old.unwrap_or(&null), new.unwrap_or(&null), part)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_difference_is_named_by_its_place() {
        let differ = |old: Value, new: Value| {
            let mut part = String::new();
            first_difference(&old, &new, &mut part).map(|(old, new)| (part, old, new))
        };
        assert_eq!(differ(json!({ "a": [1] }), json!({ "a": [1] })), None);
        assert_eq!(
            differ(
                json!({ "a": 1, "b": [{ "c/d": 2 }] }),
                json!({ "a": 1, "b": [{ "c/d": 3 }] })
            ),
            Some(("/b/0/c~1d".to_owned(), json!(2), json!(3)))
        );
        assert_eq!(
            differ(json!({ "a": [1] }), json!({ "a": [1, 2] })),
            Some(("/a/1".to_owned(), Value::Null, json!(2)))
        );
        assert_eq!(
            differ(json!({ "b": 1 }), json!({ "b": 1, "z": 1 })),
            Some(("/z".to_owned(), Value::Null, json!(1)))
        );
    }
}
