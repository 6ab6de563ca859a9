//! What people need who review: held transcripts, claims, and constitutions as they stood.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};

use super::SqliteStore;
use super::failure::{Failure, odd};
use super::session::Session;
use super::transcripts;
use crate::digest::Digest;
use crate::record::RecordId;
use crate::store::{Claim, Page, ReviewDesk, StoreError, StoredTranscript};

#[async_trait]
impl ReviewDesk for SqliteStore {
    async fn held(
        &self,
        run: &str,
        after: Option<i64>,
        limit: usize,
    ) -> Result<Page<StoredTranscript>, StoreError> {
        let run = run.to_owned();
        self.readers()
            .scan(move |reader| transcripts::held(reader, &run, after, limit))
            .await
    }

    async fn claim(&self, wish: Claim) -> Result<bool, StoreError> {
        self.writer()?
            .write(0, move |session| claim(session, &wish))
            .await
    }

    async fn claimants(
        &self,
        run: &str,
        record: &RecordId,
        now: &str,
    ) -> Result<Vec<String>, StoreError> {
        self.readers()
            .look_up(|reader| claimants(reader, run, record, now))
    }

    async fn claimed_by(
        &self,
        run: &str,
        reviewer: &str,
        now: &str,
    ) -> Result<Vec<RecordId>, StoreError> {
        self.readers()
            .look_up(|reader| claimed_by(reader, run, reviewer, now))
    }

    async fn release(
        &self,
        run: &str,
        record: &RecordId,
        reviewer: &str,
    ) -> Result<(), StoreError> {
        let (run, record, reviewer) = (run.to_owned(), record.clone(), reviewer.to_owned());
        self.writer()?
            .write(0, move |session| {
                let run = session.run_id(&run)?;
                session
                    .prepare("DELETE FROM claims WHERE run = ?1 AND record = ?2 AND reviewer = ?3")?
                    .execute(params![run, record.as_str(), reviewer])?;
                Ok(())
            })
            .await
    }

    async fn keep_constitution(&self, digest: Digest, text: &str) -> Result<(), StoreError> {
        let text = text.to_owned();
        self.writer()?
            .write(text.len(), move |session| {
                session
                    .prepare(
                        "INSERT INTO constitutions (digest, text) VALUES (?1, ?2)
                         ON CONFLICT (digest) DO NOTHING",
                    )?
                    .execute(params![digest.as_bytes(), text])?;
                Ok(())
            })
            .await
    }

    async fn constitution(&self, digest: Digest) -> Result<Option<String>, StoreError> {
        self.readers()
            .look_up(|reader| constitution(reader, digest))
    }
}

/// Gives a claim where fewer than the most are held by others.
fn claim(session: &mut Session<'_>, wish: &Claim) -> Result<bool, Failure> {
    let run = session.run_id(&wish.run)?;
    let record = wish.record.as_str();
    let others: i64 = session
        .prepare(
            "SELECT count(*) FROM claims
             WHERE run = ?1 AND record = ?2 AND reviewer <> ?3 AND until > ?4",
        )?
        .query_row(params![run, record, wish.reviewer, wish.now], |row| {
            row.get(0)
        })?;
    if others >= i64::from(wish.most) {
        return Ok(false);
    }
    session
        .prepare(
            "INSERT INTO claims (run, record, reviewer, until) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (run, record, reviewer) DO UPDATE SET until = excluded.until",
        )?
        .execute(params![run, record, wish.reviewer, wish.until])?;
    Ok(true)
}

fn claimants(
    connection: &Connection,
    run: &str,
    record: &RecordId,
    now: &str,
) -> Result<Vec<String>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT reviewer FROM claims
         WHERE run = (SELECT id FROM runs WHERE name = ?1) AND record = ?2 AND until > ?3
         ORDER BY reviewer",
    )?;
    let found = statement.query_map(params![run, record.as_str(), now], |row| row.get(0))?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn claimed_by(
    connection: &Connection,
    run: &str,
    reviewer: &str,
    now: &str,
) -> Result<Vec<RecordId>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT record FROM claims
         WHERE run = (SELECT id FROM runs WHERE name = ?1) AND reviewer = ?2 AND until > ?3
         ORDER BY record",
    )?;
    let found = statement.query_map([run, reviewer, now], |row| {
        Ok(RecordId::new(row.get::<_, String>(0)?))
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn constitution(connection: &Connection, digest: Digest) -> Result<Option<String>, Failure> {
    let text: Option<String> = connection
        .prepare_cached("SELECT text FROM constitutions WHERE digest = ?1")?
        .query_row([digest.as_bytes()], |row| row.get(0))
        .optional()?;
    match text {
        Some(text) if Digest::of(text.as_bytes()) != digest => Err(odd(
            format!("constitution {digest}"),
            &"its text has another digest",
        )),
        text => Ok(text),
    }
}
