//! Datasets on other machines: buckets of the clouds, the hub, and addresses of the web.
//!
//! Whoever reads or writes them blocks; the network's work goes on in a thread of its own
//! (`wait`). An object is read as a file is (`reader`, and `chunks` for Parquet): what breaks off is
//! asked for again from that byte on, if it is still the same object. What is written is seen when
//! it is whole (`upload`). Who runs a place is known only to its [`depot`]: `cloud`, `hub` and
//! `web`.

mod address;
mod body;
mod bucket;
#[cfg(feature = "parquet")]
mod chunks;
#[cfg(feature = "remote")]
mod cloud;
mod depot;
mod error;
mod find;
mod hub;
#[cfg(not(feature = "remote"))]
mod no_cloud;
mod object;
mod patience;
mod reader;
mod upload;
mod wait;
mod web;

#[cfg(not(feature = "remote"))]
use self::no_cloud as cloud;

pub(super) use self::address::Address;
pub(super) use self::bucket::Bucket;
#[cfg(feature = "parquet")]
pub(super) use self::chunks::RemoteFile;
pub use self::error::RemoteError;
pub(super) use self::find::{Behind, Depots, Keys};
pub(super) use self::object::Object;
pub(super) use self::reader::RemoteReader;
pub(super) use self::upload::Upload;
