//! Stopping a run: nothing new is begun, and what is in flight has a little time, or all it needs.

use tokio::sync::watch;

/// Asks a run to stop.
#[derive(Clone, Debug)]
pub struct StopHandle(watch::Sender<Wish>);

/// What a run watches.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<Wish>);

/// What a run was asked to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wish {
    /// To go on.
    #[default]
    GoOn,
    /// To begin nothing new, and bring what is in flight to its end.
    Drain,
    /// To begin nothing new, and give what is in flight a little time.
    Stop,
}

impl Stop {
    /// A stop that was not asked for yet, and the handle that asks for it.
    #[must_use]
    pub fn new() -> (StopHandle, Self) {
        let (sender, receiver) = watch::channel(Wish::GoOn);
        (StopHandle(sender), Self(receiver))
    }

    /// Ready once the run was asked to stop in either way; never, if the handle is gone before.
    pub async fn wished(&mut self) {
        self.asked().await;
    }

    /// As [`Stop::wished`]; gives the way.
    pub(crate) async fn asked(&mut self) -> Wish {
        self.beyond(Wish::GoOn).await
    }

    /// Ready once the run was asked for more than `known`.
    pub(crate) async fn beyond(&mut self, known: Wish) -> Wish {
        if let Ok(wish) = self.0.wait_for(|wish| *wish > known).await {
            return *wish;
        }
        std::future::pending().await
    }
}

impl StopHandle {
    /// Asks for it: what is in flight has a few seconds.
    pub fn stop(&self) {
        self.0.send_replace(Wish::Stop);
    }

    /// Whether [`StopHandle::stop`] was asked for.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        *self.0.borrow() == Wish::Stop
    }

    /// Asks for it: what is in flight runs to its end, however long that takes.
    pub fn drain(&self) {
        self.0.send_if_modified(|wish| {
            let further = *wish < Wish::Drain;
            *wish = (*wish).max(Wish::Drain);
            further
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_drain_can_become_a_stop_and_not_the_other_way() {
        let (handle, mut stop) = Stop::new();
        handle.drain();
        assert_eq!(stop.asked().await, Wish::Drain);
        handle.stop();
        handle.drain();
        assert_eq!(stop.beyond(Wish::Drain).await, Wish::Stop);
    }
}
