//! What every answer carries and every request must be: the headers that keep a page to itself, and
//! the host that a request names.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::access::Doors;

/// Everything comes from here: no script but the one file, no style but the one file, no frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    // What people said stays out of caches on disk.
    (header::CACHE_CONTROL, "no-store"),
];

/// Which hosts a request may name while nobody signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostRule {
    /// This machine, by `localhost` or by number. Another name that leads here is a page elsewhere
    /// that has had its own name point here, to read what it may not.
    Loopback,
    /// Any: whoever listens to more than this machine does not know its names.
    Any,
}

impl HostRule {
    /// The rule for pages that are served at an address.
    #[must_use]
    pub fn at(address: IpAddr) -> Self {
        if address.is_loopback() {
            Self::Loopback
        } else {
            Self::Any
        }
    }
}

/// Turns away what is not for these pages, and sets the headers of what is.
pub(super) async fn guard(
    State((rule, doors)): State<(HostRule, Doors)>,
    request: Request,
    next: Next,
) -> Response {
    // Whoever signs in has a cookie that a page elsewhere, by whatever name, does not have.
    let only_from_here = rule == HostRule::Loopback && doors.are_open();
    let mut response = if only_from_here && !is_from_here(request.headers()) {
        let text = "This address is not known here. Use http://localhost or http://127.0.0.1.\n";
        (StatusCode::MISDIRECTED_REQUEST, text).into_response()
    } else if ![Method::GET, Method::HEAD, Method::POST].contains(request.method()) {
        let text = "Pages are read, and forms are sent.\n";
        (StatusCode::METHOD_NOT_ALLOWED, text).into_response()
    } else {
        next.run(request).await
    };
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// What proxies add.
const PASSED_ON: [&str; 5] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
];

/// Whether a request names this machine as its host, by one name, and no proxy says that it comes
/// from elsewhere.
pub(super) fn is_from_here(headers: &HeaderMap) -> bool {
    if PASSED_ON.iter().any(|name| headers.contains_key(*name)) {
        return false;
    }
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    host.to_str().is_ok_and(is_this_machine)
}

fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_its_names() {
        for host in [
            "localhost",
            "LocalHost:8788",
            "127.0.0.1:1",
            "[::1]:8788",
            "127.1.2.3",
        ] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in [
            "",
            "example.com",
            "localhost.example.com",
            "127.0.0.1.example.com:8788",
            "192.168.0.1",
            "0.0.0.0",
        ] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
