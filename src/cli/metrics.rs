//! `--metrics-addr ADDR`: gives out metrics while a command is under way.

use std::net::SocketAddr;
use std::sync::Arc;

use clap::Args;

use crate::app::Connections;
use crate::telemetry::Metrics;
use crate::telemetry::metrics::MetricsListener;

/// Whether metrics are given out.
#[derive(Debug, Clone, Args)]
pub(super) struct MetricsArgs {
    /// Give out metrics for Prometheus at ADDR, under /metrics, while this goes on
    #[arg(long, value_name = "ADDR")]
    metrics_addr: Option<SocketAddr>,
}

impl MetricsArgs {
    /// Gives out what the connections count from now on, where that is wished for;
    /// until what it gives is dropped.
    pub(super) async fn give_out(
        &self,
        connections: &mut Connections,
        quiet: bool,
    ) -> anyhow::Result<Option<MetricsListener>> {
        let Some(address) = self.metrics_addr else {
            return Ok(None);
        };
        let metrics = connections.metrics.clone().unwrap_or_else(Metrics::new);
        let listener = MetricsListener::bind(address, Arc::clone(&metrics)).await?;
        if !quiet {
            eprintln!("  metrics: http://{}/metrics", listener.address());
        }
        metrics.watch(&connections.traffic);
        connections.metrics = Some(metrics);
        Ok(Some(listener))
    }
}
