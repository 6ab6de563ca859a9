//! A key that no message, log or debug output shows.

use std::fmt;

/// A secret that goes into a request header; `Debug` and `Display` hide it.
///
/// # Examples
///
/// ```
/// use redraft::model::openai::ApiKey;
///
/// let key = ApiKey::new("sk-very-secret").from_origin("the environment variable OPENAI_API_KEY");
/// assert!(!format!("{key} {key:?}").contains("secret"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    secret: String,
    origin: Option<String>,
}

impl ApiKey {
    /// A key; space around it, such as the line end of a file, is not part of it.
    pub fn new(secret: impl AsRef<str>) -> Self {
        Self {
            secret: secret.as_ref().trim().to_owned(),
            origin: None,
        }
    }

    /// The same key, with words for where it was found, such as "the environment variable
    /// `VLLM_KEY`"; a hint names it when the server refuses the key.
    #[must_use]
    pub fn from_origin(self, origin: impl Into<String>) -> Self {
        Self {
            origin: Some(origin.into()),
            ..self
        }
    }

    /// Where the key was found, if that was said.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// Whether there is nothing in it; such a key is not sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.secret.is_empty()
    }

    pub(super) fn expose(&self) -> &str {
        &self.secret
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ApiKey")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[key]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_neither_displayed_nor_debugged() {
        let key = ApiKey::new(" sk-123456789\n").from_origin("the environment variable X");
        assert_eq!(key.expose(), "sk-123456789");
        for shown in [format!("{key}"), format!("{key:?}"), format!("{key:#?}")] {
            assert!(!shown.contains("123456789"), "{shown}");
        }
        assert_eq!(key.origin(), Some("the environment variable X"));
        assert!(ApiKey::new(" \n").is_empty());
    }
}
