//! The store as an append-only log: each method of the trait, handed to the thread that does it.

use async_trait::async_trait;

use super::{SqliteStore, erase, leaves, rejected};
use crate::record::RecordId;
use crate::store::{
    AuditLog, Erasure, EventEntry, Leaf, LeafHash, LoggedEvent, RejectedRow, StoreError, Stray,
    TreeCheckpoint,
};

#[async_trait]
impl AuditLog for SqliteStore {
    async fn log_id(&self) -> Result<String, StoreError> {
        self.readers().look_up(leaves::id)
    }

    async fn log_size(&self) -> Result<u64, StoreError> {
        self.readers().look_up(leaves::size)
    }

    async fn append_event(&self, event: EventEntry) -> Result<u64, StoreError> {
        let entry = event.to_json();
        self.writer()?
            .write(entry.len(), move |session| {
                leaves::append_event(session.connection(), &entry)
            })
            .await
    }

    async fn leaf_hashes(
        &self,
        from: u64,
        below: u64,
        limit: usize,
    ) -> Result<Vec<LeafHash>, StoreError> {
        self.readers()
            .scan(move |reader| leaves::hashes(reader, from, below, limit))
            .await
    }

    async fn leaves(&self, from: u64, below: u64) -> Result<Vec<Leaf>, StoreError> {
        self.readers()
            .scan(move |reader| leaves::page(reader, from, below))
            .await
    }

    async fn leaf_of(&self, run: &str, record: &RecordId) -> Result<Option<Leaf>, StoreError> {
        self.readers()
            .look_up(|reader| leaves::of_record(reader, run, record))
    }

    async fn events(&self, from: u64, limit: usize) -> Result<Vec<LoggedEvent>, StoreError> {
        self.readers()
            .scan(move |reader| leaves::events(reader, from, limit))
            .await
    }

    async fn strays(&self, limit: usize) -> Result<Vec<Stray>, StoreError> {
        self.readers()
            .scan(move |reader| leaves::strays(reader, limit))
            .await
    }

    async fn rejected_after(
        &self,
        run: &str,
        line: u64,
        limit: usize,
    ) -> Result<Vec<RejectedRow>, StoreError> {
        let run = run.to_owned();
        self.readers()
            .scan(move |reader| rejected::after(reader, &run, line, limit))
            .await
    }

    async fn erase(
        &self,
        run: &str,
        record: &RecordId,
        erasure: Erasure,
    ) -> Result<u64, StoreError> {
        let (run, record) = (run.to_owned(), record.clone());
        let index = self
            .writer()?
            .write(erasure.tombstone.len(), move |session| {
                erase::erase(session, &run, &record, &erasure)
            })
            .await?;
        let path = self.path().to_owned();
        let emptied = tokio::task::spawn_blocking(move || erase::empty_log(&path)).await;
        if !matches!(emptied, Ok(Ok(true))) {
            tracing::warn!(
                "what was erased stays in the store's files until nobody reads the store"
            );
        }
        Ok(index)
    }

    async fn add_tree_checkpoint(&self, checkpoint: TreeCheckpoint) -> Result<(), StoreError> {
        self.writer()?
            .write(checkpoint.note.len(), move |session| {
                leaves::add_checkpoint(session, &checkpoint)
            })
            .await
    }

    async fn tree_checkpoints(&self) -> Result<Vec<TreeCheckpoint>, StoreError> {
        self.readers().scan(leaves::checkpoints).await
    }
}
