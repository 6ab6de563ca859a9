//! The one clock: results never depend on it.

use std::time::Duration;

/// The time now, RFC 3339 in UTC, to the millisecond.
#[must_use]
pub fn now() -> String {
    now_and(Duration::ZERO)
}

/// The time some while from now, RFC 3339 in UTC, to the millisecond.
#[must_use]
pub fn now_and(later: Duration) -> String {
    let now = jiff::Timestamp::now();
    let then = now.checked_add(later).unwrap_or(now);
    format!("{then:.3}")
}
