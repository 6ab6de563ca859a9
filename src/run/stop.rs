//! Stopping a run: nothing new is begun, and what is in flight has a little time.

use tokio::sync::watch;

/// Asks a run to stop.
#[derive(Clone, Debug)]
pub struct StopHandle(watch::Sender<bool>);

/// What a run watches.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// A stop that was not asked for yet, and the handle that asks for it.
    #[must_use]
    pub fn new() -> (StopHandle, Self) {
        let (sender, receiver) = watch::channel(false);
        (StopHandle(sender), Self(receiver))
    }

    /// Ready once a stop was asked for; never, if the handle is gone.
    pub(super) async fn asked(&mut self) {
        if self.0.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl StopHandle {
    /// Asks for it.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}
