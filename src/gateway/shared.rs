//! The gateway itself: the models that it offers, and what they share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use indexmap::IndexMap;
use tokio::time::timeout;

use super::keeper::{Keeper, Unsealed};
use super::observations::Observations;
use super::{Failure, GatewayOptions, Reporter, Served};
use crate::store::{NewRun, RunState, Store, StoreError};
use crate::telemetry;

/// The journal scope of all critics and revisers: their calls serve each other, and nobody else.
pub const SCOPE: &str = "gateway";

type Models = IndexMap<String, Arc<Served>>;

/// The models that are offered, and what they share.
#[derive(Debug)]
pub struct Gateway {
    models: RwLock<Arc<Models>>,
    pub(super) options: GatewayOptions,
    pub(super) keeper: Keeper,
    pub(super) observations: Observations,
    pub(super) reporter: Arc<dyn Reporter>,
    stopping: AtomicBool,
}

impl Gateway {
    /// A gateway that offers these models and keeps its transcripts in this store.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn open(
        models: Vec<Served>,
        store: Arc<dyn Store>,
        options: GatewayOptions,
        reporter: Arc<dyn Reporter>,
    ) -> Result<Arc<Self>, StoreError> {
        let gateway = Arc::new(Self {
            models: RwLock::default(),
            keeper: Keeper::new(store, options.durability),
            observations: Observations::start(options.observations, options.observers),
            options,
            reporter,
            stopping: AtomicBool::new(false),
        });
        gateway.offer(models).await?;
        Ok(gateway)
    }

    /// Offers these models from now on, in place of the ones before; requests that run go on with
    /// those that they began with.
    ///
    /// # Errors
    ///
    /// When the store cannot be written; the models before stay then.
    pub async fn offer(&self, models: Vec<Served>) -> Result<(), StoreError> {
        for model in &models {
            let run = NewRun {
                name: model.run(),
                dataset: format!("answers of {} through the gateway", model.name),
                decided_by: serde_json::Value::Null,
                scope: Some(SCOPE.to_owned()),
                started: telemetry::now(),
            };
            self.keeper.store().open_run(run).await?;
        }
        let models = models
            .into_iter()
            .map(|model| (model.name.clone(), Arc::new(model)));
        let models = Arc::new(models.collect());
        *self.models.write().unwrap_or_else(PoisonError::into_inner) = models;
        Ok(())
    }

    /// The models that are offered now, by their public names.
    #[must_use]
    pub fn models(&self) -> Arc<IndexMap<String, Arc<Served>>> {
        Arc::clone(&self.models.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn find(&self, name: &str) -> Result<Arc<Served>, Failure> {
        let models = self.models();
        models
            .get(name)
            .cloned()
            .ok_or_else(|| Failure::unknown_model(name))
    }

    /// Whether new requests should come here.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.stopping.load(Ordering::Relaxed) && !self.keeper.is_failing()
    }

    /// Whether the store, which failed before, can be written again.
    pub(super) async fn recovers(&self) -> bool {
        let models = self.models();
        match models.values().next() {
            Some(model) if !self.stopping.load(Ordering::Relaxed) => {
                self.keeper.recovers(&model.run()).await
            }
            _ => false,
        }
    }

    /// Says from now on that new requests should go elsewhere.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Waits, for no longer than a stop may take, until observed answers are criticised; then until
    /// every transcript is kept; and notes that nobody works on the runs any more.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn close(&self) -> Result<(), StoreError> {
        let observed = timeout(self.options.limits.stop_time, self.observations.close()).await;
        if observed.is_err() {
            tracing::warn!("some observed answers were not criticised before the end");
            self.observations.abort();
        }
        self.keeper.settle().await;
        for model in self.models().values() {
            let store = self.keeper.store();
            store
                .set_run_state(&model.run(), RunState::Stopped, &telemetry::now())
                .await?;
        }
        self.keeper.store().flush().await
    }

    /// Keeps transcripts; one that cannot be kept costs the answer only where it must be kept first.
    pub(super) async fn keep(
        &self,
        served: &Served,
        make: impl FnOnce() -> Vec<Unsealed> + Send + 'static,
    ) -> Result<(), Failure> {
        let kept = self.keeper.keep(served.run(), make).await;
        kept.map_err(|error| Failure::store(super::failure::in_one_line(&error)))
    }
}
