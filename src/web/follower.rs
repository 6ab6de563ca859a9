//! Keeping the index up with its store while pages are read.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::audit;
use crate::store::Store;
use crate::store::index::{Index, Progress, catch_up};

/// How long a page waits for the index; what comes later is on the next page.
const PATIENCE: Duration = Duration::from_millis(250);

/// How the index stands.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    /// How often it has caught up.
    times: u64,
    /// Whether it is catching up now.
    pub(super) is_behind: bool,
    /// How far it is.
    pub(super) progress: Progress,
    /// Why it could not catch up.
    pub(super) failure: Option<String>,
}

impl Standing {
    /// Before anybody has looked.
    fn at_first() -> Self {
        Self {
            times: 0,
            is_behind: true,
            progress: Progress::default(),
            failure: None,
        }
    }
}

/// What brings the index to where the store is whenever a page asks for it.
pub(super) struct Follower {
    asked: Arc<Notify>,
    standing: watch::Receiver<Standing>,
    task: JoinHandle<()>,
}

impl Follower {
    /// Begins to follow: whenever it is asked.
    pub(super) fn start(
        index: Arc<Index>,
        store: Arc<dyn Store>,
        report: Box<dyn Fn(Progress) + Send + Sync>,
    ) -> Self {
        let (sender, standing) = watch::channel(Standing::at_first());
        let asked = Arc::new(Notify::new());
        let task = tokio::spawn(follow(index, store, Arc::clone(&asked), sender, report));
        Self {
            asked,
            standing,
            task,
        }
    }

    /// Asks the index to catch up, and gives how it stands then or after a moment.
    pub(super) async fn freshen(&self) -> Standing {
        let mut standing = self.standing.clone();
        let before = standing.borrow().times;
        self.asked.notify_one();
        let caught_up = standing.wait_for(|standing| standing.times > before);
        // Whether it has caught up by then or not, the page shows how it stands.
        let _ = tokio::time::timeout(PATIENCE, caught_up).await;
        self.standing.borrow().clone()
    }

    /// Asks the index to catch up, and waits for nothing.
    pub(super) fn begin(&self) {
        self.asked.notify_one();
    }

    /// Waits until the index has caught up once.
    pub(super) async fn first(&self) -> Standing {
        self.begin();
        let mut standing = self.standing.clone();
        let first = standing.wait_for(|standing| standing.times > 0).await;
        first.map_or_else(|_| Standing::at_first(), |standing| standing.clone())
    }
}

async fn follow(
    index: Arc<Index>,
    store: Arc<dyn Store>,
    asked: Arc<Notify>,
    sender: watch::Sender<Standing>,
    report: Box<dyn Fn(Progress) + Send + Sync>,
) {
    loop {
        asked.notified().await;
        let notice = |progress: Progress| {
            report(progress);
            sender.send_modify(|standing| {
                standing.progress = progress;
                standing.is_behind = standing.times == 0 || progress.done < progress.total;
            });
        };
        let ended = catch_up(&index, store.as_ref(), audit::extract, &notice).await;
        sender.send_modify(|standing| {
            standing.times += 1;
            standing.is_behind = false;
            standing.failure = ended.err().map(|error| error.to_string());
        });
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Follower")
            .field("standing", &*self.standing.borrow())
            .finish_non_exhaustive()
    }
}
