//! The HTTP client underneath: connections, TLS and proxies.

use std::sync::Once;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};

use super::{Endpoint, EndpointError};

/// What we call ourselves.
pub(super) const AGENT: &str = concat!("redraft/", env!("CARGO_PKG_VERSION"));
/// A reply may take minutes in which nothing is sent: routers must not forget it.
pub(super) const KEEPALIVE: Duration = Duration::from_secs(30);
/// How long a connection is kept that nobody uses.
pub(super) const LONGEST_IDLE: Duration = Duration::from_secs(60);

/// The client for `endpoint`, with a connection pool of its own.
///
/// # Errors
///
/// [`EndpointError::Client`] when TLS is needed and cannot be set up.
pub(super) fn http_client(endpoint: &Endpoint) -> Result<Client, EndpointError> {
    install_tls_provider();
    let client = match builder(endpoint).build() {
        // A container without certificates can still reach a server that needs none.
        Err(_) if !endpoint.base_url.is_encrypted() => builder(endpoint).tls_certs_only([]).build(),
        client => client,
    };
    client.map_err(EndpointError::Client)
}

fn builder(endpoint: &Endpoint) -> ClientBuilder {
    let builder = Client::builder()
        .user_agent(AGENT)
        .connect_timeout(endpoint.connect_timeout)
        .tcp_nodelay(true)
        .tcp_keepalive(KEEPALIVE)
        .pool_idle_timeout(LONGEST_IDLE)
        .pool_max_idle_per_host(usize::MAX)
        // A redirected POST becomes a GET; the user should hear of the right address instead.
        .redirect(Policy::none());
    if endpoint.base_url.is_loopback() {
        builder.no_proxy()
    } else {
        builder
    }
}

/// reqwest is built without a TLS provider, so that ring is the only one in the program.
fn install_tls_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that the program around the library has chosen one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
