//! What others can check the store by: keys, signed notes, checkpoints, inclusion proofs, tombstones.

mod checkpoint;
mod erase;
mod inclusion;
mod key;
mod note;
mod tree_head;

pub use checkpoint::{CheckpointError, MadeCheckpoint, make_checkpoint};
pub use erase::{EraseError, Erased, Reason, erase};
pub use inclusion::{
    CheckedProof, Erasure, Inclusion, InclusionProof, ProofError, check_proof, erasure_of, prove,
};
pub use key::{KeyError, PublicKey, SigningKey};
pub use note::{NoteError, NoteSignature, SignedNote};
pub use tree_head::{TreeHead, TreeHeadError};
