//! Taking up changes without a restart: what is built from files is built again when they change, and
//! takes the place of the old only when it is whole.

use std::convert::Infallible;
use std::fmt::Display;
use std::fs;
use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval};

use crate::digest::Digest;

/// How often files are looked at.
pub const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Something that was built, and the files that decided it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built<T> {
    /// What was built.
    pub state: T,
    /// The files that it was built from; they need not all be there.
    pub files: Vec<PathBuf>,
}

/// Files, and what they held when what holds now was built of them.
#[derive(Clone, Debug)]
pub struct Held {
    files: Vec<PathBuf>,
    held: Digest,
}

impl Held {
    /// What these files hold now. Look first and build then, so that no change falls between.
    #[must_use]
    pub fn now(files: Vec<PathBuf>) -> Self {
        Self {
            held: look(&files),
            files,
        }
    }
}

/// What came of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reloaded {
    /// The new state holds.
    Taken,
    /// The new state is wrong, for this reason, and the old one holds.
    KeptOld(String),
}

/// Builds again whenever one of the files has changed, or `wake` is notified, and has the new state
/// taken; `tell` hears what came of it. It goes on until it is dropped.
///
/// A change counts once the files have stayed the same between two looks, so that one which is being
/// written is not read halfway. While a new state is wrong it is tried again at every look, since
/// what is missing may be in a file that nobody watches yet; only what is wrong in a new way is told.
pub async fn follow<T, E: Display, F: Future<Output = Result<(), E>>>(
    Held {
        mut files,
        mut held,
    }: Held,
    wake: &Notify,
    mut build: impl FnMut() -> Result<Built<T>, E>,
    mut take: impl FnMut(T) -> F,
    mut tell: impl FnMut(&Reloaded),
) -> Infallible {
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen = held;
    let mut wrong: Option<String> = None;
    loop {
        let is_woken = tokio::select! {
            _ = looks.tick() => false,
            () = wake.notified() => true,
        };
        let now = look(&files);
        let is_settled = now == seen;
        seen = now;
        let is_due = is_settled && (now != held || wrong.is_some());
        if !is_woken && !is_due {
            continue;
        }
        let outcome = match build() {
            Ok(Built { state, files }) => take(state).await.map(|()| files),
            Err(error) => Err(error),
        };
        held = now;
        match outcome {
            Ok(new) => {
                if new != files {
                    files = new;
                    seen = look(&files);
                    held = seen;
                }
                wrong = None;
                tell(&Reloaded::Taken);
            }
            Err(error) => {
                let why = error.to_string();
                if is_woken || wrong.as_ref() != Some(&why) {
                    tell(&Reloaded::KeptOld(why.clone()));
                }
                wrong = Some(why);
            }
        }
    }
}

/// What the files hold at the moment, or that they are not there.
fn look(files: &[PathBuf]) -> Digest {
    let mut all = Vec::new();
    for file in files {
        let held = fs::read(file).map_or_else(
            |error| Digest::of(error.kind().to_string().as_bytes()),
            |bytes| Digest::of(&bytes),
        );
        all.extend_from_slice(held.as_bytes());
    }
    Digest::of(&all)
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::path::Path;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A number in a file, or what else it says.
    fn read(path: &Path) -> Result<Built<u32>, String> {
        let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
        let state = text
            .trim()
            .parse()
            .map_err(|_| format!("no number: {text}"))?;
        Ok(Built {
            state,
            files: vec![path.to_owned()],
        })
    }

    struct Followed {
        path: PathBuf,
        wake: Arc<Notify>,
        taken: Arc<Mutex<Vec<u32>>>,
        told: Arc<Mutex<Vec<Reloaded>>>,
        _folder: tempfile::TempDir,
    }

    impl Followed {
        fn begin() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("number");
            fs::write(&path, "1").expect("a file");
            let followed = Self {
                path,
                wake: Arc::default(),
                taken: Arc::default(),
                told: Arc::default(),
                _folder: folder,
            };
            let held = Held::now(vec![followed.path.clone()]);
            let (path, wake) = (followed.path.clone(), Arc::clone(&followed.wake));
            let (taken, told) = (Arc::clone(&followed.taken), Arc::clone(&followed.told));
            tokio::spawn(async move {
                let tell = |reloaded: &Reloaded| told.lock().expect("told").push(reloaded.clone());
                let take = |number| {
                    taken.lock().expect("taken").push(number);
                    ready(Ok(()))
                };
                follow(held, &wake, || read(&path), take, tell).await
            });
            followed
        }

        async fn looks(&self, number: u32) {
            tokio::time::sleep(LOOK_EVERY * number + LOOK_EVERY / 2).await;
        }

        fn taken(&self) -> Vec<u32> {
            self.taken.lock().expect("taken").clone()
        }

        fn told(&self) -> Vec<Reloaded> {
            std::mem::take(&mut *self.told.lock().expect("told"))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_changed_is_taken_once_it_is_whole() {
        let followed = Followed::begin();
        followed.looks(4).await;
        assert_eq!(followed.taken(), [0; 0], "nothing has changed");
        fs::write(&followed.path, "2").expect("a file");
        followed.looks(3).await;
        assert_eq!(followed.taken(), [2]);
        fs::write(&followed.path, "2").expect("a file");
        followed.looks(3).await;
        assert_eq!(followed.taken(), [2], "the same content is no change");
        assert_eq!(followed.told(), [Reloaded::Taken]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_wrong_is_told_once_and_the_old_holds() {
        let followed = Followed::begin();
        fs::write(&followed.path, "two").expect("a file");
        followed.looks(6).await;
        let why = "no number: two".to_owned();
        assert_eq!(followed.told(), [Reloaded::KeptOld(why)]);
        assert_eq!(followed.taken(), [0; 0]);
        fs::remove_file(&followed.path).expect("a file");
        followed.looks(4).await;
        assert_eq!(followed.told().len(), 1);
        fs::write(&followed.path, "3").expect("a file");
        followed.looks(4).await;
        assert_eq!((followed.taken(), followed.told().len()), (vec![3], 1));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_wakes_it_hears_of_it_without_a_change() {
        let followed = Followed::begin();
        followed.looks(1).await;
        followed.wake.notify_one();
        followed.looks(1).await;
        assert_eq!(
            (followed.taken(), followed.told()),
            (vec![1], vec![Reloaded::Taken])
        );
    }
}
