//! What an export learns of the run while its transcripts go by.

use std::sync::Arc;

use crate::transcript::{Provenance, Transcript};

/// So many provenances are kept; a run has one unless versions of redraft took turns.
const MOST_PROVENANCES: usize = 8;

/// What an export learns of the run while its transcripts go by.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The run's name.
    pub run: String,
    /// What decided the exported transcripts, each once.
    pub provenances: Vec<Arc<Provenance>>,
    /// The forms that exported transcripts were imported from, each once.
    pub imported: Vec<String>,
}

impl About {
    /// Takes note of an exported transcript.
    pub(super) fn add(&mut self, transcript: &Transcript) {
        let provenance = &transcript.provenance;
        if self.provenances.len() < MOST_PROVENANCES && !self.provenances.contains(provenance) {
            self.provenances.push(Arc::clone(provenance));
        }
        if let Some(imported) = &transcript.imported
            && !self.imported.contains(&imported.from)
        {
            self.imported.push(imported.from.clone());
        }
    }
}
