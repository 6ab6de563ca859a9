//! Waiting for a provider that does not answer as it should.

use std::time::Duration;

use futures::future::BoxFuture;
use tokio::time::sleep;

use super::desk::Desk;
use super::provider::BatchState;
use crate::model::{ModelError, Retry};

/// How one piece of work goes on when the provider fails.
///
/// Until the provider has answered once, the policy's attempts are all there are: the address may
/// be wrong. Afterwards it is waited for, however long that takes, because what is in batches goes
/// on without us.
pub(super) struct Patience<'a> {
    desk: &'a Desk,
    failures: usize,
}

impl<'a> Patience<'a> {
    pub(super) fn new(desk: &'a Desk) -> Self {
        Self { desk, failures: 0 }
    }

    /// Waits before the next attempt.
    ///
    /// # Errors
    ///
    /// The failure itself, when another attempt is of no use.
    pub(super) async fn after(&mut self, error: ModelError) -> Result<(), ModelError> {
        let policy = &self.desk.retry;
        let asked = match error.retry() {
            Retry::Never => return Err(error),
            Retry::Backoff => Duration::ZERO,
            Retry::After(wait) => wait.min(policy.max_retry_after),
        };
        self.failures += 1;
        // What answers, but not what was asked, will hardly change.
        let is_hopeless = !self.desk.was_reached() || matches!(error, ModelError::Garbled { .. });
        if is_hopeless && self.failures >= policy.attempts {
            return Err(error);
        }
        let wait = self.delay().max(asked);
        if self.failures == policy.attempts {
            tracing::warn!(
                model = self.desk.provider.model(),
                %error,
                "the provider of batches does not answer, and is waited for"
            );
        }
        self.desk.state().trouble = Some(error.to_string());
        sleep(wait).await;
        Ok(())
    }

    fn delay(&self) -> Duration {
        let policy = &self.desk.retry;
        let exponent = i32::try_from(self.failures - 1).unwrap_or(i32::MAX).min(30);
        let factor = policy.factor.powi(exponent).clamp(1.0, 1e6);
        policy.first_delay.mul_f32(factor).min(policy.max_delay)
    }
}

/// Repeats a call to the provider as long as that may help.
///
/// # Errors
///
/// The failure that no repetition helps.
pub(super) async fn patiently<'c, T>(
    desk: &Desk,
    mut call: impl FnMut() -> BoxFuture<'c, Result<T, ModelError>>,
) -> Result<T, ModelError> {
    let mut patience = Patience::new(desk);
    loop {
        match call().await {
            Ok(value) => {
                desk.note_reached();
                return Ok(value);
            }
            Err(error) => patience.after(error).await?,
        }
    }
}

/// How often something must be unknown in a row before that is believed: what was made a moment ago
/// may take a while to be seen everywhere, and what is believed to be gone is paid for again.
const LOOKS: u32 = 4;

/// Repeats a call for something that may be gone; nothing when the provider keeps saying that it
/// does not know it.
///
/// # Errors
///
/// Any other failure that no repetition helps.
pub(super) async fn unless_gone<'c, T>(
    desk: &Desk,
    mut call: impl FnMut() -> BoxFuture<'c, Result<T, ModelError>>,
) -> Result<Option<T>, ModelError> {
    for look in 0..LOOKS {
        sleep(before_look(desk, look)).await;
        match patiently(desk, &mut call).await {
            Err(ModelError::Status { status: 404, .. }) => desk.note_reached(),
            outcome => return outcome.map(Some),
        }
    }
    Ok(None)
}

/// Looks for a batch of which nobody knows whether it was made; nothing when it stays unseen.
///
/// # Errors
///
/// When the provider cannot say what batches there are.
pub(super) async fn look_for(
    desk: &Desk,
    file: &str,
    tag: &str,
) -> Result<Option<BatchState>, ModelError> {
    for look in 0..LOOKS {
        sleep(before_look(desk, look)).await;
        let found = patiently(desk, || desk.provider.find(file, tag)).await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn before_look(desk: &Desk, look: u32) -> Duration {
    desk.options.first_poll.saturating_mul(look)
}
