//! What a run is called, and whether it sees the calls of others.

use super::error::UsageError;
use crate::store::Store;
use crate::telemetry;

/// The journal scope: a fresh run has one of its own, and keeps it when it is continued.
pub(super) async fn scope(
    run: Option<&str>,
    fresh: bool,
    store: &dyn Store,
) -> anyhow::Result<Option<String>> {
    let known = match run {
        Some(name) => store.run(name).await?,
        None => None,
    };
    match (known, fresh) {
        (Some(known), false) => Ok(known.run.scope),
        (None, false) => Ok(None),
        (None, true) => Ok(Some(telemetry::now())),
        (Some(known), true) => Err(UsageError(format!(
            "the run {} is there already; --fresh begins a new one, so give another --run NAME",
            known.run.name
        ))
        .into()),
    }
}

/// The run's name: the one that was given, or else `base`. A fresh run without a name of its own gets
/// a number where that is taken.
pub(super) async fn name(
    given: Option<&str>,
    base: String,
    fresh: bool,
    store: &dyn Store,
) -> anyhow::Result<String> {
    if let Some(name) = given {
        return Ok(name.to_owned());
    }
    if !fresh {
        return Ok(base);
    }
    let mut name = base.clone();
    for number in 2.. {
        if store.run(&name).await?.is_none() {
            break;
        }
        name = format!("{base}-{number}");
    }
    Ok(name)
}
