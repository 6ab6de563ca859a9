//! What `redraft serve` takes up while it runs: changed settings and constitutions, keys, certificates.

use std::convert::Infallible;
use std::future::ready;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Notify;

use super::args::{PipelineArgs, served};
use super::error;
use crate::app::Connections;
use crate::config::Settings;
use crate::gateway::access::{Access, KeyFile};
use crate::gateway::reload::{Built, Held, Reloaded, follow};
use crate::gateway::{Gateway, Served, Tls, TlsFiles};
use crate::telemetry::Metrics;

/// What changes are taken up into.
pub(super) struct Serving {
    pub(super) gateway: Arc<Gateway>,
    pub(super) access: Arc<Access>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) connections: Connections,
    /// The command line, by which settings are resolved again.
    pub(super) pipeline: PipelineArgs,
    pub(super) settings: Settings,
}

/// Builds the models that settings offer, and names the files that decide them.
pub(super) fn offered(
    settings: &Settings,
    connections: &Connections,
) -> anyhow::Result<Built<Vec<Served>>> {
    let models = served(settings, connections)?;
    let mut files: Vec<PathBuf> = settings.file.iter().cloned().collect();
    for model in &models {
        if let Some(panel) = &model.panel {
            files.extend_from_slice(panel.texts.constitution().files());
        }
    }
    if let Some(folder) = &settings.prompts {
        let entries = std::fs::read_dir(folder)?;
        files.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
    }
    files.sort_unstable();
    files.dedup();
    Ok(Built {
        state: models,
        files,
    })
}

impl Serving {
    /// Takes up what changes, until it is dropped. `models` are the files that decided the models that
    /// are offered now, as they were then.
    pub(super) async fn keep_up(
        self,
        models: Held,
        keys: Held,
        tls: Option<(Arc<Tls>, TlsFiles, Held)>,
    ) {
        let wakes = [Arc::<Notify>::default(), Arc::default(), Arc::default()];
        let [wake_models, wake_keys, wake_tls] = wakes.clone();
        tokio::select! {
            never = on_hangup(&wakes) => match never {},
            never = self.follow_models(models, &wake_models) => match never {},
            never = self.follow_keys(keys, &wake_keys) => match never {},
            never = self.follow_tls(tls, &wake_tls) => match never {},
        }
    }

    async fn follow_models(&self, held: Held, wake: &Notify) -> Infallible {
        let build = || {
            let pipeline = self.pipeline.clone();
            let store = Some(self.settings.store.clone());
            let settings = pipeline
                .settings(store)
                .map_err(anyhow::Error::new)
                .and_then(|settings| offered(&settings.batched(false), &self.connections));
            settings.map_err(Whole)
        };
        let take = |models| async move {
            let offered = self.gateway.offer(models).await;
            offered.map_err(|error| Whole(error.into()))
        };
        follow(held, wake, build, take, |told| {
            self.tell("settings and constitutions", told);
        })
        .await
    }

    async fn follow_keys(&self, held: Held, wake: &Notify) -> Infallible {
        let file = &self.settings.gateway.keys;
        let build = || {
            Ok::<_, Whole>(Built {
                state: KeyFile::read(file).map_err(|error| Whole(error.into()))?,
                files: vec![file.clone()],
            })
        };
        let take = |keys| {
            let replaced = self.access.replace(keys);
            ready(replaced.map_err(|error| Whole(error.into())))
        };
        follow(held, wake, build, take, |told| self.tell("keys", told)).await
    }

    async fn follow_tls(
        &self,
        tls: Option<(Arc<Tls>, TlsFiles, Held)>,
        wake: &Notify,
    ) -> Infallible {
        let Some((tls, files, held)) = tls else {
            return std::future::pending().await;
        };
        let build = || {
            Ok::<_, Whole>(Built {
                state: files.load().map_err(|error| Whole(error.into()))?,
                files: vec![files.certificate.clone(), files.key.clone()],
            })
        };
        let take = |config| {
            tls.replace(config);
            ready(Ok(()))
        };
        follow(held, wake, build, take, |told| {
            self.tell("certificate", told);
        })
        .await
    }

    fn tell(&self, what: &str, told: &Reloaded) {
        self.metrics.count_reload(matches!(told, Reloaded::Taken));
        match told {
            Reloaded::Taken => tracing::info!("taken up: changed {what}"),
            Reloaded::KeptOld(why) => {
                tracing::warn!("the changed {what} are wrong, and those before hold: {why}");
            }
        }
    }
}

/// An error with all that caused it, in one line.
struct Whole(anyhow::Error);

impl std::fmt::Display for Whole {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&error::whole(self.0.as_ref()))
    }
}

/// Wakes all of them on SIGHUP.
#[cfg(unix)]
async fn on_hangup(wakes: &[Arc<Notify>]) -> Infallible {
    use tokio::signal::unix::{SignalKind, signal};

    let Ok(mut hangups) = signal(SignalKind::hangup()) else {
        tracing::warn!("SIGHUP is not heard; files are looked at all the same");
        return std::future::pending().await;
    };
    loop {
        hangups.recv().await;
        for wake in wakes {
            wake.notify_one();
        }
    }
}

#[cfg(not(unix))]
async fn on_hangup(_wakes: &[Arc<Notify>]) -> Infallible {
    std::future::pending().await
}
