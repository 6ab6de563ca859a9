//! What a place on another machine can do, whoever runs it.

use std::fmt::Debug;
use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;

use super::body::Chunks;
use super::error::RemoteError;

/// The bytes of an object from some place on.
pub(super) struct Opened {
    /// How long the whole object is, where the server says it.
    pub(super) size: Option<u64>,
    /// What names its content: an entity tag, or when it was changed.
    pub(super) version: Option<String>,
    /// Where the bytes begin: at zero where the server gives objects only whole.
    pub(super) from: u64,
    /// The bytes.
    pub(super) chunks: Chunks,
}

/// A bucket, a dataset, or an address of the web: objects by their keys.
///
/// A request that a depot makes once is tried again by whoever asks, while the error says that it
/// may pass.
#[async_trait]
pub(super) trait Depot: Debug + Send + Sync {
    /// The bytes of an object: a range of it, or all from its start.
    ///
    /// # Errors
    ///
    /// When there is no such object, or the server does not give it.
    async fn read(&self, key: &str, range: Option<Range<u64>>) -> Result<Opened, RemoteError>;

    /// The keys that begin with `folder`, which is empty or ends in a slash: those right in it, or
    /// with `deep` all, sorted.
    ///
    /// # Errors
    ///
    /// When there is no listing, or the server does not give it.
    async fn list(&self, folder: &str, deep: bool) -> Result<Vec<String>, RemoteError>;

    /// Writes an object in one piece.
    ///
    /// # Errors
    ///
    /// When nothing can be written there.
    async fn put(&self, key: &str, bytes: Bytes) -> Result<(), RemoteError>;

    /// Begins an object that is written in parts.
    ///
    /// # Errors
    ///
    /// When nothing can be written there.
    async fn begin(&self, key: &str) -> Result<Box<dyn Parts>, RemoteError>;

    /// Removes an object, and is content when there is none.
    ///
    /// # Errors
    ///
    /// When it stays.
    async fn remove(&self, key: &str) -> Result<(), RemoteError>;
}

/// An object that is written in parts, and seen when all of them are there.
#[async_trait]
pub(super) trait Parts: Send {
    /// Writes the next part; several may be on their way.
    fn put(&mut self, bytes: Bytes) -> BoxFuture<'static, Result<(), RemoteError>>;

    /// Makes an object of the parts.
    ///
    /// # Errors
    ///
    /// When the server does not.
    async fn complete(&mut self) -> Result<(), RemoteError>;

    /// Gives up, and leaves nothing.
    async fn abort(&mut self);
}
