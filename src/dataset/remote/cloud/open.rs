//! Opens a bucket with what the environment says about its cloud.

use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::{BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig};

use super::Cloud;
use super::error::{credentials_hint, plain};
use crate::dataset::remote::address::{BucketAddress, CloudKind};
use crate::dataset::remote::depot::Depot;
use crate::dataset::remote::error::RemoteError;
use crate::dataset::remote::patience::{FIRST_WAIT, LONGEST_WAIT, retries};
use crate::dataset::remote::wait::wait;
use crate::dataset::remote::web::install_tls_provider;

/// A whole request may take long: its bytes are taken no faster than rows are worked on.
const REQUEST_LIMIT: &str = "365days";
/// How long a server may be silent in the middle of an answer.
const SILENCE_LIMIT: &str = "60s";

/// Two clients of one bucket: one that asks once, and one that tries again.
type Pair = (Arc<dyn ObjectStore>, Arc<dyn ObjectStore>);

/// Opens the bucket of an address, and finds out that there are credentials for it.
///
/// # Errors
///
/// When the environment says nothing that can be used.
pub(in crate::dataset::remote) fn open(
    address: &BucketAddress,
) -> Result<Arc<dyn Depot>, RemoteError> {
    install_tls_provider();
    let (once, patient) = match address.cloud {
        CloudKind::S3 => s3(address),
        CloudKind::Google => google(address),
        CloudKind::Azure => azure(address),
    }?;
    Ok(Arc::new(Cloud {
        kind: address.cloud,
        root: address.root.clone(),
        once,
        patient,
    }))
}

/// Builds both clients of one builder, and asks the first one for its credentials, which some have
/// to fetch.
macro_rules! pair {
    ($address:expr, $builder:expr, $key:ident) => {{
        let address: &BucketAddress = $address;
        let builder = $builder
            .with_config($key::Client(ClientConfigKey::Timeout), REQUEST_LIMIT)
            .with_config($key::Client(ClientConfigKey::ReadTimeout), SILENCE_LIMIT)
            .with_url(address.root.as_str());
        let is_signed = builder.get_config_value(&$key::SkipSignature).as_deref() != Some("true");
        let once = builder.clone().with_retry(retry(0)).build();
        let once = once.map_err(|error| settings(address, &error))?;
        let patient = builder.with_retry(retry(retries())).build();
        let patient = patient.map_err(|error| settings(address, &error))?;
        if is_signed {
            let credentials = once.credentials().clone();
            let shown = address.clone();
            wait(async move {
                let found = credentials.get_credential().await;
                found.map(drop).map_err(|error| settings(&shown, &error))
            })?;
        }
        Ok((Arc::new(once), Arc::new(patient)))
    }};
}

fn s3(address: &BucketAddress) -> Result<Pair, RemoteError> {
    let builder = AmazonS3Builder::from_env()
        // Removing several objects in one request is what not every server of this kind can do.
        .with_config(AmazonS3ConfigKey::DisableBulkDelete, "true");
    pair!(address, builder, AmazonS3ConfigKey)
}

fn google(address: &BucketAddress) -> Result<Pair, RemoteError> {
    let builder = GoogleCloudStorageBuilder::from_env();
    pair!(address, builder, GoogleConfigKey)
}

fn azure(address: &BucketAddress) -> Result<Pair, RemoteError> {
    let builder = MicrosoftAzureBuilder::from_env();
    pair!(address, builder, AzureConfigKey)
}

fn retry(retries: u32) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: FIRST_WAIT,
            max_backoff: LONGEST_WAIT,
            base: 2.0,
        },
        max_retries: retries as usize,
        ..RetryConfig::default()
    }
}

fn settings(address: &BucketAddress, error: &object_store::Error) -> RemoteError {
    RemoteError::Settings {
        shown: address.root.clone(),
        what: plain(error),
        hint: credentials_hint(address.cloud),
    }
}
