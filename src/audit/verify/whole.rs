//! A store from its first leaf to the report.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;

use futures::TryStreamExt as _;

use super::completeness;
use super::facts::{self, Facts};
use super::report::{Anchored, Check, HeadCheck, Problem, Report};
use super::scan::{Part, Tally, scan};
use crate::audit::proof::{NoteError, PublicKey, SignedNote, TreeHead, TreeHeadError};
use crate::merkle::{Frontier, Hash};
use crate::store::{Store, StoreError};

/// How many transcripts without a leaf are named.
const MOST_STRAYS: usize = 10_000;

/// A verification could not be done.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A checkpoint is no signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A checkpoint is none.
    #[error(transparent)]
    Head(#[from] TreeHeadError),
}

/// What to compare a store with.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// A checkpoint from elsewhere; absent: the newest one that the store keeps.
    pub checkpoint: Option<SignedNote>,
    /// An older checkpoint.
    pub older: Option<SignedNote>,
    /// Whose signature the checkpoints should have.
    pub key: Option<PublicKey>,
    /// The only run whose payloads and completeness are looked at.
    pub run: Option<String>,
}

/// Reads all of a store's leaves and what they are about, and compares them with checkpoints.
///
/// # Errors
///
/// When the store cannot be read, or a checkpoint is none. What does not hold is no error.
pub async fn verify(store: Arc<dyn Store>, asked: Asked) -> Result<Report, VerifyError> {
    let size = store.log_size().await?;
    let origin = TreeHead::origin_of(&store.log_id().await?);
    let facts = Arc::new(facts::gather(store.as_ref(), size).await?);
    let heads = Heads::gather(store.as_ref(), &asked).await?;
    let read = read(&store, size, &facts, &asked, &heads).await?;
    let (completeness, runs) =
        completeness::check(store.as_ref(), &facts, &read.tallies, asked.run.as_deref()).await?;
    let tree = Tree {
        size,
        origin,
        roots: read.roots,
    };
    Ok(Report {
        leaves: size,
        root: tree.root(size).map(|root| root.to_string()),
        payloads: read.payloads,
        consistency: tree.consistency(heads.older.as_ref()),
        signature: heads.signature(asked.key.as_ref()),
        completeness,
        runs,
        anchored: tree.anchored(&heads, asked.key.as_ref(), &facts),
        checkpoint: heads.newest.as_ref().map(Head::summary),
        tree: tree.leaves(&heads, read.leaves),
    })
}

/// A checkpoint, read.
#[derive(Clone, Debug)]
struct Head {
    tree: TreeHead,
    note: SignedNote,
    from_store: bool,
}

impl Head {
    fn read(note: &SignedNote, from_store: bool) -> Result<Self, VerifyError> {
        Ok(Self {
            tree: note.text.parse()?,
            note: note.clone(),
            from_store,
        })
    }

    fn summary(&self) -> HeadCheck {
        let signers = self.note.signatures.iter();
        HeadCheck {
            size: self.tree.size,
            time: self.tree.time.clone(),
            from_store: self.from_store,
            signers: signers.map(|signer| signer.name.clone()).collect(),
        }
    }
}

/// All checkpoints that there are.
struct Heads {
    newest: Option<Head>,
    older: Option<Head>,
    kept: Vec<Head>,
    /// How many of those that the store keeps cannot be read.
    damaged: u64,
}

impl Heads {
    async fn gather(store: &dyn Store, asked: &Asked) -> Result<Self, VerifyError> {
        let (mut kept, mut damaged) = (Vec::new(), 0);
        for checkpoint in store.tree_checkpoints().await? {
            let note = checkpoint.note.parse().map_err(VerifyError::from);
            match note.and_then(|note| Head::read(&note, true)) {
                Ok(head) if head.tree.size == checkpoint.size => kept.push(head),
                _ => damaged += 1,
            }
        }
        let read = |note: &Option<SignedNote>| {
            let note = note.as_ref();
            note.map(|note| Head::read(note, false)).transpose()
        };
        let signed = |head: &&Head| {
            let key = asked.key.as_ref();
            key.is_some_and(|key| head.note.is_signed_by(key) == Some(true))
        };
        let of_store = kept.iter().rev().find(signed).or(kept.last());
        Ok(Self {
            newest: read(&asked.checkpoint)?.or_else(|| of_store.cloned()),
            older: read(&asked.older)?,
            kept,
            damaged,
        })
    }

