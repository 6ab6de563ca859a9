//! What is in flight once nothing new begins: how long it is waited for.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::Stop;
use super::stop::Wish;
use crate::model::traffic::Traffic;

/// How long what is in flight may take once a stop was asked for.
const GRACE: Duration = Duration::from_secs(4);

/// Waits for what is in flight: for all of it where a drain was wished for, and else for what ends
/// in a little while.
#[derive(Debug)]
pub(crate) struct Patience {
    wish: Wish,
    stop: Stop,
    deadline: Instant,
}

impl Patience {
    /// Begins to wait, as was wished for; whoever holds `stop` can wish for more.
    pub(crate) fn begin(wish: Wish, stop: Stop, traffic: &Arc<Traffic>) -> Self {
        if wish == Wish::Drain {
            // Whoever waits for what is in flight does not hold it.
            traffic.resume();
        }
        Self {
            wish,
            stop,
            deadline: Instant::now() + GRACE,
        }
    }

    /// The next task that ends; nothing once there is none, or no more time.
    pub(crate) async fn next<T: 'static>(
        &mut self,
        tasks: &mut JoinSet<T>,
    ) -> Option<Result<T, JoinError>> {
        loop {
            tokio::select! {
                biased;
                further = self.stop.beyond(self.wish), if self.wish < Wish::Stop => {
                    self.wish = further;
                    self.deadline = Instant::now() + GRACE;
                }
                () = sleep_until(self.deadline), if self.wish == Wish::Stop => return None,
                ended = tasks.join_next() => return ended,
            }
        }
    }
}
