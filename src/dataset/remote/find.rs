//! Finds what lies behind an address: one object, the objects of a folder, or those that fit a
//! pattern.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::address::Address;
use super::cloud;
use super::depot::Depot;
use super::error::RemoteError;
use super::hub::Hub;
use super::object::Object;
use super::patience::Patience;
use super::wait::wait;
use super::web::WebFile;
use crate::dataset::format::PARQUET_MAGIC;

/// How many objects are looked at at once.
const AT_ONCE: usize = 8;
/// What makes a pattern of a key.
const SIGNS: [char; 3] = ['*', '?', '['];

/// The depots that were opened, each once.
#[derive(Debug, Default)]
pub(in crate::dataset) struct Depots {
    open: BTreeMap<String, Arc<dyn Depot>>,
}

/// What an address turned out to be, before anything in it is looked at.
#[derive(Debug)]
pub(in crate::dataset) enum Behind {
    /// One object.
    File(Object),
    /// The keys in a folder.
    Folder(Keys),
    /// The keys that fit a pattern.
    Pattern(Keys),
}

/// Keys of one depot, as paths that may be shown.
#[derive(Debug)]
pub(in crate::dataset) struct Keys {
    depot: Arc<dyn Depot>,
    root: String,
    found: Vec<String>,
}

impl Depots {
    /// Finds what lies behind an address.
    ///
    /// # Errors
    ///
    /// When there is nothing, or the server does not give it.
    pub(in crate::dataset) fn find(&mut self, address: &Address) -> Result<Behind, RemoteError> {
        let (root, key) = match address {
            Address::Bucket(address) => (&address.root, &address.key),
            Address::Hub(address) => (&address.root, &address.path),
            Address::Web(url) => return web_file(url, address.shown()),
        };
        let depot = if let Some(depot) = self.open.get(root) {
            Arc::clone(depot)
        } else {
            let depot = match address {
                Address::Bucket(address) => cloud::open(address)?,
                Address::Hub(address) => Hub::of(address)?,
                Address::Web(url) => WebFile::at(url)?,
            };
            self.open.insert(root.clone(), Arc::clone(&depot));
            depot
        };
        let (root, key) = (root.clone(), key.clone());
        wait(behind(depot, root, key))
    }
}

fn web_file(url: &reqwest::Url, shown: PathBuf) -> Result<Behind, RemoteError> {
    let is_pattern = url.path().contains(['*', '[']);
    if is_pattern || url.path().ends_with('/') {
        let shown = shown.display().to_string();
        return Err(RemoteError::NoListing { shown });
    }
    let depot = WebFile::at(url)?;
    wait(Object::find(shown, depot, String::new(), PARQUET_MAGIC)).map(Behind::File)
}

async fn behind(depot: Arc<dyn Depot>, root: String, key: String) -> Result<Behind, RemoteError> {
    let keys = |found| Keys {
        depot: Arc::clone(&depot),
        root: root.clone(),
        found,
    };
    if key.contains(SIGNS) {
        return keys_like(depot.as_ref(), &root, &key)
            .await
            .map(|found| Behind::Pattern(keys(found)));
    }
    let is_folder = key.is_empty() || key.ends_with('/');
    let missing = if is_folder {
        not_there(&root, &key)
    } else {
        let shown = format!("{root}{key}").into();
        match Object::find(shown, Arc::clone(&depot), key.clone(), PARQUET_MAGIC).await {
            Err(error) if error.is_not_there() => error,
            found => return found.map(Behind::File),
        }
    };
    let folder = match key.trim_end_matches('/') {
        "" => String::new(),
        folder => format!("{folder}/"),
    };
    match list(depot.as_ref(), &folder, false).await {
        Ok(found) if found.is_empty() => Err(missing),
        Ok(found) => Ok(Behind::Folder(keys(found))),
        Err(error) if error.is_not_there() && !is_folder => Err(missing),
        Err(error) => Err(error),
    }
}

fn not_there(root: &str, key: &str) -> RemoteError {
    RemoteError::NotThere {
        shown: format!("{root}{key}"),
        what: String::new(),
        hint: "check the address; files that lie in folders of it are read by a pattern, such as \
               **/*.parquet",
    }
}

async fn keys_like(depot: &dyn Depot, root: &str, key: &str) -> Result<Vec<String>, RemoteError> {
    let malformed = |what: String| RemoteError::Malformed {
        shown: format!("{root}{key}"),
        what,
    };
    let pattern = glob::Pattern::new(key).map_err(|error| malformed(error.to_string()))?;
    let plain = &key[..key.find(SIGNS).unwrap_or(key.len())];
    let folder = &plain[..plain.rfind('/').map_or(0, |slash| slash + 1)];
    let deep = key[folder.len()..].contains('/');
    let options = glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let mut keys = list(depot, folder, deep).await?;
    keys.retain(|key| pattern.matches_with(key, options));
    if keys.is_empty() {
        return Err(RemoteError::NotThere {
            shown: format!("{root}{key}"),
            what: String::new(),
            hint: "no file fits the pattern; * stands for all but a slash, ** for folders",
        });
    }
    Ok(keys)
}

async fn list(depot: &dyn Depot, folder: &str, deep: bool) -> Result<Vec<String>, RemoteError> {
    let mut patience = Patience::new();
    loop {
        match depot.list(folder, deep).await {
            Ok(keys) => return Ok(keys),
            Err(error) => patience.again(error).await?,
        }
    }
}

impl Keys {
    /// The paths, which may be shown.
    pub(in crate::dataset) fn paths(&self) -> Vec<PathBuf> {
        let paths = self
            .found
            .iter()
            .map(|key| format!("{}{key}", self.root).into());
        paths.collect()
    }

    /// Looks at the objects at `paths`, which are some of these, several at once.
    ///
    /// # Errors
    ///
    /// When the server does not give one of them.
    pub(in crate::dataset) fn look(&self, paths: Vec<PathBuf>) -> Result<Vec<Object>, RemoteError> {
        let (depot, root) = (Arc::clone(&self.depot), self.root.clone());
        wait(async move {
            let looks = paths.into_iter().map(|path| {
                let depot = Arc::clone(&depot);
                let key = path.to_string_lossy()[root.len()..].to_owned();
                Object::find(path, depot, key, PARQUET_MAGIC)
            });
            stream::iter(looks).buffered(AT_ONCE).try_collect().await
        })
    }
}
