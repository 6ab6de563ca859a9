//! The one clock: results never depend on it.

/// The time now, RFC 3339 in UTC, to the millisecond.
#[must_use]
pub fn now() -> String {
    let now = jiff::Timestamp::now();
    format!("{now:.3}")
}
