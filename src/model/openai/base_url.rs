//! The address under which a server's API lies, shown without the credentials it may hold.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use reqwest::Url;

/// A base URL such as `http://gpu-1:8000/v1`.
///
/// A trailing slash, or a trailing `/chat/completions`, is dropped. Credentials
/// (`user:password@`) are used but never shown.
///
/// # Examples
///
/// ```
/// use redraft::model::openai::BaseUrl;
///
/// let url: BaseUrl = "http://me:secret@gpu-1:8000/v1/".parse()?;
/// assert_eq!(url.to_string(), "http://gpu-1:8000/v1");
/// # Ok::<(), redraft::model::openai::BaseUrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl {
    url: Url,
    shown: String,
}

/// A base URL that no request can be sent to. The messages never repeat the text, because it may
/// hold a password.
#[derive(Debug, thiserror::Error)]
pub enum BaseUrlError {
    /// The text is not an absolute URL.
    #[error("the base URL is not a URL such as http://localhost:8000/v1: {0}")]
    NotAUrl(String),
    /// The text begins with something else than `http://` or `https://`.
    #[error("a base URL begins with http:// or https://")]
    Scheme,
    /// The text ends in `?…` or `#…`.
    #[error("a base URL has no part after `?` or `#`")]
    Query,
}

impl BaseUrl {
    /// OpenAI's own address.
    pub const OPENAI: &str = "https://api.openai.com/v1";

    /// The address without credentials, and without a trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// Whether the address is on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) => address.is_loopback() || address.is_unspecified(),
            Err(_) => host == "localhost" || host.ends_with(".localhost"),
        }
    }

    /// Whether the address is on this machine or in a private network, as far as it shows.
    #[must_use]
    pub fn is_private(&self) -> bool {
        let host = self.host();
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => {
                self.is_loopback() || address.is_private() || address.is_link_local()
            }
            Ok(IpAddr::V6(address)) => {
                self.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
            }
            Err(_) => {
                let inner = [".local", ".internal", ".lan", ".localhost"];
                !host.contains('.') || inner.iter().any(|end| host.ends_with(end))
            }
        }
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether the address is OpenAI's, one of its regions included.
    #[must_use]
    pub fn is_openai(&self) -> bool {
        let host = self.host();
        host == "api.openai.com" || host.ends_with(".api.openai.com")
    }

    pub(super) fn with_credentials(&self) -> &Url {
        &self.url
    }

    fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut url =
            Url::parse(text.trim()).map_err(|error| BaseUrlError::NotAUrl(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(BaseUrlError::Scheme);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::Query);
        }
        let path = url.path().trim_end_matches('/');
        let path = path.strip_suffix("/chat/completions").unwrap_or(path);
        let path = path.trim_end_matches('/').to_owned();
        url.set_path(&path);

        let mut bare = url.clone();
        // Both calls fail only for URLs without a host, which http and https do not have.
        let _ = bare.set_username("");
        let _ = bare.set_password(None);
        let shown = bare.as_str().trim_end_matches('/').to_owned();
        Ok(Self { url, shown })
    }
}

impl Default for BaseUrl {
    fn default() -> Self {
        Self::OPENAI.parse().expect("the constant is a URL")
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "BaseUrl({:?})", self.shown)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn private_addresses_are_told_from_public_ones() {
        for (address, private) in [
            ("http://localhost:8000/v1", true),
            ("http://192.168.1.7/v1", true),
            ("http://gpu-1:8000/v1", true),
            ("http://gpu.cluster.internal/v1", true),
            ("http://[fd00::1]:8000/v1", true),
            ("https://api.openai.com/v1", false),
            ("http://8.8.8.8/v1", false),
            ("http://[2001:db8::1]/v1", false),
        ] {
            let url: super::BaseUrl = address.parse().expect("a URL");
            assert_eq!(url.is_private(), private, "{address}");
        }
    }

    use super::*;

    fn base(text: &str) -> BaseUrl {
        text.parse().expect("a base URL")
    }

    #[test]
    fn every_way_of_writing_one_address_gives_the_same_address() {
        for text in [
            "http://host:8000/v1",
            "http://host:8000/v1/",
            " http://host:8000/v1// ",
            "http://host:8000/v1/chat/completions",
            "http://host:8000/v1/chat/completions/",
            "http://user:password@host:8000/v1",
        ] {
            assert_eq!(base(text).as_str(), "http://host:8000/v1", "{text}");
        }
        assert_eq!(base("http://host:8000").as_str(), "http://host:8000");
        assert_eq!(BaseUrl::default().as_str(), BaseUrl::OPENAI);
    }

    #[test]
    fn credentials_are_never_shown() {
        let url = base("https://anna:hunter22@example.org/v1");
        let shown = format!("{url} {url:?}");
        assert!(!shown.contains("hunter22") && !shown.contains("anna"));
        assert_eq!(url.with_credentials().password(), Some("hunter22"));
        for wrong in [
            "anna:hunter22@host/v1",
            "ftp://anna:hunter22@host/v1",
            "http://anna:hunter22@/",
        ] {
            let error = wrong.parse::<BaseUrl>().expect_err(wrong);
            assert!(
                !format!("{error} {error:?}").contains("hunter22"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_base_url_without_scheme_or_with_a_query_is_refused() {
        assert!(matches!(
            "localhost:8000/v1".parse::<BaseUrl>(),
            Err(BaseUrlError::Scheme)
        ));
        assert!(matches!(
            "".parse::<BaseUrl>(),
            Err(BaseUrlError::NotAUrl(_))
        ));
        assert!(matches!(
            "http://host/v1?x=1".parse::<BaseUrl>(),
            Err(BaseUrlError::Query)
        ));
    }

    #[test]
    fn this_machine_and_openai_are_recognised() {
        for local in [
            "http://localhost:1/v1",
            "http://127.0.0.2/v1",
            "http://[::1]:80",
            "http://0.0.0.0:8000",
        ] {
            assert!(base(local).is_loopback(), "{local}");
        }
        for remote in ["http://10.0.0.1/v1", "http://localhost.example.org/v1"] {
            assert!(!base(remote).is_loopback(), "{remote}");
        }
        assert!(base("https://api.openai.com/v1").is_openai());
        assert!(base("https://eu.api.openai.com/v1").is_openai());
        assert!(!base("https://api.openai.com.example.org/v1").is_openai());
    }
}
