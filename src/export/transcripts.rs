//! `transcripts`: the transcripts themselves, byte for byte as sealed.

use super::{Format, Item, LeftOut};

/// Transcripts as sealed.
#[derive(Debug)]
pub(super) struct Transcripts;

impl Format for Transcripts {
    fn rows(&mut self, item: &Item<'_>) -> Result<Vec<Vec<u8>>, LeftOut> {
        Ok(vec![item.body.to_vec()])
    }
}
