//! The headers in which servers tell their rate limits, in the dialects that are in use.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;

use super::durations::{LONGEST, leading_duration};
use super::retry_after::{self, until};
use crate::model::{Allowance, RateNotice};

/// A number above this is no number of seconds but a moment: seconds since 1970.
const FIRST_EPOCH_SECOND: f64 = 1e9;
/// A number above this counts milliseconds since 1970.
const FIRST_EPOCH_MILLISECOND: f64 = 1e11;

/// What the headers of one reply say, if they say anything.
pub(super) fn rate_notice(headers: &HeaderMap) -> Option<RateNotice> {
    let mut limits = Limits::default();
    for (name, value) in headers {
        let name = name.as_str();
        if !name.contains("ratelimit") && !name.starts_with("x-tokenlimit-") {
            continue;
        }
        let Some(value) = value.to_str().ok().map(str::trim) else {
            continue;
        };
        if name == "ratelimit" {
            limits.listed(value, headers);
        } else if let Some(place) = Place::of(name) {
            limits.take(place, value, headers);
        }
    }
    limits.notice()
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Limit,
    Remaining,
    Reset,
}

/// What one header speaks of, such as the tokens left for this minute.
#[derive(Clone, Copy)]
struct Place {
    part: Part,
    of_tokens: bool,
    window: usize,
}

/// No window, then a second, a minute, an hour, a day and a month.
const WINDOWS: usize = 6;

impl Place {
    /// OpenAI, Groq, Azure and most gateways write `x-ratelimit-remaining-tokens`, some with a
    /// window such as `-minute` after it (Mistral, Cerebras); Together and `OpenRouter` leave
    /// `-requests` out, and Together names tokens in front: `x-tokenlimit-remaining`. Anthropic
    /// turns the words around; RFC drafts write `ratelimit-remaining`.
    fn of(name: &str) -> Option<Self> {
        let (rest, mut of_tokens) = match name.strip_prefix("x-tokenlimit-") {
            Some(rest) => (rest, true),
            None => (
                ["x-ratelimit-", "ratelimit-", "anthropic-ratelimit-"]
                    .iter()
                    .find_map(|prefix| name.strip_prefix(prefix))?,
                false,
            ),
        };
        let (mut part, mut window) = (None, 0);
        for word in rest.split('-') {
            match word {
                "limit" => part = Some(Part::Limit),
                "remaining" => part = Some(Part::Remaining),
                "reset" => part = Some(Part::Reset),
                "requests" | "request" | "req" => of_tokens = false,
                "tokens" | "token" => of_tokens = true,
                "second" => window = 1,
                "minute" => window = 2,
                "hour" => window = 3,
                "day" => window = 4,
                "month" => window = 5,
                _ => return None,
            }
        }
        Some(Self {
            part: part?,
            of_tokens,
            window,
        })
    }
}

#[derive(Default)]
struct Limits {
    requests: [Allowance; WINDOWS],
    tokens: [Allowance; WINDOWS],
}

impl Limits {
    fn take(&mut self, place: Place, value: &str, headers: &HeaderMap) {
        let windows = if place.of_tokens {
            &mut self.tokens
        } else {
            &mut self.requests
        };
        let allowance = &mut windows[place.window];
        match place.part {
            Part::Limit => allowance.limit = count(value),
            Part::Remaining => allowance.remaining = count(value),
            Part::Reset => allowance.reset = reset(value, headers),
        }
    }

    /// The one header of newer drafts: `limit=100, remaining=50, reset=5`, or a list of policies
    /// such as `"burst";r=50;t=5`, of which the tightest counts.
    fn listed(&mut self, value: &str, headers: &HeaderMap) {
        let policies = value.split(',').map(|policy| members(policy, headers));
        let tightest = policies
            .filter(|policy| policy.remaining.is_some())
            .min_by_key(|policy| policy.remaining);
        self.requests[0] = match tightest {
            Some(policy) if value.contains("r=") && !value.contains("remaining=") => policy,
            _ => members(value, headers),
        };
    }

