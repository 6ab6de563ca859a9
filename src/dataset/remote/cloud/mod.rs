//! Buckets and containers of the clouds, through their own protocols.

mod error;
mod open;
mod parts;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt as _};

pub(super) use self::open::open;

use self::error::{NotAsAsked, said};
use self::parts::CloudParts;
use super::address::CloudKind;
use super::depot::{Depot, Opened, Parts};
use super::error::RemoteError;

/// A bucket.
struct Cloud {
    kind: CloudKind,
    /// Its address, such as `s3://bucket/`.
    root: String,
    /// For reading: whoever reads tries again by itself.
    once: Arc<dyn ObjectStore>,
    /// For writing: tries again by itself.
    patient: Arc<dyn ObjectStore>,
}

impl Cloud {
    fn shown(&self, key: &str) -> String {
        format!("{}{key}", self.root)
    }

    fn path(&self, key: &str) -> Result<Path, RemoteError> {
        Path::parse(key).map_err(|_| RemoteError::Malformed {
            shown: self.shown(key),
            what: "a part of the key is empty, or is . or ..".to_owned(),
        })
    }

    fn told(&self, key: &str, error: &object_store::Error) -> RemoteError {
        self::error::told(self.kind, &self.shown(key), error)
    }

    /// What a range that is not there means: that there is nothing, or not as much as before.
    async fn nothing(&self, key: &str, path: &Path, from: u64) -> Result<Opened, RemoteError> {
        let shown = || self.shown(key);
        let meta = self.once.head(path).await;
        let meta = meta.map_err(|error| self.told(key, &error))?;
        if meta.size > from || from > 0 {
            return Err(RemoteError::Changed { shown: shown() });
        }
        Ok(Opened {
            size: Some(0),
            version: meta.e_tag,
            from: 0,
            chunks: futures::stream::empty().boxed(),
        })
    }
}

#[async_trait]
impl Depot for Cloud {
    async fn read(&self, key: &str, range: Option<Range<u64>>) -> Result<Opened, RemoteError> {
        let path = self.path(key)?;
        let from = range.as_ref().map_or(0, |range| range.start);
        let asked = range.map(|range| match range.end {
            u64::MAX => GetRange::Offset(range.start),
            _ => GetRange::Bounded(range),
        });
        let options = GetOptions::new().with_range(asked);
        let result = match self.once.get_opts(&path, options).await {
            Ok(result) => result,
            Err(error) => {
                return match said(&error) {
                    Some(NotAsAsked::NoSuchRange) => self.nothing(key, &path, from).await,
                    Some(NotAsAsked::Whole) => Err(RemoteError::NoRanges {
                        shown: self.shown(key),
                    }),
                    None => Err(self.told(key, &error)),
                };
            }
        };
        let shown = self.shown(key);
        Ok(Opened {
            size: Some(result.meta.size),
            version: result
                .meta
                .e_tag
                .clone()
                .or_else(|| Some(result.meta.last_modified.to_string())),
            from: result.range.start,
            chunks: result
                .into_stream()
                .map_err(move |_| RemoteError::BrokeOff {
                    shown: shown.clone(),
                    at: from,
                    of: String::new(),
                })
                .boxed(),
        })
    }

    async fn list(&self, folder: &str, deep: bool) -> Result<Vec<String>, RemoteError> {
        let path = self.path(folder)?;
        let prefix = (!folder.is_empty()).then_some(&path);
        let found = if deep {
            self.once.list(prefix).try_collect().await
        } else {
            let found = self.once.list_with_delimiter(prefix).await;
            found.map(|found| found.objects)
        };
        let found = found.map_err(|error| self.told(folder, &error))?;
        let keys = found.into_iter().map(|meta| meta.location.to_string());
        // Some tools make an empty object for a folder.
        let mut keys: Vec<String> = keys
            .filter(|key| key.len() > folder.len() && key.starts_with(folder))
            .collect();
        keys.sort();
        Ok(keys)
    }

    async fn put(&self, key: &str, bytes: Bytes) -> Result<(), RemoteError> {
        let put = self.patient.put(&self.path(key)?, bytes.into()).await;
        put.map(drop).map_err(|error| self.told(key, &error))
    }

    async fn begin(&self, key: &str) -> Result<Box<dyn Parts>, RemoteError> {
        let begun = self.patient.put_multipart(&self.path(key)?).await;
        let upload = begun.map_err(|error| self.told(key, &error))?;
        Ok(Box::new(CloudParts::new(
            self.kind,
            self.shown(key),
            upload,
        )))
    }

    async fn remove(&self, key: &str) -> Result<(), RemoteError> {
        let path = self.path(key)?;
        match self.patient.delete(&path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.told(key, &error)),
        }
    }
}

/// Without the clients, which know credentials.
impl fmt::Debug for Cloud {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = &self.root;
        formatter
            .debug_struct("Cloud")
            .field("root", root)
            .finish_non_exhaustive()
    }
}
