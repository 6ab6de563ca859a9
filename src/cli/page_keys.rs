//! The keys of people who look at pages where there is no gateway.

use std::convert::Infallible;
use std::future::ready;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Notify;

use crate::gateway::access::{Access, KeyFile, KeyFileError, KeyRole};
use crate::gateway::reload::{Built, Held, Reloaded, follow};

/// The keys for people in a file of keys, followed as it changes. Applications' keys count as
/// none: whoever keeps a gateway need not sign in to see its store.
pub(super) struct PageKeys {
    pub(super) access: Arc<Access>,
    file: PathBuf,
    held: Held,
}

impl PageKeys {
    pub(super) fn of(file: PathBuf) -> Result<Self, KeyFileError> {
        let held = Held::now(vec![file.clone()]);
        Ok(Self {
            access: Arc::new(Access::new(for_people(&file)?)),
            file,
            held,
        })
    }

    /// Takes changes up, until it is dropped.
    pub(super) async fn follow(self) -> Infallible {
        let build = || {
            for_people(&self.file).map(|state| Built {
                state,
                files: vec![self.file.clone()],
            })
        };
        let take = |keys| ready(self.access.replace(keys));
        let tell = |told: &Reloaded| match told {
            Reloaded::Taken => tracing::info!("taken up: changed keys"),
            Reloaded::KeptOld(why) => {
                tracing::warn!("the changed keys are wrong, and those before hold: {why}");
            }
        };
        follow(self.held, &Notify::new(), build, take, tell).await
    }
}

fn for_people(file: &Path) -> Result<KeyFile, KeyFileError> {
    let mut keys = KeyFile::read(file)?;
    keys.keys.retain(|key| key.role > KeyRole::Caller);
    Ok(keys)
}
