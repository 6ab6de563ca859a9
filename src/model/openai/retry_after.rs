//! How long a server asks its clients to wait.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// The wait that the headers ask for: `retry-after-ms`, or else `retry-after` as seconds, whole or
/// not, or as a date. What cannot be read, or lies in the past, asks for none.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let milliseconds = text(headers, "retry-after-ms")
        .and_then(|value| value.parse::<f64>().ok())
        .and_then(|value| Duration::try_from_secs_f64(value / 1000.0).ok());
    milliseconds.or_else(|| {
        let value = text(headers, RETRY_AFTER.as_str())?;
        match value.parse::<f64>() {
            Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
            Err(_) => until(timestamp(value)?, headers),
        }
    })
}

/// The time from the server's own `date` to a moment it names: its clock may not agree with ours.
pub(super) fn until(then: Timestamp, headers: &HeaderMap) -> Option<Duration> {
    let now = text(headers, DATE.as_str())
        .and_then(timestamp)
        .unwrap_or_else(Timestamp::now);
    Duration::try_from(then.duration_since(now)).ok()
}

/// The moment that a date in the form of HTTP names.
pub(super) fn timestamp(date: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(date).ok()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(pairs: &[(&'static str, &str)]) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().expect("a header value"));
        }
        retry_after(&headers)
    }

    #[test]
    fn every_form_of_the_header_is_read() {
        assert_eq!(wait(&[("retry-after", "3")]), Some(Duration::from_secs(3)));
        assert_eq!(
            wait(&[("retry-after", "0.5")]),
            Some(Duration::from_millis(500))
        );
        assert_eq!(
            wait(&[("retry-after-ms", "250"), ("retry-after", "3")]),
            Some(Duration::from_millis(250))
        );
        assert_eq!(
            wait(&[
                ("date", "Wed, 21 Oct 2015 07:27:50 GMT"),
                ("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT"),
            ]),
            Some(Duration::from_secs(10))
        );
    }

    #[test]
    fn what_makes_no_sense_asks_for_no_wait() {
        for value in [
            "soon",
            "-1",
            "NaN",
            "inf",
            "1e300",
            "",
            "Wed, 21 Oct 2015 07:28:00 GMT",
        ] {
            assert_eq!(wait(&[("retry-after", value)]), None, "{value}");
        }
        assert_eq!(wait(&[]), None);
    }
}