    fn all(&self) -> impl Iterator<Item = &Head> {
        self.kept.iter().chain(&self.older).chain(&self.newest)
    }

    fn signature(&self, key: Option<&PublicKey>) -> Check {
        let Some(newest) = &self.newest else {
            return Check::not_checked("there is no checkpoint");
        };
        let Some(key) = key else {
            return Check::not_checked("no --public-key was given");
        };
        let mut check = Check::holds(format!("signed by {}", key.name()));
        let given = self
            .older
            .iter()
            .map(|older| ("the older checkpoint", older));
        for (name, head) in given.chain([("the checkpoint", newest)]) {
            let what = match head.note.is_signed_by(key) {
                Some(true) => continue,
                Some(false) => "has a signature under that key's name that does not fit",
                None => "is not signed by that key",
            };
            check.add(Problem::of_store(format!("{name} {what}")));
        }
        check
    }
}

/// What was read on the way through the leaves.
struct Read {
    payloads: Check,
    leaves: Check,
    tallies: BTreeMap<String, Tally>,
    /// The root at each size that a checkpoint names, and of all; absent where a leaf is missing.
    roots: BTreeMap<u64, Hash>,
}

async fn read(
    store: &Arc<dyn Store>,
    size: u64,
    facts: &Arc<Facts>,
    asked: &Asked,
    heads: &Heads,
) -> Result<Read, VerifyError> {
    let mut sizes: Vec<u64> = heads.all().map(|head| head.tree.size).collect();
    sizes.push(size);
    let mut read = Read {
        payloads: Check::holds(""),
        leaves: Check::holds(""),
        tallies: BTreeMap::new(),
        roots: BTreeMap::new(),
    };
    let mut tree = Some(Frontier::new());
    note_root(&mut read.roots, &sizes, tree.as_ref());
    sizes.sort_unstable();
    let parts = scan(
        Arc::clone(store),
        size,
        Arc::clone(facts),
        asked.run.clone(),
    );
    let mut parts = pin!(parts);
    while let Some(part) = parts.try_next().await? {
        let Part {
            hashes,
            leaves,
            payloads,
            runs,
        } = part;
        for hash in hashes {
            tree = tree.zip(hash).map(|(mut tree, hash)| {
                tree.push(hash);
                tree
            });
            let is_named = |tree: &&Frontier| sizes.binary_search(&tree.size()).is_ok();
            note_root(&mut read.roots, &sizes, tree.as_ref().filter(is_named));
        }
        for problem in leaves {
            read.leaves.add(problem);
        }
        for problem in payloads {
            read.payloads.add(problem);
        }
        for (run, tally) in runs {
            read.tallies.entry(run).or_default().add(tally);
        }
    }
    for stray in store.strays(MOST_STRAYS).await? {
        let is_asked = asked.run.is_none() || asked.run == stray.run;
        if is_asked {
            read.payloads.add(Problem {
                leaf: None,
                run: stray.run,
                record: Some(stray.record),
                what: "no leaf is about this transcript: it was not sealed".to_owned(),
            });
        }
    }
    let tallies = read.tallies.iter();
    let asked = tallies.filter(|(run, _)| asked.run.as_ref().is_none_or(|asked| asked == *run));
    let (transcripts, erased) = asked.fold((0, 0), |(all, erased), (_, tally)| {
        (all + tally.transcripts, erased + tally.erased)
    });
    read.payloads.what = format!("{transcripts} transcripts, {erased} of them erased");
    Ok(read)
}

fn note_root(roots: &mut BTreeMap<u64, Hash>, sizes: &[u64], tree: Option<&Frontier>) {
    if let Some(tree) = tree
        && sizes.contains(&tree.size())
    {
        roots.insert(tree.size(), tree.root());
    }
}

