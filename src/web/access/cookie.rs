//! The cookie that holds a session's name.
//!
//! It is for this server alone, unseen by scripts, and not sent along from pages elsewhere. Browsers
//! send it over encrypted connections alone, but for addresses of this machine, where nothing can listen in between.

use axum::http::HeaderMap;
use axum::http::header::{COOKIE, HOST};

use super::sessions::LIFE;
use crate::web::guard::is_from_here;

/// The value of `set-cookie` that gives a session's name; an empty one takes it away.
pub(super) fn written(headers: &HeaderMap, session: &str) -> String {
    let life = if session.is_empty() {
        0
    } else {
        LIFE.as_secs()
    };
    let secure = if is_from_here(headers) {
        ""
    } else {
        "; Secure"
    };
    let name = name(headers);
    format!("{name}={session}; Path=/; Max-Age={life}; HttpOnly; SameSite=Strict{secure}")
}

/// The name of a session that a request brings.
pub(super) fn read(headers: &HeaderMap) -> Option<&str> {
    let name = name(headers);
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(given, value)| (given == name).then_some(value))
}

/// The cookie's name. Elsewhere it has a prefix that browsers hold to: encrypted, this host alone, every
/// path. Here it has the port, since cookies do not tell one port from another.
fn name(headers: &HeaderMap) -> String {
    if !is_from_here(headers) {
        return "__Host-redraft".to_owned();
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let port = host.and_then(|host| host.rsplit_once(':'));
    match port.and_then(|(_, port)| port.parse::<u16>().ok()) {
        Some(port) => format!("redraft-{port}"),
        None => "redraft".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &str, cookie: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("host", host.parse().unwrap());
        headers.insert(COOKIE, cookie.parse().unwrap());
        headers
    }

    #[test]
    fn a_session_leaves_this_machine_encrypted_alone() {
        let here = headers(
            "127.0.0.1:8788",
            "a=b; redraft-1=z; redraft-8788=x; __Host-redraft=y",
        );
        assert_eq!(read(&here), Some("x"));
        assert!(!written(&here, "x").contains("Secure"));
        let there = headers("redraft.example.com", "redraft=x; __Host-redraft=y");
        assert_eq!(read(&there), Some("y"));
        let set = written(&there, "y");
        assert!(set.starts_with("__Host-redraft=y; Path=/;") && set.ends_with("; Secure"));
        for part in ["HttpOnly", "SameSite=Strict"] {
            assert!(set.contains(part), "{set}");
        }
        assert!(written(&there, "").contains("Max-Age=0"));
        assert_eq!(read(&headers("localhost", "redraft")), None);
        assert_eq!(read(&headers("localhost", "redraft=x")), Some("x"));
        let mut passed_on = here;
        passed_on.insert("x-forwarded-for", "192.0.2.1".parse().unwrap());
        assert!(written(&passed_on, "y").starts_with("__Host-"));
    }
}
