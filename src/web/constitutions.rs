//! The principles of a constitution, where they are known.

use std::sync::LazyLock;

use crate::constitution::{Constitution, shipped_names};
use crate::digest::Digest;

static SHIPPED: LazyLock<Vec<Constitution>> = LazyLock::new(|| {
    shipped_names()
        .filter_map(|name| Constitution::load(name).ok())
        .collect()
});

/// The constitution of a digest, if its text is known here. A transcript names its constitution by
/// digest alone; so far only the shipped ones can be recognised by it.
pub(super) fn constitution(digest: Digest) -> Option<&'static Constitution> {
    SHIPPED
        .iter()
        .find(|constitution| constitution.digest() == digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shipped_constitution_is_known_by_its_digest() {
        let privacy = Constitution::load("privacy").unwrap();
        let found = constitution(privacy.digest()).unwrap();
        assert_eq!(found.name(), "privacy");
        assert!(constitution(Digest::of(b"another")).is_none());
    }
}
