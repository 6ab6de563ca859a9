//! Where a transcript came from that another tool made.

use serde::{Deserialize, Serialize};

/// Where a transcript came from that another tool made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// The form that it had.
    pub from: String,
}
