//! The way from threads that may block to the network, whose work goes on in a thread of its own.

use std::future::Future;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, sync_channel};

use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};
use tokio::task::JoinHandle;

use super::error::RemoteError;

/// Work under way.
pub(super) struct Pending<T>(Receiver<Result<T, RemoteError>>);

/// Begins some work.
pub(super) fn start<T: Send + 'static>(
    work: impl Future<Output = Result<T, RemoteError>> + Send + 'static,
) -> Pending<T> {
    let (sender, receiver) = sync_channel(1);
    let sent = async move {
        // Whoever asked may have gone.
        let _ = sender.send(work.await);
    };
    // Without a runtime the work is dropped, and with it the sender: whoever waits hears of that.
    let _ = spawn(sent);
    Pending(receiver)
}

/// Does some work, and blocks until it is done.
///
/// # Errors
///
/// Those of the work.
pub(super) fn wait<T: Send + 'static>(
    work: impl Future<Output = Result<T, RemoteError>> + Send + 'static,
) -> Result<T, RemoteError> {
    start(work).end()
}

impl<T> Pending<T> {
    /// Blocks until it is done.
    ///
    /// # Errors
    ///
    /// Those of the work.
    pub(super) fn end(self) -> Result<T, RemoteError> {
        blocking(|| self.0.recv()).unwrap_or_else(|_| {
            Err(RemoteError::Other {
                shown: "the network".to_owned(),
                what: "the thread for it could not be started, or has ended".to_owned(),
            })
        })
    }
}

/// Blocks this thread, and lets others do what it was there for.
pub(super) fn blocking<T>(wait: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(wait),
        _ => wait(),
    }
}

/// Begins work that nobody waits for; nothing where there is no thread for it.
pub(super) fn spawn(work: impl Future<Output = ()> + Send + 'static) -> Option<JoinHandle<()>> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("remote")
            .enable_all()
            .build()
            .ok()
    });
    Some(runtime.as_ref()?.spawn(work))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_waited_for_from_any_thread() {
        assert_eq!(wait(async { Ok(1) }), Ok(1));
        let inside = Builder::new_current_thread().build().unwrap();
        assert_eq!(inside.block_on(async { wait(async { Ok(2) }) }), Ok(2));
        let inside = Builder::new_multi_thread().build().unwrap();
        assert_eq!(inside.block_on(async { wait(async { Ok(3) }) }), Ok(3));
    }
}
