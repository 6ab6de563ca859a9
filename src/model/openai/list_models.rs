//! The models that a server says it has.

use std::error::Error;

use serde::Deserialize;

use super::http_client::http_client;
use super::secrets::Secrets;
use super::service::headers;
use super::{Endpoint, EndpointError};

/// A server that does not say which models it has.
#[derive(Debug, thiserror::Error)]
pub enum ListModelsError {
    /// No client can be made for the endpoint.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// Nothing listens there, or the host is not known.
    #[error("could not connect to {endpoint}")]
    NotConnected {
        /// The address, without credentials.
        endpoint: String,
        /// What went wrong underneath.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server cannot be reached, or what it says is no list of models.
    #[error("{endpoint} does not say which models it has: {why}")]
    Failed {
        /// The address, without credentials.
        endpoint: String,
        /// What went wrong.
        why: String,
    },
}

#[derive(Deserialize)]
struct List {
    data: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
}

/// What lies at the bottom of a failure.
fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    error.source().map_or(error, innermost)
}

/// Asks the server of `endpoint`, whose model may be empty, for its models.
///
/// # Errors
///
/// [`ListModelsError`] when it cannot be reached, or does not say.
pub async fn list_models(endpoint: &Endpoint) -> Result<Vec<String>, ListModelsError> {
    let http = http_client(endpoint)?;
    let headers = headers(endpoint, &http)?;
    let secrets = Secrets::of(endpoint);
    let failed = |why: &str| ListModelsError::Failed {
        endpoint: endpoint.base_url.to_string(),
        why: secrets.hide(why),
    };
    let request = http
        .get(format!("{}/models", endpoint.base_url.as_str()))
        .headers(headers)
        .timeout(endpoint.connect_timeout);
    let asked = async { request.send().await?.error_for_status()?.bytes().await };
    let body = asked.await.map_err(|error| {
        let error = error.without_url();
        if error.is_connect() {
            return ListModelsError::NotConnected {
                endpoint: endpoint.base_url.to_string(),
                source: secrets.hide(&innermost(&error).to_string()).into(),
            };
        }
        let cause = error
            .source()
            .map_or(String::new(), |cause| format!(": {cause}"));
        failed(&format!("{error}{cause}"))
    })?;
    let list: List =
        serde_json::from_slice(&body).map_err(|_| failed("the reply is no list of models"))?;
    Ok(list.data.into_iter().map(|model| model.id).collect())
}
