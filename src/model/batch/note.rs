//! What the journal remembers of a batch that is on its way.

use serde::{Deserialize, Serialize};

use super::desk::Desk;
use crate::digest::Digest;
use crate::model::ModelError;

/// The names of notes begin so; then comes the batch's tag, and the newest tag is the last.
pub(super) const PREFIX: &str = "batch ";

/// A batch as it is noted: before it is made, and again when its id is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct BatchNote {
    /// Where it is; ids mean nothing anywhere else.
    pub(super) address: String,
    /// The input file's id.
    pub(super) file: String,
    /// The batch's id; absent while nobody knows whether it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) batch: Option<String>,
    /// Its rows, in the order of the input file: the keys of their replies in the journal.
    #[serde(with = "packed")]
    pub(super) rows: Vec<Digest>,
}

/// Notes a batch; without a journal there is nothing to note it in.
pub(super) async fn keep_note(desk: &Desk, tag: &str, note: &BatchNote) -> Result<(), ModelError> {
    let Some(journal) = &desk.journal else {
        return Ok(());
    };
    let value = serde_json::to_string(note).expect("a note is plain data");
    let name = format!("{PREFIX}{tag}");
    Ok(journal
        .set_note(desk.provider.model(), &name, &value)
        .await?)
}

/// Forgets a batch.
pub(super) async fn forget_note(desk: &Desk, tag: &str) -> Result<(), ModelError> {
    let Some(journal) = &desk.journal else {
        return Ok(());
    };
    let name = format!("{PREFIX}{tag}");
    Ok(journal.forget_note(desk.provider.model(), &name).await?)
}

/// Rows as one text, since there may be 50,000.
mod packed {
    use std::fmt::Write as _;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::digest::Digest;

    const LENGTH: usize = 32;

    pub(super) fn serialize<S: Serializer>(
        rows: &[Digest],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(rows.len() * LENGTH);
        for row in rows {
            let _ = write!(text, "{row}");
        }
        serializer.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Digest>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let rows = text.as_bytes().chunks(LENGTH);
        rows.map(|row| {
            std::str::from_utf8(row)
                .ok()
                .and_then(|row| row.parse().ok())
        })
        .collect::<Option<_>>()
        .ok_or_else(|| D::Error::custom("the rows are not digests"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_comes_back_as_it_was() {
        let note = BatchNote {
            address: "http://host/v1".to_owned(),
            file: "file-1".to_owned(),
            batch: None,
            rows: vec![Digest::of(b"a"), Digest::of(b"b")],
        };
        let text = serde_json::to_string(&note).expect("JSON");
        assert_eq!(
            serde_json::from_str::<BatchNote>(&text).expect("a note"),
            note
        );
        let cut = text.replace(&Digest::of(b"b").to_string()[1..], "");
        assert!(serde_json::from_str::<BatchNote>(&cut).is_err());
    }
}
