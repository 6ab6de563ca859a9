//! What a cloud's refusal means, and what to do about it.
//!
//! What a server says in its own words is not repeated, since it may quote what was signed: only its
//! code is.

use std::error::Error as StdError;

use object_store::Error;
use object_store::client::{HttpError, HttpErrorKind};

use crate::dataset::remote::address::CloudKind;
use crate::dataset::remote::error::RemoteError;

/// An answer that is no failure of the server, but not what was asked for either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotAsAsked {
    /// There are no such bytes.
    NoSuchRange,
    /// The whole object came where a part was asked for.
    Whole,
}

/// Whether an error is one of those.
pub(super) fn said(error: &Error) -> Option<NotAsAsked> {
    let text = error.to_string();
    match status(&text) {
        Some(416) => Some(NotAsAsked::NoSuchRange),
        _ if text.contains("non-partial response") => Some(NotAsAsked::Whole),
        _ => None,
    }
}

/// What an error means for whoever asked for `shown`.
pub(super) fn told(kind: CloudKind, shown: &str, error: &Error) -> RemoteError {
    let shown = shown.to_owned();
    let text = error.to_string();
    let code = code(&text);
    let coded = code
        .as_ref()
        .map_or_else(String::new, |code| format!(" ({code})"));
    let denied = |status: u16| RemoteError::Denied {
        shown: shown.clone(),
        status,
        what: coded.clone(),
        hint: credentials_hint(kind).to_owned(),
    };
    if let Some(kind) = http_failure(error) {
        let (host, what) = (host(&text), plain(error));
        return match kind {
            HttpErrorKind::Connect => RemoteError::Unreachable { shown, host, what },
            _ => RemoteError::NoAnswer { shown, host, what },
        };
    }
    match (error, status(&text)) {
        (Error::NotFound { .. }, _) | (_, Some(404)) => RemoteError::NotThere {
            shown,
            what: match code.as_deref() {
                Some("NoSuchBucket" | "ContainerNotFound") => {
                    ": there is no such bucket".to_owned()
                }
                _ => String::new(),
            },
            hint: "check bucket and key, and that the region and the account are theirs",
        },
        (Error::PermissionDenied { .. }, _) => denied(403),
        (Error::Unauthenticated { .. }, _) => denied(401),
        (Error::Precondition { .. }, _) => RemoteError::Changed { shown },
        (_, Some(400)) if code.as_deref().is_some_and(is_about_credentials) => denied(400),
        (_, Some(status @ (408 | 429 | 500..))) => RemoteError::Failing {
            shown,
            status,
            after: None,
        },
        (_, Some(301 | 307)) => RemoteError::Settings {
            shown,
            what: "the bucket is in another region".to_owned(),
            hint: "set AWS_REGION to the region of the bucket",
        },
        _ if text.contains("redirect without LOCATION") => RemoteError::Settings {
            shown,
            what: "the bucket is in another region".to_owned(),
            hint: "set AWS_REGION to the region of the bucket",
        },
        (_, Some(status)) => RemoteError::Other {
            shown,
            what: format!("the server answers {status}{coded}"),
        },
        _ => RemoteError::Other {
            shown,
            what: plain(error),
        },
    }
}

/// Where the credentials for a cloud come from.
pub(super) fn credentials_hint(kind: CloudKind) -> &'static str {
    match kind {
        CloudKind::S3 => {
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN, AWS_REGION, \
             AWS_ENDPOINT_URL where they are needed) to those that may use this bucket, or \
             AWS_SKIP_SIGNATURE=true for a public one"
        }
        CloudKind::Google => {
            "set GOOGLE_APPLICATION_CREDENTIALS to a file of credentials that may use this bucket, \
             or GOOGLE_SKIP_SIGNATURE=true for a public one"
        }
        CloudKind::Azure => {
            "set AZURE_STORAGE_ACCOUNT_NAME, and AZURE_STORAGE_ACCOUNT_KEY or \
             AZURE_STORAGE_SAS_TOKEN, to those that may use this container, or \
             AZURE_SKIP_SIGNATURE=true for a public one"
        }
    }
}

/// The last cause of an error, without what a server said in its own words.
pub(super) fn plain(error: &Error) -> String {
    let mut cause: &(dyn StdError + 'static) = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let text = cause.to_string();
    match status(&text) {
        Some(status) => format!("a server answers {status}"),
        None if text.starts_with("Server returned") => "a server answers with an error".to_owned(),
        // Such a message may quote what stands there, which is secret.
        None if cause.is::<serde_json::Error>() => "a file of credentials is malformed".to_owned(),
        None => text,
    }
}

/// How nobody answered, where that is the matter.
fn http_failure(error: &Error) -> Option<HttpErrorKind> {
    let mut cause: &(dyn StdError + 'static) = error;
    loop {
        if let Some(failure) = cause.downcast_ref::<HttpError>() {
            let kind = failure.kind();
            return (kind != HttpErrorKind::Decode).then_some(kind);
        }
        cause = cause.source()?;
    }
}

/// The status in the text of an error, which is the only place that has it.
fn status(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("status code: ")?;
    rest.get(..3)?.parse().ok()
}

/// The machine that was asked, by the text of an error.
fn host(text: &str) -> String {
    let behind = ["http://", "https://"];
    let found = behind.iter().find_map(|scheme| text.split_once(scheme));
    let Some((_, rest)) = found else {
        return "the server".to_owned();
    };
    let end = rest.find(['/', '?', ' ', '"']).unwrap_or(rest.len());
    let host = &rest[..end];
    host.rsplit('@').next().unwrap_or(host).to_owned()
}

/// The code that a server gives for its refusal, as XML.
fn code(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let is_code = code.len() <= 60 && code.chars().all(|c| c.is_ascii_alphanumeric());
    is_code.then(|| code.to_owned())
}

fn is_about_credentials(code: &str) -> bool {
    matches!(
        code,
        "ExpiredToken" | "InvalidToken" | "AuthorizationHeaderMalformed" | "TokenRefreshRequired"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(text: &str) -> Error {
        Error::Generic {
            store: "S3",
            source: text.to_owned().into(),
        }
    }

    #[test]
    fn a_refusal_is_told_by_status_and_code() {
        let told = |text: &str| told(CloudKind::S3, "s3://b/k", &generic(text));
        let failing = told("Server returned non-2xx status code: 503 Slow Down: <x/>");
        assert!(matches!(failing, RemoteError::Failing { status: 503, .. }));
        let text = "Server returned non-2xx status code: 400 Bad Request: \
                    <Error><Code>ExpiredToken</Code><Token>secret</Token></Error>";
        let expired = told(text).to_string();
        assert!(expired.contains("400 (ExpiredToken)"), "{expired}");
        assert!(!expired.contains("secret"), "{expired}");
        let odd = told("status code: 418 I'm a teapot: secret").to_string();
        assert!(odd.ends_with("the server answers 418"), "{odd}");
        assert!(!odd.contains("secret"));
        let region = told("Received redirect without LOCATION, this normally indicates …");
        assert!(region.to_string().contains("AWS_REGION"));
    }

    #[test]
    fn a_host_is_named_without_who_asks() {
        assert_eq!(host("GET http://me:pass@h:9/b/k?sig=x in 1s"), "h:9");
        assert_eq!(host("nothing"), "the server");
    }
}
