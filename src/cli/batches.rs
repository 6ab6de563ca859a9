//! What `redraft run` says of batches that are at the provider.

use super::terminal::{Paint, counted, safe};
use crate::config::Settings;
use crate::model::batch::left_open;
use crate::store::Store;

/// Says that batches go on without this process.
pub(super) fn tell_of_open(open: usize) {
    let (what, go, them) = match open {
        0 => return,
        1 => ("1 batch".to_owned(), "goes", "it"),
        _ => (format!("{open} batches"), "go", "them"),
    };
    eprintln!("{what} {go} on at the provider; the same command takes {them} up again.");
}

/// Says which models have batches at the provider that a run without batches does not take up.
pub(super) async fn tell_of_left(settings: &Settings, store: &dyn Store) -> anyhow::Result<()> {
    let paint = Paint::STDERR;
    for plan in settings.models.values().filter(|plan| plan.batch.is_none()) {
        let left = left_open(store, &plan.model).await?;
        if left > 0 {
            eprintln!(
                "  {} {} to {} wait in batches; this run does not use batches, so those that it needs \
                 are made, and paid for, again",
                paint.dim("note:"),
                counted(left as u64, "request"),
                safe(&plan.model),
            );
        }
    }
    Ok(())
}
