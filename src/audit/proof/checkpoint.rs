//! Making a checkpoint of a store's tree.

use super::key::SigningKey;
use super::note::SignedNote;
use super::tree_head::TreeHead;
use crate::merkle::Frontier;
use crate::store::{Store, StoreError, TreeCheckpoint};

/// How many leaves are read at a time.
const PAGE: usize = 8192;

/// A checkpoint could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A leaf is missing or damaged.
    #[error(
        "leaf {index} of the store's tree is missing or damaged, so no checkpoint can be made; \
         `redraft audit verify` says what else is"
    )]
    Leaf {
        /// The leaf's index.
        index: u64,
    },
}

/// A checkpoint that was made, or was there already.
#[derive(Clone, Debug)]
pub struct MadeCheckpoint {
    /// What it says.
    pub head: TreeHead,
    /// The whole of it.
    pub note: SignedNote,
    /// Whether the tree had not grown, and the checkpoint was there already.
    pub was_there: bool,
}

/// Makes a checkpoint of all leaves that there are, signs it where there is a key, and keeps it in the
/// store. Where the newest one says the same, that is given back.
///
/// # Errors
///
/// When the store cannot be read or written, or lacks a leaf.
pub async fn make_checkpoint(
    store: &dyn Store,
    key: Option<&SigningKey>,
    now: &str,
) -> Result<MadeCheckpoint, CheckpointError> {
    let size = store.log_size().await?;
    let origin = TreeHead::origin_of(&store.log_id().await?);
    let newest = store.tree_checkpoints().await?.pop();
    let known = newest.and_then(|kept| Known::read(&kept, &origin, size, key));
    let mut tree = Frontier::new();
    if let Some(known) = known {
        if known.head.size == size && (known.is_ours || key.is_none()) {
            return Ok(MadeCheckpoint {
                head: known.head,
                note: known.note,
                was_there: true,
            });
        }
        // What this key signed needs no second look; anything else is hashed again.
        if known.is_ours {
            tree = known.frontier;
        }
    }
    grow(&mut tree, store, size).await?;
    let head = TreeHead {
        origin,
        size,
        root: tree.root(),
        time: Some(now.to_owned()),
    };
    let text = head.to_string();
    let signatures = key.map(|key| key.sign(&text)).into_iter().collect();
    let note = SignedNote { text, signatures };
    store
        .add_tree_checkpoint(TreeCheckpoint {
            size,
            at: now.to_owned(),
            frontier: tree.to_bytes(),
            note: note.to_string(),
        })
        .await?;
    Ok(MadeCheckpoint {
        head,
        note,
        was_there: false,
    })
}

/// Adds the leaves of the store up to a size.
async fn grow(tree: &mut Frontier, store: &dyn Store, size: u64) -> Result<(), CheckpointError> {
    while tree.size() < size {
        let index = tree.size();
        let leaves = store.leaf_hashes(index, size, PAGE).await?;
        if leaves.is_empty() {
            return Err(CheckpointError::Leaf { index });
        }
        for leaf in leaves {
            let index = tree.size();
            let hash = leaf.hash.filter(|_| leaf.index == index);
            tree.push(hash.ok_or(CheckpointError::Leaf { index })?);
        }
    }
    Ok(())
}

/// A checkpoint that the store has.
struct Known {
    head: TreeHead,
    note: SignedNote,
    frontier: Frontier,
    /// Whether this very key signed it, and the frontier is that of what was signed.
    is_ours: bool,
}

impl Known {
    fn read(
        kept: &TreeCheckpoint,
        origin: &str,
        size: u64,
        key: Option<&SigningKey>,
    ) -> Option<Self> {
        let note: SignedNote = kept.note.parse().ok()?;
        let head: TreeHead = note.text.parse().ok()?;
        let frontier = Frontier::from_bytes(head.size, &kept.frontier)?;
        let is_of_it = head.origin == origin && head.size <= size && frontier.root() == head.root;
        let is_ours = key.is_some_and(|key| note.is_signed_by(&key.public()) == Some(true));
        is_of_it.then_some(Self {
            head,
            note,
            frontier,
            is_ours,
        })
    }
}
