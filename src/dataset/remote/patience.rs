//! How often a request is made again, and how long apart.

use std::time::Duration;

use super::error::RemoteError;

/// The variable that says how often.
const RETRIES: &str = "REDRAFT_REMOTE_RETRIES";
/// How often when nobody says otherwise: half a minute in all.
const USUAL_RETRIES: u32 = 8;
/// How often where nobody answers at all, at most: an address may just be wrong.
const UNREACHABLE_RETRIES: u32 = 3;
/// How long before the second request; doubled each time.
pub(super) const FIRST_WAIT: Duration = Duration::from_millis(200);
/// How long at most.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// How long at most where a server asks for it.
const LONGEST_ASKED: Duration = Duration::from_secs(60);

/// How often a request is made again.
pub(super) fn retries() -> u32 {
    let said = std::env::var(RETRIES).ok();
    let said = said.and_then(|said| said.trim().parse().ok());
    said.unwrap_or(USUAL_RETRIES)
}

/// What is left of the patience with a server.
#[derive(Clone, Debug)]
pub(super) struct Patience {
    most: u32,
    tried: u32,
}

impl Patience {
    /// All of it.
    pub(super) fn new() -> Self {
        Self {
            most: retries(),
            tried: 0,
        }
    }

    /// Begins anew, since something came.
    pub(super) fn restore(&mut self) {
        self.tried = 0;
    }

    /// Waits before another try; gives the error back where there is none.
    ///
    /// # Errors
    ///
    /// `error`, when it will not pass, or did not.
    pub(super) async fn again(&mut self, error: RemoteError) -> Result<(), RemoteError> {
        let pause = self.next_pause(error)?;
        tokio::time::sleep(pause).await;
        Ok(())
    }

    fn next_pause(&mut self, error: RemoteError) -> Result<Duration, RemoteError> {
        let most = match error {
            RemoteError::Unreachable { .. } => self.most.min(UNREACHABLE_RETRIES),
            _ => self.most,
        };
        if !error.may_pass() || self.tried >= most {
            return Err(error);
        }
        let doubled = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(self.tried));
        self.tried += 1;
        Ok(match error {
            RemoteError::Failing {
                after: Some(after), ..
            } => Duration::from_millis(after).min(LONGEST_ASKED),
            _ => doubled.min(LONGEST_WAIT),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing(after: Option<u64>) -> RemoteError {
        RemoteError::Failing {
            shown: "s3://b/k".to_owned(),
            status: 503,
            after,
        }
    }

    #[test]
    fn pauses_grow_and_end() {
        let mut patience = Patience { most: 3, tried: 0 };
        let mut pause = |after| patience.next_pause(failing(after)).ok();
        assert_eq!(pause(None), Some(FIRST_WAIT));
        assert_eq!(pause(Some(0)), Some(Duration::ZERO));
        assert_eq!(pause(None), Some(FIRST_WAIT * 4));
        assert_eq!(pause(None), None);
        patience.restore();
        let changed = RemoteError::Changed {
            shown: String::new(),
        };
        assert!(patience.next_pause(changed).is_err());
        let mut long = Patience {
            most: 100,
            tried: 60,
        };
        assert_eq!(long.next_pause(failing(None)), Ok(LONGEST_WAIT));
    }
}
