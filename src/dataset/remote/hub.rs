//! Datasets on the hub, by its own addresses: one that gives a file, one that lists a folder.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::StatusCode;
use reqwest::Url;
use serde::Deserialize;

use super::address::HubAddress;
use super::depot::{Depot, Opened, Parts};
use super::error::RemoteError;
use super::patience::Patience;
use super::web::{Answer, Token, Web, refused, text};

/// Where the hub is when nobody says otherwise.
const HUB: &str = "https://huggingface.co";
/// The variable that says where it is.
const ENDPOINT: &str = "HF_ENDPOINT";
/// The variable that holds the token.
const TOKEN: &str = "HF_TOKEN";
/// How many pages of a listing are read at most.
const MOST_PAGES: usize = 10_000;
/// Where the hub says why it refuses.
const ERROR_CODE: &str = "x-error-code";

/// A dataset on the hub at one revision; its keys are the paths in it.
pub(super) struct Hub {
    web: Web,
    endpoint: Url,
    has_token: bool,
    address: HubAddress,
}

/// One line of a listing.
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    path: String,
}

impl Hub {
    /// The dataset of an address.
    ///
    /// # Errors
    ///
    /// When `HF_ENDPOINT` is no address, or TLS cannot be set up.
    pub(super) fn of(address: &HubAddress) -> Result<Arc<dyn Depot>, RemoteError> {
        let set = |name| {
            std::env::var(name)
                .ok()
                .filter(|value| !value.trim().is_empty())
        };
        let endpoint = set(ENDPOINT).unwrap_or_else(|| HUB.to_owned());
        let endpoint = Url::parse(endpoint.trim()).ok().filter(Url::has_host);
        let endpoint = endpoint.ok_or_else(|| RemoteError::Settings {
            shown: address.root.clone(),
            what: format!("{ENDPOINT} is no address"),
            hint: "give one such as https://huggingface.co",
        })?;
        let token =
            match set(TOKEN) {
                None => None,
                Some(token) => Some(Token::new(&token, endpoint.clone()).ok_or_else(|| {
                    RemoteError::Settings {
                        shown: address.root.clone(),
                        what: format!("{TOKEN} holds what no token can hold"),
                        hint: "set it to a token from the settings of your account",
                    }
                })?),
            };
        let has_token = token.is_some();
        Ok(Arc::new(Self {
            web: Web::new(&address.root, &endpoint, token)?,
            endpoint,
            has_token,
            address: address.clone(),
        }))
    }

    /// The address of `path` behind `verb`, such as `resolve`; every part is escaped.
    fn url(&self, before: &[&str], verb: &str, path: &str) -> Url {
        let mut url = self.endpoint.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(before).push("datasets");
            parts.extend(&self.address.dataset).push(verb);
            parts.push(&self.address.revision);
            parts.extend(path.split('/').filter(|part| !part.is_empty()));
        }
        url
    }

    fn shown(&self, path: &str) -> String {
        format!("{}{path}", self.address.root)
    }

    /// What an answer that is no success means.
    fn refusal(&self, path: &str, answer: &Answer) -> RemoteError {
        let shown = self.shown(path);
        let [owner, name] = &self.address.dataset;
        let status = answer.status();
        let headers = answer.response.headers();
        let code = text(headers, ERROR_CODE).unwrap_or_default();
        let missing = |what: &str, hint| RemoteError::NotThere {
            shown: shown.clone(),
            what: format!(": the hub knows no such {what}"),
            hint,
        };
        match (code.as_str(), status) {
            ("GatedRepo", _) => RemoteError::Gated {
                page: format!("{}datasets/{owner}/{name}", self.endpoint),
                shown,
            },
            ("EntryNotFound", _) => missing("file or folder", "check the path"),
            ("RevisionNotFound", _) => missing("revision", "check what stands behind the @"),
            ("RepoNotFound", StatusCode::NOT_FOUND) => missing(
                "dataset, or may not show it with this token",
                "check owner and name",
            ),
            (_, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => RemoteError::Denied {
                shown,
                status: status.as_u16(),
                what: String::new(),
                hint: self.hint(),
            },
            (_, StatusCode::NOT_FOUND) => missing("file or folder", "check the path"),
            _ => refused(&shown, status, headers),
        }
    }

    fn hint(&self) -> String {
        let hint = if self.has_token {
            "HF_TOKEN is set, but expired, wrong, or without the right to read this dataset; make \
             another in the settings of your account"
        } else {
            "no token is set: the dataset is private, or there is none of that name; set HF_TOKEN \
             to a token that may read it"
        };
        hint.to_owned()
    }

    /// One page of a listing, asked for until it comes, and the address of the next.
    async fn page(&self, folder: &str, url: Url) -> Result<(Vec<Entry>, Option<Url>), RemoteError> {
        let mut patience = Patience::new();
        loop {
            match self.try_page(folder, url.clone()).await {
                Ok(page) => return Ok(page),
                Err(error) => patience.again(error).await?,
            }
        }
    }

    async fn try_page(
        &self,
        folder: &str,
        url: Url,
    ) -> Result<(Vec<Entry>, Option<Url>), RemoteError> {
        let shown = self.shown(folder);
        let answer = self.web.get(&shown, url.clone(), None).await?;
        if !answer.status().is_success() {
            return Err(self.refusal(folder, &answer));
        }
        let link = text(answer.response.headers(), "link");
        let next = link.as_deref().and_then(next_link);
        let next = next.and_then(|next| url.join(next).ok());
        let body = answer
            .response
            .bytes()
            .await
            .map_err(|_| RemoteError::BrokeOff {
                shown: shown.clone(),
                at: 0,
                of: String::new(),
            })?;
        let entries = serde_json::from_slice(&body).map_err(|_| RemoteError::Other {
            shown,
            what: "the hub answers with what is no listing; check HF_ENDPOINT".to_owned(),
        })?;
        Ok((entries, next.filter(|next| *next != url)))
    }
}

