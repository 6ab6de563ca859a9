//! A bucket that an output goes to.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::address::Address;
use super::cloud;
use super::depot::Depot;
use super::error::RemoteError;
use super::object::Object;
use super::upload::Upload;
use super::wait::wait;
use super::{hub, web};

/// A bucket, and paths in it as they may be shown.
#[derive(Clone, Debug)]
pub(in crate::dataset) struct Bucket {
    depot: Arc<dyn Depot>,
    root: String,
}

impl Bucket {
    /// The bucket of an address to which something is to be written.
    ///
    /// # Errors
    ///
    /// When nothing can be written there, or the environment says nothing that can be used.
    pub(in crate::dataset) fn open(address: &Address) -> Result<Self, RemoteError> {
        let shown = || address.shown().display().to_string();
        match address {
            Address::Bucket(bucket) => Ok(Self {
                depot: cloud::open(bucket)?,
                root: bucket.root.clone(),
            }),
            Address::Web(_) => Err(web::no_writing(&shown())),
            Address::Hub(_) => Err(hub::no_writing(&shown())),
        }
    }

    /// Finds out whether an object can be written, and leaves nothing.
    ///
    /// # Errors
    ///
    /// When it cannot.
    pub(in crate::dataset) fn try_writing(&self, path: &Path) -> Result<(), RemoteError> {
        let (depot, key) = (Arc::clone(&self.depot), self.key(path));
        wait(async move {
            let mut parts = depot.begin(&key).await?;
            // Where beginning is no request, only a part shows what may be done.
            let tried = parts.put(Bytes::from_static(b" ")).await;
            parts.abort().await;
            tried
        })
    }

    /// Begins an object.
    pub(in crate::dataset) fn upload(&self, path: &Path) -> Upload {
        Upload::new(path.to_path_buf(), Arc::clone(&self.depot), self.key(path))
    }

    /// Removes an object, if it is there.
    ///
    /// # Errors
    ///
    /// When it stays.
    pub(in crate::dataset) fn remove(&self, path: &Path) -> Result<(), RemoteError> {
        let (depot, key) = (Arc::clone(&self.depot), self.key(path));
        let shown = path.to_path_buf();
        wait(async move {
            match Object::find(shown, Arc::clone(&depot), key.clone(), b"\0none").await {
                Ok(_) => depot.remove(&key).await,
                Err(error) if error.is_not_there() => Ok(()),
                // Who may write may not be allowed to look, and is not told that nothing is there.
                Err(RemoteError::Denied { .. }) => Ok(()),
                Err(error) => Err(error),
            }
        })
    }

    /// How an object begins; nothing where there is none.
    ///
    /// # Errors
    ///
    /// When the server does not give it.
    pub(in crate::dataset) fn start_of(&self, path: &Path) -> Result<Option<Bytes>, RemoteError> {
        let (depot, key) = (Arc::clone(&self.depot), self.key(path));
        let shown = path.to_path_buf();
        wait(async move {
            match Object::find(shown, depot, key, b"\0none").await {
                Ok(object) => Ok(Some(object.start().clone())),
                Err(error) if error.is_not_there() => Ok(None),
                Err(error) => Err(error),
            }
        })
    }

    /// The paths right in a folder.
    ///
    /// # Errors
    ///
    /// When the server does not list them.
    pub(in crate::dataset) fn paths_in(&self, folder: &Path) -> Result<Vec<PathBuf>, RemoteError> {
        let (depot, root) = (Arc::clone(&self.depot), self.root.clone());
        let folder = format!("{}/", self.key(folder));
        wait(async move {
            let keys = depot.list(&folder, false).await?;
            Ok(keys
                .iter()
                .map(|key| format!("{root}{key}").into())
                .collect())
        })
    }

    fn key(&self, path: &Path) -> String {
        let path = path.to_string_lossy();
        path.strip_prefix(&self.root).unwrap_or(&path).to_owned()
    }
}

impl PartialEq for Bucket {
    fn eq(&self, other: &Self) -> bool {
        self.root == other.root
    }
}

impl Eq for Bucket {}
