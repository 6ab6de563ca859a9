//! What an address says: a scheme, whose it is, and what lies there.

use std::fs;
use std::path::{Path, PathBuf};

use reqwest::Url;

use super::error::RemoteError;

/// The revision of a dataset where none is named.
const MAIN: &str = "main";

/// A place on another machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::dataset) enum Address {
    /// A key in a bucket or container of a cloud.
    Bucket(BucketAddress),
    /// Something at an address of the web.
    Web(Url),
    /// Something in a dataset on the hub.
    Hub(HubAddress),
}

/// A key in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::dataset) struct BucketAddress {
    /// Whose cloud it is.
    pub(super) cloud: CloudKind,
    /// The address up to the key, such as `s3://bucket/`.
    pub(super) root: String,
    /// The key, or the beginning of several; empty for all of the bucket.
    pub(super) key: String,
}

/// Whose cloud a bucket is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CloudKind {
    /// Amazon S3, and what speaks like it.
    S3,
    /// Google Cloud Storage.
    Google,
    /// Azure Blob Storage.
    Azure,
}

/// Something in a dataset on the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::dataset) struct HubAddress {
    /// The address up to the path, such as `hf://datasets/owner/name/`.
    pub(super) root: String,
    /// Owner and name.
    pub(super) dataset: [String; 2],
    /// A branch, a tag or a commit.
    pub(super) revision: String,
    /// The path in the dataset; empty for all of it.
    pub(super) path: String,
}

impl Address {
    /// The address that a person gave; nothing where it is a path of this machine.
    ///
    /// # Errors
    ///
    /// When it is an address, and none that can be used.
    pub(in crate::dataset) fn of(given: &Path) -> Result<Option<Self>, RemoteError> {
        let Some((scheme, rest)) = given.to_str().and_then(|text| text.split_once("://")) else {
            return Ok(None);
        };
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        if !is_scheme || fs::symlink_metadata(given).is_ok() {
            return Ok(None);
        }
        let scheme = scheme.to_ascii_lowercase();
        let bucket = |cloud| BucketAddress::parse(cloud, &scheme, rest).map(Self::Bucket);
        match scheme.as_str() {
            "s3" | "s3a" => bucket(CloudKind::S3),
            "gs" => bucket(CloudKind::Google),
            "az" | "abfs" | "abfss" => bucket(CloudKind::Azure),
            "http" | "https" => web(&format!("{scheme}://{rest}")),
            "hf" => HubAddress::parse(rest).map(Self::Hub),
            _ => Err(RemoteError::UnknownScheme { scheme }),
        }
        .map(Some)
    }

    /// The address as it may be shown: without what stands behind a `?`, and without names and
    /// passwords, since both may be secret.
    pub(in crate::dataset) fn shown(&self) -> PathBuf {
        match self {
            Self::Bucket(address) => format!("{}{}", address.root, address.key).into(),
            Self::Hub(address) => format!("{}{}", address.root, address.path).into(),
            Self::Web(url) => shown_url(url).into(),
        }
    }
}

/// An address of the web as it may be shown.
pub(super) fn shown_url(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}"));
    let port = port.unwrap_or_default();
    format!("{}://{host}{port}{}", url.scheme(), url.path())
}

impl BucketAddress {
    fn parse(cloud: CloudKind, scheme: &str, rest: &str) -> Result<Self, RemoteError> {
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(RemoteError::Malformed {
                shown: format!("{scheme}://{rest}"),
                what: format!("it names no bucket; give {scheme}://BUCKET/KEY"),
            });
        }
        Ok(Self {
            cloud,
            root: format!("{scheme}://{bucket}/"),
            key: key.to_owned(),
        })
    }
}

