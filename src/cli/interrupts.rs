//! Ctrl-C and SIGTERM: the first asks a run to stop, the second ends the process.

use super::{Exit, keyboard};
use crate::run::StopHandle;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What interrupts a run; signals are heard from the moment this is made.
pub(super) struct Interrupts {
    #[cfg(unix)]
    interrupt: Signal,
    #[cfg(unix)]
    terminate: Signal,
}

impl Interrupts {
    /// Begins to listen.
    ///
    /// # Errors
    ///
    /// When the system does not let this process hear signals.
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            interrupt: signal(SignalKind::interrupt())?,
            #[cfg(unix)]
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// The first one asks the run to stop; the second ends the process.
    pub(super) async fn watch(mut self, handle: StopHandle) {
        self.next().await;
        handle.stop();
        self.next().await;
        keyboard::restore_terminal();
        std::process::exit(Exit::Interrupted as i32);
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
