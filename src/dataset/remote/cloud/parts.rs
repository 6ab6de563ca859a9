//! An object that is written in parts to a cloud.

use async_trait::async_trait;
use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use object_store::MultipartUpload;

use super::error::told;
use crate::dataset::remote::address::CloudKind;
use crate::dataset::remote::depot::Parts;
use crate::dataset::remote::error::RemoteError;

/// The parts, of which nothing is seen before they are complete.
pub(super) struct CloudParts {
    kind: CloudKind,
    shown: String,
    upload: Box<dyn MultipartUpload>,
}

impl CloudParts {
    /// Parts of the object that messages call `shown`.
    pub(super) fn new(kind: CloudKind, shown: String, upload: Box<dyn MultipartUpload>) -> Self {
        Self {
            kind,
            shown,
            upload,
        }
    }
}

#[async_trait]
impl Parts for CloudParts {
    fn put(&mut self, bytes: Bytes) -> BoxFuture<'static, Result<(), RemoteError>> {
        let (kind, shown) = (self.kind, self.shown.clone());
        let part = self.upload.put_part(bytes.into());
        part.map(move |put| put.map_err(|error| told(kind, &shown, &error)))
            .boxed()
    }

    async fn complete(&mut self) -> Result<(), RemoteError> {
        let completed = self.upload.complete().await;
        completed
            .map(drop)
            .map_err(|error| told(self.kind, &self.shown, &error))
    }

    async fn abort(&mut self) {
        // What stays is removed by the rules of the bucket, or by whoever owns it.
        let _ = self.upload.abort().await;
    }
}