/// The tree as it was found.
struct Tree {
    size: u64,
    origin: String,
    roots: BTreeMap<u64, Hash>,
}

impl Tree {
    fn root(&self, size: u64) -> Option<Hash> {
        self.roots.get(&size).copied()
    }

    /// Why the tree does not begin as a checkpoint says.
    fn misfit(&self, head: &TreeHead) -> Option<String> {
        if head.origin != self.origin {
            return Some(format!(
                "it is a checkpoint of {}, and this store's tree is {}",
                head.origin, self.origin
            ));
        }
        if head.size > self.size {
            return Some(format!(
                "it covers {} leaves, and the store has {}: the newest {} are gone",
                head.size,
                self.size,
                head.size - self.size
            ));
        }
        let root = self.root(head.size);
        (root != Some(head.root)).then(|| {
            let found = root.map_or_else(
                || "a leaf is missing".to_owned(),
                |root| format!("the root of the first {} leaves is {root}", head.size),
            );
            format!("it says {}, and {found}", head.root)
        })
    }

    /// Whether the leaves are those of the checkpoint.
    fn leaves(&self, heads: &Heads, mut check: Check) -> Check {
        let Some(newest) = &heads.newest else {
            if check.bad == 0 {
                return Check::not_checked(format!(
                    "{} leaves, and no checkpoint to compare them with",
                    self.size
                ));
            }
            return check;
        };
        let size = newest.tree.size;
        check.what = format!("the first {size} of {} leaves", self.size);
        if let Some(what) = self.misfit(&newest.tree) {
            let what = format!("the checkpoint does not fit: {what}{}", self.where_(heads));
            check.add(Problem::of_store(what));
        }
        for kept in &heads.kept {
            if let Some(what) = self.misfit(&kept.tree) {
                let size = kept.tree.size;
                let what = format!(
                    "the checkpoint of {size} leaves that the store keeps does not fit: {what}"
                );
                check.add(Problem::of_store(what));
            }
        }
        for _ in 0..heads.damaged {
            check.add(Problem::of_store(
                "a checkpoint that the store keeps was edited",
            ));
        }
        check
    }

    /// Between which leaves the tree begins to differ, as far as checkpoints tell.
    fn where_(&self, heads: &Heads) -> String {
        let (mut right, mut wrong) = (0, u64::MAX);
        for head in heads.all().filter(|head| head.tree.size <= self.size) {
            if self.misfit(&head.tree).is_none() {
                right = right.max(head.tree.size);
            } else {
                wrong = wrong.min(head.tree.size);
            }
        }
        if wrong == u64::MAX {
            return String::new();
        }
        format!(
            "; what differs is one of the leaves {right} to {}",
            wrong.saturating_sub(1)
        )
    }

    fn consistency(&self, older: Option<&Head>) -> Check {
        let Some(older) = older else {
            return Check::not_checked("no older checkpoint was given (--older)");
        };
        let mut check = Check::holds(format!("begins with the {} leaves of it", older.tree.size));
        if let Some(what) = self.misfit(&older.tree) {
            let what = format!("the older checkpoint does not fit: {what}");
            check.add(Problem::of_store(what));
        }
        check
    }

    /// Until when the leaves are anchored: a checkpoint of the store counts where it is signed by the
    /// given key, one from elsewhere counts by itself.
    fn anchored(&self, heads: &Heads, key: Option<&PublicKey>, facts: &Facts) -> Anchored {
        let counts = |head: &&Head| {
            let signed = key.map(|key| head.note.is_signed_by(key) == Some(true));
            signed.unwrap_or(!head.from_store) && self.misfit(&head.tree).is_none()
        };
        let newest = heads.all().filter(counts).max_by_key(|head| head.tree.size);
        let leaves = newest.map_or(0, |head| head.tree.size);
        let adopted = facts.adopted.clone().unzip();
        Anchored {
            until: newest.and_then(|head| head.tree.time.clone()),
            leaves,
            later: self.size - leaves,
            adopted: adopted.0.unwrap_or(0),
            adopted_at: adopted.1,
        }
    }
}
