//! Leaves for transcripts that older formats sealed without one.

use rusqlite::{Connection, params};
use serde_json::json;

use super::failure::Failure;
use super::leaves;
use crate::merkle::leaf_hash;
use crate::store::{EventEntry, TranscriptEntry, hex, new_salt, payload_hash};

/// Names the tree, and gives every transcript that is there its leaf. An event says that these were not
/// leaves when they were sealed.
pub(super) fn adopt(connection: &Connection) -> Result<(), Failure> {
    let id = hex(&new_salt()?[..16]);
    connection.execute("INSERT INTO log (id) VALUES (?1)", [id])?;
    let mut adopted = 0_u64;
    let mut transcripts = connection.prepare(
        "SELECT t.position, r.name, t.record, t.line, t.outcome, t.changed, t.content, t.digest,
         t.times, t.body FROM transcripts t JOIN runs r ON r.id = t.run ORDER BY t.position",
    )?;
    let mut rows = transcripts.query([])?;
    while let Some(row) = rows.next()? {
        let salt = new_salt()?;
        let bytes = |column| Ok::<_, rusqlite::Error>(row.get_ref(column)?.as_bytes()?);
        let entry = TranscriptEntry {
            leaf: TranscriptEntry::LEAF.to_owned(),
            run: row.get(1)?,
            record: row.get(2)?,
            line: row.get(3)?,
            outcome: row.get(4)?,
            changed: row.get(5)?,
            payload: payload_hash(&salt, bytes(6)?, bytes(7)?, bytes(8)?, bytes(9)?),
        };
        let entry = entry.to_json();
        let leaf = leaves::NewLeaf {
            salt: salt.to_vec(),
            hash: leaf_hash(entry.as_bytes()),
            entry,
        };
        leaves::append(connection, row.get(0)?, &leaf)?;
        adopted += 1;
    }
    if adopted > 0 {
        let now: String = connection.query_row(
            "SELECT strftime('%Y-%m-%dT%H:%M:%SZ', 'now')",
            params![],
            |row| row.get(0),
        )?;
        let event = EventEntry::new("adopted", &now, None, json!({ "leaves": adopted }));
        leaves::append_event(connection, &event.to_json())?;
    }
    Ok(())
}
