//! What must not appear in any text that leaves the client.

use super::{ApiKey, Endpoint};

/// Below this length a text is no secret, and hiding it would garble messages.
const SHORTEST: usize = 4;

/// The keys and passwords of one endpoint.
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    pub(super) fn of(endpoint: &Endpoint) -> Self {
        let url = endpoint.base_url.with_credentials();
        let keys = endpoint.api_key.iter().map(ApiKey::expose);
        let headers = endpoint.headers.iter().map(|(_, value)| value.expose());
        let mut secrets: Vec<String> = keys
            .chain(headers)
            .chain(url.password())
            .filter(|secret| secret.len() >= SHORTEST)
            .map(ToOwned::to_owned)
            .collect();
        // Longest first, so that a secret within another leaves no remainder.
        secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self(secrets)
    }

    /// `text` without any of the secrets: servers do echo keys in their error messages.
    pub(super) fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| {
            text.replace(secret, "[key]")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::openai::ApiKey;

    #[test]
    fn echoed_secrets_are_hidden_whole() {
        let secrets = Secrets::of(&Endpoint {
            api_key: Some(ApiKey::new("sk-abcd")),
            headers: vec![("x".to_owned(), ApiKey::new("sk-abcdefgh"))],
            ..Endpoint::new("m", "http://u:pass1@h/v1".parse().expect("a URL"))
        });
        assert_eq!(
            secrets.hide("key sk-abcd, header sk-abcdefgh, url u:pass1@h"),
            "key [key], header [key], url u:[key]@h"
        );
    }
}
