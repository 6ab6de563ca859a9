//! What stands for the clouds in a program that was built without their clients.

use std::sync::Arc;

use super::address::BucketAddress;
use super::depot::Depot;
use super::error::RemoteError;

/// Refuses, and says how to get them.
///
/// # Errors
///
/// Always.
pub(super) fn open(address: &BucketAddress) -> Result<Arc<dyn Depot>, RemoteError> {
    Err(RemoteError::NotBuilt {
        shown: address.root.clone(),
    })
}
