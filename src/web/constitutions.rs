//! The principles of a constitution, where they are known.

use std::borrow::Cow;
use std::sync::LazyLock;

use crate::constitution::{Constitution, shipped_names};
use crate::digest::Digest;
use crate::store::Store;

static SHIPPED: LazyLock<Vec<Constitution>> = LazyLock::new(|| {
    shipped_names()
        .filter_map(|name| Constitution::load(name).ok())
        .collect()
});

/// The constitution of a digest as it stood: as the store kept it, or a shipped one. Of a store whose
/// runs are older than that, others are not known.
pub(super) async fn constitution(
    store: &dyn Store,
    digest: Digest,
) -> Option<Cow<'static, Constitution>> {
    let has_digest = |constitution: &Constitution| constitution.digest() == digest;
    if let Ok(Some(text)) = store.constitution(digest).await
        && let Ok(kept) = Constitution::from_content(&text)
        && has_digest(&kept)
    {
        return Some(Cow::Owned(kept));
    }
    let shipped = SHIPPED.iter().find(|constitution| has_digest(constitution));
    shipped.map(Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ReviewDesk as _;
    use crate::store::sqlite::SqliteStore;

    #[tokio::test]
    async fn what_the_store_kept_is_known_by_its_digest_and_so_is_what_is_shipped() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("s.db")).unwrap();
        let own = Constitution::from_yaml(
            "own",
            "constitution: own\nversion: \"2.0\"\nprinciples:\n  - { id: be-kind, text: Kind., weight: 2.5 }\n",
        )
        .unwrap();
        assert!(constitution(&store, own.digest()).await.is_none());
        store
            .keep_constitution(own.digest(), &own.content())
            .await
            .unwrap();
        let known = constitution(&store, own.digest()).await.unwrap();
        assert_eq!((known.name(), known.version()), ("own", "2.0"));
        assert_eq!(known.principles()[0].text, "Kind.");
        for name in shipped_names() {
            let shipped = Constitution::load(name).unwrap();
            let again = Constitution::from_content(&shipped.content()).unwrap();
            assert_eq!(again.digest(), shipped.digest(), "{name}");
            assert!(constitution(&store, shipped.digest()).await.is_some());
        }
    }
}
