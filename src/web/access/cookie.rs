//! The cookie that holds a session's name.
//!
//! It is for this server alone, unseen by scripts, and not sent along from pages elsewhere. Browsers
//! send it over encrypted connections alone, but for addresses of this machine, where nothing can listen in between.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

use super::sessions::LIFE;
use crate::web::guard::names_this_machine;

const HERE: &str = "redraft";
/// A prefix that browsers hold to: encrypted, this host alone, every path.
const ELSEWHERE: &str = "__Host-redraft";

/// The value of `set-cookie` that gives a session's name; an empty one takes it away.
pub(super) fn written(headers: &HeaderMap, session: &str) -> String {
    let life = if session.is_empty() {
        0
    } else {
        LIFE.as_secs()
    };
    let is_here = names_this_machine(headers);
    let name = if is_here { HERE } else { ELSEWHERE };
    let secure = if is_here { "" } else { "; Secure" };
    format!("{name}={session}; Path=/; Max-Age={life}; HttpOnly; SameSite=Strict{secure}")
}

/// The name of a session that a request brings.
pub(super) fn read(headers: &HeaderMap) -> Option<&str> {
    let name = if names_this_machine(headers) {
        HERE
    } else {
        ELSEWHERE
    };
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(given, value)| (given == name).then_some(value))
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
        let here = headers("127.0.0.1:8788", "a=b; redraft=x; __Host-redraft=y");
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
    }
}
