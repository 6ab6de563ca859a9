//! Numbers as people read them.

use crate::audit::{Interval, wilson};

/// A count with its thousands set apart.
pub(super) fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut told = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            told.push(',');
        }
        told.push(digit);
    }
    told
}

/// A count and the word for it, which takes an s unless it is one.
pub(super) fn counted(count: u64, word: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {word}{ending}", thousands(count))
}

/// The share that `part` is of `whole`; none of nothing.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    part as f64 / whole as f64
}

/// A share in hundredths; a dash for a share of nothing.
pub(super) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    format!("{:.1} %", 100.0 * share(part, whole))
}

/// The 95 % interval of a share, in hundredths.
pub(super) fn interval(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let Interval { low, high } = wilson(part, whole);
    format!("{:.1} – {:.1}", 100.0 * low, 100.0 * high)
}

/// An amount of money, in the currency of the prices.
pub(super) fn money(amount: f64) -> String {
    if amount == 0.0 || amount >= 1.0 {
        format!("{amount:.2}")
    } else if amount >= 0.01 {
        format!("{amount:.4}")
    } else {
        format!("{amount:.6}")
    }
}

/// A time of a day, without what a person does not need of RFC 3339.
pub(super) fn moment(time: &str) -> String {
    let is_known = time.is_ascii() && time.len() >= 16 && time.as_bytes()[10] == b'T';
    if is_known {
        format!("{} {}", &time[..10], &time[11..16])
    } else {
        time.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_read_them() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(counted(1, "row"), "1 row");
        assert_eq!(counted(1200, "row"), "1,200 rows");
        assert_eq!(percent(1, 0), "–");
        assert_eq!(percent(1, 3), "33.3 %");
        assert_eq!(interval(0, 20), "0.0 – 16.1");
        assert_eq!(money(0.0), "0.00");
        assert_eq!(money(0.000_081), "0.000081");
        assert_eq!(money(12.345), "12.35");
        assert_eq!(moment("2026-11-23T16:52:45.550Z"), "2026-11-23 16:52");
        assert_eq!(moment("\u{202e}odd"), "\u{202e}odd");
    }
}