impl HubAddress {
    fn parse(rest: &str) -> Result<Self, RemoteError> {
        let malformed = |what: &str| RemoteError::Malformed {
            shown: format!("hf://{rest}"),
            what: format!("{what}; give hf://datasets/OWNER/NAME[@REVISION]/PATH"),
        };
        let inside = rest
            .strip_prefix("datasets/")
            .ok_or_else(|| malformed("only datasets are read from the hub"))?;
        let (owner, inside) = inside
            .split_once('/')
            .ok_or_else(|| malformed("it has no owner or no name"))?;
        let (named, path) = inside.split_once('/').unwrap_or((inside, ""));
        let (name, revision) = match named.split_once('@') {
            Some((name, revision)) => (name, Some(revision)),
            None => (named, None),
        };
        // `refs/convert/…` and `refs/pr/…` are the revisions that hold slashes.
        let (revision, path) = match revision {
            Some("refs") => {
                let mut parts = path.splitn(3, '/');
                let (kind, which) = (parts.next(), parts.next());
                let (kind, which) = kind
                    .zip(which)
                    .ok_or_else(|| malformed("its revision is cut short"))?;
                (format!("refs/{kind}/{which}"), parts.next().unwrap_or(""))
            }
            Some(revision) => (revision.replace("%2F", "/"), path),
            None => (MAIN.to_owned(), path),
        };
        if [owner, name, revision.as_str()].contains(&"") {
            return Err(malformed("its owner, name or revision is empty"));
        }
        let root = rest[..rest.len() - path.len()].trim_end_matches('/');
        Ok(Self {
            root: format!("hf://{root}/"),
            dataset: [owner.to_owned(), name.to_owned()],
            revision,
            path: path.to_owned(),
        })
    }
}

fn web(text: &str) -> Result<Address, RemoteError> {
    let url = Url::parse(text).map_err(|error| RemoteError::Malformed {
        shown: text.split(['?', '#']).next().unwrap_or_default().to_owned(),
        what: error.to_string(),
    })?;
    Ok(Address::Web(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Result<Option<Address>, String> {
        Address::of(Path::new(text)).map_err(|error| error.to_string())
    }

    #[test]
    fn paths_of_this_machine_are_no_addresses() {
        for text in ["a.jsonl", "/a/b.jsonl", "-", "a b://c", "C:/x", "://x"] {
            assert_eq!(address(text), Ok(None), "{text}");
        }
    }

    #[test]
    fn a_bucket_and_a_key_are_told_apart() {
        for (text, root, key) in [
            ("s3://b/a/k.jsonl", "s3://b/", "a/k.jsonl"),
            ("gs://b", "gs://b/", ""),
            ("az://c/*.csv", "az://c/", "*.csv"),
            ("abfss://c@a.example/k", "abfss://c@a.example/", "k"),
        ] {
            let Ok(Some(Address::Bucket(found))) = address(text) else {
                panic!("{text} is no bucket");
            };
            assert_eq!((found.root.as_str(), found.key.as_str()), (root, key));
        }
        assert!(address("s3:///k").unwrap_err().contains("names no bucket"));
        let error = address("ftp://h/x?secret").unwrap_err();
        assert!(error.starts_with("ftp:// is no place") && !error.contains("secret"));
    }

    #[test]
    fn a_dataset_may_have_a_revision() {
        let parts = |text: &str| match address(text) {
            Ok(Some(Address::Hub(found))) => (found.root, found.revision, found.path),
            other => panic!("{text}: {other:?}"),
        };
        let expected = |root: &str, revision: &str, path: &str| {
            (root.to_owned(), revision.to_owned(), path.to_owned())
        };
        assert_eq!(
            parts("hf://datasets/o/n/data/*.parquet"),
            expected("hf://datasets/o/n/", "main", "data/*.parquet")
        );
        assert_eq!(
            parts("hf://datasets/o/n@v1.2"),
            expected("hf://datasets/o/n@v1.2/", "v1.2", "")
        );
        assert_eq!(
            parts("hf://datasets/o/n@refs/convert/parquet/default/train/0.parquet"),
            expected(
                "hf://datasets/o/n@refs/convert/parquet/",
                "refs/convert/parquet",
                "default/train/0.parquet"
            )
        );
        for text in [
            "hf://o/n/x",
            "hf://datasets/o",
            "hf://datasets//n/x",
            "hf://datasets/o/n@/x",
        ] {
            assert!(address(text).unwrap_err().contains("OWNER/NAME"), "{text}");
        }
    }

    #[test]
    fn what_may_be_secret_is_not_shown() {
        let found = address("https://me:pass@h:81/a/b.jsonl?sig=s#f")
            .unwrap()
            .unwrap();
        assert_eq!(found.shown(), Path::new("https://h:81/a/b.jsonl"));
        let error = address("https://[h/a?sig=s").unwrap_err();
        assert!(!error.contains("sig"), "{error}");
    }
}
