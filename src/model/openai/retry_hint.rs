//! How long a server asks its clients to wait in the body of a failure, where no header says so.

use std::time::Duration;

use serde_json::Value;

use super::durations::leading_duration;

/// Words, in lower case, after which servers name a wait: OpenAI, Groq, Azure, Gemini.
const BEFORE_WAITS: [&str; 6] = [
    "try again in ",
    "try again after ",
    "retry in ",
    "retry after ",
    "wait for ",
    "wait ",
];

/// Deeper than this nobody writes it.
const DEEPEST: usize = 6;

/// The wait that stands in a field made for it, wherever it is in `body`.
pub(super) fn wait_in_fields(body: &Value) -> Option<Duration> {
    search(body, DEEPEST)
}

fn search(value: &Value, depth: usize) -> Option<Duration> {
    let deeper = depth.checked_sub(1)?;
    match value {
        Value::Object(fields) => fields
            .iter()
            .find_map(|(name, value)| field(name, value))
            .or_else(|| fields.values().find_map(|value| search(value, deeper))),
        Value::Array(items) => items.iter().find_map(|item| search(item, deeper)),
        _ => None,
    }
}

fn field(name: &str, value: &Value) -> Option<Duration> {
    let per_second = match name.to_ascii_lowercase().replace('-', "_").as_str() {
        "retry_after" | "retry_after_seconds" | "retrydelay" | "retry_delay" => 1.0,
        "retry_after_ms" => 1000.0,
        _ => return None,
    };
    match value {
        Value::Number(number) => Duration::try_from_secs_f64(number.as_f64()? / per_second).ok(),
        Value::String(text) => {
            let (wait, _) = leading_duration(text)?;
            Some(wait.div_f64(per_second))
        }
        _ => None,
    }
}

/// The wait that a message asks for in words.
pub(super) fn wait_in_words(message: &str) -> Option<Duration> {
    let message = message.to_lowercase();
    BEFORE_WAITS.iter().find_map(|words| {
        let mut places = message.match_indices(words);
        places.find_map(|(start, words)| {
            let (wait, _) = leading_duration(&message[start + words.len()..])?;
            Some(wait)
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_wait_in_words_is_found_in_every_dialect() {
        for (message, seconds) in [
            (
                "Rate limit reached for gpt-4o in organization org-x on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s. Visit https://x to learn more.",
                20.0,
            ),
            ("Limit 10000, Used 9950. Please try again in 6m0s.", 360.0),
            ("Please try again in 1.2s.", 1.2),
            ("Please try again in 850ms. Need more tokens?", 0.85),
            ("Please retry after 26 seconds.", 26.0),
            ("Quota exceeded. Please retry in 38.5s.", 38.5),
            ("Too many requests; wait 3 minutes", 180.0),
            ("Try again in a moment, or try again in 4 seconds", 4.0),
        ] {
            let expected = Duration::from_secs_f64(seconds);
            assert_eq!(wait_in_words(message), Some(expected), "{message}");
        }
        for message in ["", "Slow down", "Please try again in a while", "retry in"] {
            assert_eq!(wait_in_words(message), None, "{message}");
        }
    }

    #[test]
    fn a_wait_in_a_field_is_found_wherever_it_stands() {
        let google = json!([{ "error": { "code": 429, "details": [
            { "@type": "type.googleapis.com/google.rpc.Help" },
            { "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "30s" },
        ] } }]);
        for (body, seconds) in [
            (google, 30.0),
            (json!({ "retry_after": 3 }), 3.0),
            (json!({ "retry_after": "1.5" }), 1.5),
            (
                json!({ "error": { "metadata": { "retry_after_ms": 250 } } }),
                0.25,
            ),
            (
                json!({ "error": { "metadata": { "headers": { "Retry-After": "7" } } } }),
                7.0,
            ),
        ] {
            let expected = Duration::from_secs_f64(seconds);
            assert_eq!(wait_in_fields(&body), Some(expected), "{body}");
        }
        let deep = (0..50).fold(json!({ "retry_after": 3 }), |inner, _| json!([inner]));
        for body in [
            deep,
            json!({ "retry_after": -3 }),
            json!({ "retry_after": null }),
            json!({ "retry": 3 }),
            json!("retry_after"),
        ] {
            assert_eq!(wait_in_fields(&body), None, "{body}");
        }
    }
}
