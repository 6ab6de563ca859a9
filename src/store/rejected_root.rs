//! One hash for all rejected rows of a run.

use super::{AuditLog, StoreError};
use crate::merkle::{Frontier, Hash, leaf_hash};

/// How many rows are read at a time.
const PAGE: usize = 1024;

/// How many rejected rows a run has, and the root of the tree whose leaves they are, by line, each as
/// compact JSON.
///
/// # Errors
///
/// When the store cannot be read.
pub async fn rejected_root(log: &dyn AuditLog, run: &str) -> Result<(u64, Hash), StoreError> {
    let mut tree = Frontier::new();
    let mut line = 0;
    loop {
        let rows = log.rejected_after(run, line, PAGE).await?;
        let Some(last) = rows.last() else {
            return Ok((tree.size(), tree.root()));
        };
        line = last.line;
        for row in &rows {
            let json =
                serde_json::to_vec(row).map_err(|error| StoreError::Backend(Box::new(error)))?;
            tree.push(leaf_hash(&json));
        }
    }
}
