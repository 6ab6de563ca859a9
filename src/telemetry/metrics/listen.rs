//! A small HTTP server that gives out the metrics of a command that takes long.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::header::CONTENT_TYPE as CONTENT_TYPE_HEADER;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{CONTENT_TYPE, Metrics};

/// Metrics cannot be given out at that address.
#[derive(Debug, thiserror::Error)]
#[error("cannot give out metrics at {address}")]
pub struct MetricsListenerError {
    address: SocketAddr,
    #[source]
    source: std::io::Error,
}

impl Metrics {
    /// The route `GET /metrics`.
    pub fn routes(self: &Arc<Self>) -> Router {
        let metrics = Arc::clone(self);
        let answer =
            move || async move { ([(CONTENT_TYPE_HEADER, CONTENT_TYPE)], metrics.render()) };
        Router::new().route("/metrics", get(answer))
    }
}

/// A server of `GET /metrics`; dropped, it ends.
#[derive(Debug)]
pub struct MetricsListener {
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl MetricsListener {
    /// Gives metrics out at `address`.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened at.
    pub async fn bind(
        address: SocketAddr,
        metrics: Arc<Metrics>,
    ) -> Result<Self, MetricsListenerError> {
        let failed = |source| MetricsListenerError { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let router = metrics.routes();
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::warn!(%error, "metrics are no longer given out");
            }
        });
        Ok(Self { address, server })
    }

    /// Where it listens: the port that was found where 0 was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for MetricsListener {
    fn drop(&mut self) {
        self.server.abort();
    }
}
