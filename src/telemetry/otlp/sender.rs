//! The HTTP client that carries spans: the one of this program, on its runtime.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::runtime::Handle;

/// The most of a collector's answer that is read.
const MOST: usize = 1 << 20;

/// Sends requests on a runtime, from whatever thread they come.
#[derive(Debug)]
pub(super) struct Sender {
    client: reqwest::Client,
    runtime: Handle,
    /// Whether the last request came to nothing, and that was said.
    failing: AtomicBool,
}

impl Sender {
    /// A sender whose requests take at most so long.
    pub(super) fn new(runtime: Handle, limit: Duration) -> Result<Self, reqwest::Error> {
        // Whoever installed one before has the same in mind.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(limit).build()?;
        Ok(Self {
            client,
            runtime,
            failing: AtomicBool::new(false),
        })
    }

    /// Says once that nothing arrives any more.
    fn note(&self, failure: Option<String>) {
        let was_failing = self.failing.swap(failure.is_some(), Ordering::Relaxed);
        if let (Some(why), false) = (failure, was_failing) {
            tracing::warn!(%why, "spans do not reach the collector");
        }
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        let client = self.client.clone();
        let outcome = self.runtime.spawn(exchange(client, request)).await?;
        self.note(match &outcome {
            Ok(reply) if reply.status().is_success() => None,
            Ok(reply) => Some(reply.status().to_string()),
            // The address may hold a key.
            Err(error) => Some(describe(error)),
        });
        Ok(outcome?)
    }
}

async fn exchange(
    client: reqwest::Client,
    request: reqwest::Request,
) -> Result<Response<Bytes>, reqwest::Error> {
    let mut reply = client
        .execute(request)
        .await
        .map_err(reqwest::Error::without_url)?;
    let mut body = Vec::new();
    while body.len() < MOST
        && let Some(part) = reply.chunk().await.map_err(reqwest::Error::without_url)?
    {
        body.extend_from_slice(&part);
    }
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = reply.status();
    *response.headers_mut() = std::mem::take(reply.headers_mut());
    Ok(response)
}

fn describe(error: &reqwest::Error) -> String {
    let mut said = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        said = format!("{said}: {cause}");
        source = cause.source();
    }
    said
}
