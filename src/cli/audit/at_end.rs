//! The checkpoint that is made when a run ends.

use std::path::Path;

use super::files;
use crate::audit::proof::{MadeCheckpoint, SigningKey, make_checkpoint};
use crate::cli::terminal::{Paint, safe, thousands};
use crate::store::Store;
use crate::telemetry;

/// What is said of a checkpoint that nobody signed.
pub(super) const UNSIGNED: &str = "It is unsigned: whoever can write the store can make another. \
     `redraft audit keygen` makes a key.";

/// The key that signs at the end of a run, read before the run begins.
pub(in crate::cli) fn key(path: Option<&Path>) -> anyhow::Result<Option<SigningKey>> {
    path.map(files::signing_key).transpose()
}

/// Makes the checkpoint; absent where nothing was added to the log.
pub(in crate::cli) async fn make(
    store: &dyn Store,
    key: Option<&SigningKey>,
) -> anyhow::Result<Option<MadeCheckpoint>> {
    let made = make_checkpoint(store, key, &telemetry::now()).await?;
    Ok((!made.was_there).then_some(made))
}

/// Says what was made.
pub(in crate::cli) fn tell(made: &MadeCheckpoint, paint: Paint) {
    let leaves = thousands(made.head.size);
    let by = match made.note.signatures.first() {
        Some(signature) => format!("signed by {}", safe(&signature.name)),
        None => "unsigned; `redraft audit keygen` makes a key to sign the next with".to_owned(),
    };
    eprintln!("{} {leaves} leaves, {by}", paint.dim("checkpoint:"));
}