#[async_trait]
impl Depot for Hub {
    async fn read(&self, key: &str, range: Option<Range<u64>>) -> Result<Opened, RemoteError> {
        let shown = self.shown(key);
        let url = self.url(&[], "resolve", key);
        let answer = self.web.get(&shown, url, range.as_ref()).await?;
        match answer.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                answer.opened(&shown, range.as_ref())
            }
            _ => Err(self.refusal(key, &answer)),
        }
    }

    async fn list(&self, folder: &str, deep: bool) -> Result<Vec<String>, RemoteError> {
        let mut url = self.url(&["api"], "tree", folder);
        if deep {
            url.set_query(Some("recursive=true"));
        }
        let (mut keys, mut next) = (Vec::new(), Some(url));
        for _ in 0..MOST_PAGES {
            let Some(url) = next else {
                keys.sort();
                return Ok(keys);
            };
            let (entries, following) = self.page(folder, url).await?;
            let files = entries.into_iter().filter(|entry| entry.kind == "file");
            keys.extend(files.map(|entry| entry.path));
            next = following;
        }
        Err(RemoteError::Other {
            shown: self.shown(folder),
            what: format!("its listing has more than {MOST_PAGES} pages"),
        })
    }

    async fn put(&self, key: &str, _: Bytes) -> Result<(), RemoteError> {
        Err(no_writing(&self.shown(key)))
    }

    async fn begin(&self, key: &str) -> Result<Box<dyn Parts>, RemoteError> {
        Err(no_writing(&self.shown(key)))
    }

    async fn remove(&self, key: &str) -> Result<(), RemoteError> {
        Err(no_writing(&self.shown(key)))
    }
}

/// Without the client, which knows the token.
impl fmt::Debug for Hub {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = &self.address.root;
        formatter
            .debug_struct("Hub")
            .field("root", root)
            .finish_non_exhaustive()
    }
}

/// That nothing is written to the hub, where a file is a commit.
pub(super) fn no_writing(shown: &str) -> RemoteError {
    RemoteError::NoWriting {
        shown: shown.to_owned(),
        hint: "write a file or a folder, and upload it with `hf upload OWNER/NAME PATH --repo-type \
               dataset`",
    }
}

/// The address of the next page in a `Link` header.
fn next_link(link: &str) -> Option<&str> {
    link.split(',').find_map(|part| {
        let (address, about) = part.split_once('>')?;
        let is_next = about.split(';').any(|about| {
            about
                .trim()
                .replace(['"', ' '], "")
                .eq_ignore_ascii_case("rel=next")
        });
        is_next.then(|| address.trim().trim_start_matches('<'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found() {
        let link = "<https://h/a?x=1>; rel=\"prev\", <https://h/b?cursor=Zm9v>; rel=\"next\"";
        assert_eq!(next_link(link), Some("https://h/b?cursor=Zm9v"));
        assert_eq!(next_link("<https://h/a>; rel=\"last\""), None);
        assert_eq!(next_link("nonsense"), None);
    }
}
