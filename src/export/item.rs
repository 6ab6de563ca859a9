//! What an export is given: a sealed transcript, opened, and the requests that its calls made.

use super::{Decided, Requests};
use crate::digest::Digest;
use crate::transcript::Transcript;

/// A sealed transcript on its way into a file.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// The transcript.
    pub transcript: &'a Transcript,
    /// Its bytes, as sealed.
    pub body: &'a [u8],
    /// The digest of the record's content.
    pub content: Digest,
    /// What people decided about it.
    pub decided: Decided,
    /// What its calls asked, for formats that want to know.
    pub requests: &'a Requests,
}
