//! Durations as servers write them: `1s`, `6m0s`, `12ms`, `1h2m3.5s`, `20 seconds`, `3`.

use std::time::Duration;

/// No server is believed to mean a longer time than a year: clocks overflow somewhere beyond.
pub(super) const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// The duration that `text` begins with, and what stands after it; a number without a unit means
/// seconds.
pub(super) fn leading_duration(text: &str) -> Option<(Duration, &str)> {
    let (number, rest) = number(text)?;
    let Some((unit, rest)) = unit(rest) else {
        let whole = Duration::try_from_secs_f64(number).ok()?;
        return Some((whole, rest));
    };
    let mut seconds = number * unit;
    let mut rest = rest;
    while let Some((factor, unit, after)) = part(rest) {
        seconds += factor * unit;
        rest = after;
    }
    Some((Duration::try_from_secs_f64(seconds).ok()?, rest))
}

fn part(text: &str) -> Option<(f64, f64, &str)> {
    let (number, rest) = number(text)?;
    let (unit, rest) = unit(rest)?;
    Some((number, unit, rest))
}

fn number(text: &str) -> Option<(f64, &str)> {
    let text = text.trim_start();
    let (digits, _) = split(text, |letter| letter.is_ascii_digit() || letter == '.');
    // A full stop may end the sentence.
    let digits = digits.trim_end_matches('.');
    Some((digits.parse().ok()?, &text[digits.len()..]))
}

/// The seconds that a unit stands for.
fn unit(text: &str) -> Option<(f64, &str)> {
    let (word, rest) = split(text.trim_start(), char::is_alphabetic);
    let seconds = match word.to_lowercase().as_str() {
        "ns" => 1e-9,
        "us" | "µs" | "μs" => 1e-6,
        "ms" | "millisecond" | "milliseconds" => 1e-3,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hr" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        _ => return None,
    };
    Some((seconds, rest))
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|letter| !belongs(letter)).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_a_duration_is_read() {
        for (text, seconds, rest) in [
            ("1s", 1.0, ""),
            ("6m0s", 360.0, ""),
            ("12ms", 0.012, ""),
            ("1h2m3.5s", 3723.5, ""),
            ("7.66s", 7.66, ""),
            ("2m59.56s", 179.56, ""),
            ("30", 30.0, ""),
            ("0.5", 0.5, ""),
            ("20 seconds.", 20.0, "."),
            ("26 Seconds. Try", 26.0, ". Try"),
            ("1 minute 5 seconds", 65.0, ""),
            ("1.2s. Visit", 1.2, ". Visit"),
            ("5. Then", 5.0, ". Then"),
            ("3 requests", 3.0, " requests"),
            ("1d", 86_400.0, ""),
            ("500µs", 0.0005, ""),
        ] {
            let expected = (Duration::from_secs_f64(seconds), rest);
            assert_eq!(leading_duration(text), Some(expected), "{text}");
        }
        for text in ["", "soon", "-1", "s", ".", "1.2.3s", "é", "inf"] {
            assert_eq!(leading_duration(text), None, "{text}");
        }
        let endless = "9".repeat(60);
        assert_eq!(leading_duration(&endless), None);
    }
}
