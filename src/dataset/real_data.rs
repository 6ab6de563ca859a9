//! The real conversations that tests read, where they are at hand.

use std::fs;
use std::path::Path;

/// The pairs of harmless-base/test, or nothing, with a printed reason, where they are not.
pub(super) fn harmless() -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("../shared/data/hh-rlhf-harmless-test.jsonl");
    match fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) => {
            println!("skipped: {} cannot be read: {error}", path.display());
            None
        }
    }
}