    fn notice(&self) -> Option<RateNotice> {
        let notice = RateNotice {
            requests: tightest(&self.requests),
            tokens: tightest(&self.tokens),
        };
        (!notice.is_empty()).then_some(notice)
    }
}

fn members(text: &str, headers: &HeaderMap) -> Allowance {
    let mut allowance = Allowance::default();
    let pairs = text
        .split([',', ';'])
        .filter_map(|pair| pair.split_once('='));
    for (name, value) in pairs {
        match name.trim() {
            "limit" | "q" => allowance.limit = count(value),
            "remaining" | "r" => allowance.remaining = count(value),
            "reset" | "t" => allowance.reset = reset(value.trim(), headers),
            _ => {}
        }
    }
    allowance
}

/// Of several windows the one that lets least through; the shortest, where that is not said.
fn tightest(windows: &[Allowance]) -> Option<Allowance> {
    let told = windows
        .iter()
        .filter(|window| **window != Allowance::default());
    let tightest = told.min_by_key(|window| window.remaining.unwrap_or(u64::MAX));
    tightest.copied()
}

/// The whole number that a value begins with: drafts append policies, as in `100, 100;w=60`.
fn count(value: &str) -> Option<u64> {
    let value = value.trim();
    let end = value
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(value.len());
    value[..end].parse().ok()
}

/// How long until a limit is whole again: a duration, a number of seconds, or a moment.
fn reset(value: &str, headers: &HeaderMap) -> Option<Duration> {
    duration_until(value, headers).map(|reset| reset.min(LONGEST))
}

fn duration_until(value: &str, headers: &HeaderMap) -> Option<Duration> {
    let moment = match value.parse::<f64>() {
        Ok(number) if number > FIRST_EPOCH_MILLISECOND => epoch(number / 1000.0),
        Ok(number) if number > FIRST_EPOCH_SECOND => epoch(number),
        Ok(number) => return Duration::try_from_secs_f64(number).ok(),
        Err(_) => value.parse().ok().or_else(|| retry_after::timestamp(value)),
    };
    if let Some(moment) = moment {
        // A moment that has passed: it is whole already.
        return Some(until(moment, headers).unwrap_or_default());
    }
    let (duration, rest) = leading_duration(value)?;
    rest.trim().is_empty().then_some(duration)
}

