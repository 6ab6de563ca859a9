//! Which model is asked where: all that the client must be told.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ApiKey, BaseUrl};
use crate::digest::Digest;

/// A model behind an address.
///
/// # Examples
///
/// ```
/// use redraft::model::openai::{ApiKey, Endpoint};
///
/// let endpoint = Endpoint {
///     api_key: Some(ApiKey::new("sk-…")),
///     ..Endpoint::new("Qwen/Qwen3-8B", "http://gpu-1:8000/v1".parse()?)
/// };
/// assert_eq!(endpoint.timeout.as_secs(), 600);
/// # Ok::<(), redraft::model::openai::BaseUrlError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The model's name, as the server knows it.
    pub model: String,
    /// Where the server is.
    pub base_url: BaseUrl,
    /// The key; local servers mostly need none.
    pub api_key: Option<ApiKey>,
    /// Under which name the token limit is sent; by default, what the address suggests.
    pub max_tokens_field: Option<MaxTokensField>,
    /// How long a call may take from connecting to the last byte of the reply.
    pub timeout: Duration,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long the reply may take to begin; absent: as long as the whole call, because a reply
    /// that is not streamed begins when all of it is written.
    pub first_byte_timeout: Option<Duration>,
    /// How long a reply that has begun may stop in between.
    pub idle_timeout: Duration,
    /// The most requests in a minute, where the user says so.
    pub requests_per_minute: Option<u32>,
    /// The most tokens in a minute, prompts and replies together, where the user says so.
    pub tokens_per_minute: Option<u32>,
    /// More headers for every request, their values as well hidden as the key.
    pub headers: Vec<(String, ApiKey)>,
}

impl Endpoint {
    /// The model at `base_url`, without a key, with ten minutes for a call, ten seconds of
    /// them for connecting, and a minute for a pause within the reply.
    pub fn new(model: impl Into<String>, base_url: BaseUrl) -> Self {
        Self {
            model: model.into(),
            base_url,
            api_key: None,
            max_tokens_field: None,
            timeout: Duration::from_secs(600),
            connect_timeout: Duration::from_secs(10),
            first_byte_timeout: None,
            idle_timeout: Duration::from_secs(60),
            requests_per_minute: None,
            tokens_per_minute: None,
            headers: Vec::new(),
        }
    }

    /// Whose rate limits hold for this endpoint: those of the key on that host, or of the address
    /// where there is no key.
    pub(crate) fn account(&self) -> Digest {
        let address = self.base_url.to_string();
        let whose = match self.api_key.as_ref().filter(|key| !key.is_empty()) {
            Some(key) => {
                let host = self.base_url.with_credentials().host_str().unwrap_or("");
                format!("{host} {}", key.expose())
            }
            None => address,
        };
        Digest::of(whose.as_bytes())
    }

    pub(super) fn max_tokens_field(&self) -> MaxTokensField {
        self.max_tokens_field
            .unwrap_or(if self.base_url.is_openai() {
                MaxTokensField::MaxCompletionTokens
            } else {
                MaxTokensField::MaxTokens
            })
    }
}

/// The name of the field that limits the tokens of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxTokensField {
    /// What nearly every server knows.
    MaxTokens,
    /// What OpenAI's newer models insist on.
    MaxCompletionTokens,
}

/// An [`Endpoint`] that no client can be made for.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// No address was given.
    #[error("no address was given")]
    None,
    /// Batches are made at one address, and there are several.
    #[error("batches go to one address, and there are several: leave one, or `batch` out")]
    SeveralForBatches,
    /// The key holds characters that no header can carry.
    #[error("the key holds characters that cannot be sent, such as a line break")]
    Key,
    /// A header's name or value holds characters that no header can carry.
    #[error("the header `{name}` holds characters that cannot be sent")]
    Header {
        /// The header's name.
        name: String,
    },
    /// The HTTP client could not be set up.
    #[error("no HTTP client could be set up")]
    Client(#[source] reqwest::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_suggests_the_name_of_the_token_limit_and_a_setting_overrules_it() {
        let openai = Endpoint::new("gpt-5", BaseUrl::default());
        assert_eq!(
            openai.max_tokens_field(),
            MaxTokensField::MaxCompletionTokens
        );
        let local = Endpoint::new("qwen", "http://localhost:8000/v1".parse().expect("a URL"));
        assert_eq!(local.max_tokens_field(), MaxTokensField::MaxTokens);
        let told = Endpoint {
            max_tokens_field: Some(MaxTokensField::MaxCompletionTokens),
            ..local
        };
        assert_eq!(told.max_tokens_field(), MaxTokensField::MaxCompletionTokens);
    }

    #[test]
    fn an_endpoint_shows_neither_key_nor_password_nor_header_values() {
        let endpoint = Endpoint {
            api_key: Some(ApiKey::new("sk-aaaaaaaa")),
            headers: vec![("x-team-token".to_owned(), ApiKey::new("bbbbbbbb"))],
            ..Endpoint::new("m", "http://u:cccccccc@host/v1".parse().expect("a URL"))
        };
        let shown = format!("{endpoint:?}");
        for secret in ["aaaaaaaa", "bbbbbbbb", "cccccccc"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("x-team-token"));
    }
}