fn epoch(seconds: f64) -> Option<Timestamp> {
    let since = Duration::try_from_secs_f64(seconds).ok()?;
    Timestamp::UNIX_EPOCH.checked_add(since).ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn notice(lines: &[&str]) -> Option<RateNotice> {
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(": ").expect("a header");
            let name: HeaderName = name.parse().expect("a name");
            headers.append(name, HeaderValue::from_str(value).expect("a value"));
        }
        rate_notice(&headers)
    }

    fn allowance(limit: u64, remaining: u64, reset: f64) -> Allowance {
        Allowance {
            limit: Some(limit),
            remaining: Some(remaining),
            reset: Some(Duration::from_secs_f64(reset)),
        }
    }

    #[track_caller]
    fn says(
        lines: &[&str],
        requests: impl Into<Option<Allowance>>,
        tokens: impl Into<Option<Allowance>>,
    ) {
        assert_eq!(
            notice(lines),
            Some(RateNotice {
                requests: requests.into(),
                tokens: tokens.into()
            }),
            "{lines:?}"
        );
    }

    #[test]
    fn openai_and_groq_name_requests_and_tokens() {
        says(
            &[
                "X-RateLimit-Limit-Requests: 5000",
                "x-ratelimit-limit-tokens: 160000",
                "x-ratelimit-limit-tokens_usage_based: 7",
                "x-ratelimit-remaining-requests: 4999",
                "x-ratelimit-remaining-tokens: 159976",
                "x-ratelimit-reset-requests: 12ms",
                "x-ratelimit-reset-tokens: 6m0s",
            ],
            allowance(5000, 4999, 0.012),
            allowance(160_000, 159_976, 360.0),
        );
    }

    #[test]
    fn anthropic_turns_the_words_around_and_names_a_moment() {
        says(
            &[
                "date: Wed, 21 Oct 2015 07:28:00 GMT",
                "anthropic-ratelimit-requests-limit: 50",
                "anthropic-ratelimit-requests-remaining: 49",
                "anthropic-ratelimit-requests-reset: 2015-10-21T07:28:02Z",
                "anthropic-ratelimit-tokens-limit: 40000",
                "anthropic-ratelimit-tokens-remaining: 39000",
                "anthropic-ratelimit-tokens-reset: 2015-10-21T07:27:00Z",
                "anthropic-ratelimit-input-tokens-remaining: 1",
            ],
            allowance(50, 49, 2.0),
            allowance(40_000, 39_000, 0.0),
        );
    }

    #[test]
    fn together_openrouter_and_the_drafts_speak_of_requests() {
        says(
            &[
                "x-ratelimit-limit: 10",
                "x-ratelimit-remaining: 9",
                "x-ratelimit-reset: 6",
                "x-tokenlimit-limit: 3000",
                "x-tokenlimit-remaining: 2500",
            ],
            allowance(10, 9, 6.0),
            Allowance {
                reset: None,
                ..allowance(3000, 2500, 0.0)
            },
        );
        says(
            &[
                "date: Wed, 21 Oct 2015 07:28:00 GMT",
                "x-ratelimit-limit: 20",
                "x-ratelimit-remaining: 0",
                "x-ratelimit-reset: 1445412487500",
            ],
            allowance(20, 0, 7.5),
            None,
        );
        for lines in [
            &[
                "ratelimit-limit: 100, 100;w=60",
                "ratelimit-remaining: 50",
                "ratelimit-reset: 5",
            ][..],
            &[
                "ratelimit: limit=100, remaining=50, reset=5",
                "ratelimit-policy: 100;w=60",
            ],
            &[r#"ratelimit: "day";r=900;t=3600, "burst";q=100;r=50;t=5"#],
        ] {
            says(lines, allowance(100, 50, 5.0), None);
        }
    }

    #[test]
    fn of_several_windows_the_tightest_counts() {
        says(
            &[
                "x-ratelimit-limit-requests-day: 1000",
                "x-ratelimit-remaining-requests-day: 3",
                "x-ratelimit-reset-requests-day: 33011.38",
                "x-ratelimit-limit-tokens-minute: 500",
                "x-ratelimit-remaining-tokens-minute: 400",
                "x-ratelimit-reset-tokens-minute: 11.5",
                "x-ratelimit-limit-req-minute: 30",
                "x-ratelimit-remaining-req-minute: 29",
            ],
            allowance(1000, 3, 33_011.38),
            allowance(500, 400, 11.5),
        );
    }

    #[test]
    fn a_reset_in_the_far_future_is_a_year_away_at_most() {
        for value in ["99999999999999h", "9999-01-01T00:00:00Z", "90000000000"] {
            let told = notice(&[&format!("x-ratelimit-reset-tokens: {value}")]);
            let tokens = told.and_then(|told| told.tokens).expect(value);
            assert_eq!(tokens.reset, Some(LONGEST), "{value}");
        }
    }

    #[test]
    fn what_says_nothing_or_makes_no_sense_is_no_notice() {
        for lines in [
            &["content-type: application/json", "retry-after: 3"][..],
            &["x-ratelimit-remaining-requests: -1"],
            &["x-ratelimit-reset-tokens: soon", "ratelimit: sometimes"],
            &[
                "x-ratelimit-requests: 3",
                "x-ratelimit-renewalperiod-requests: 60",
            ],
            &["x-ratelimit-limit-cookies: 3"],
        ] {
            assert_eq!(notice(lines), None, "{lines:?}");
        }
    }
}
