//! Thoughts that a server leaves inside the answer, between `<think>` and `</think>`.

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// Divides `text` into the thoughts before the answer, if there are any, and the answer.
///
/// Thoughts that do not end are all there is: the answer is empty. Where the chat template itself
/// wrote `<think>`, as those of `DeepSeek-R1` do, the reply holds `</think>` alone, on a line's end.
pub(super) fn divide(text: String) -> (Option<String>, String) {
    if let Some(inside) = text.trim_start().strip_prefix(OPEN) {
        let (thoughts, answer) = inside.split_once(CLOSE).unwrap_or((inside, ""));
        return (thought(thoughts), answer.trim_start().to_owned());
    }
    match text.split_once(CLOSE) {
        Some((thoughts, answer))
            if !thoughts.contains(OPEN)
                && (answer.is_empty() || answer.starts_with(['\n', '\r'])) =>
        {
            (thought(thoughts), answer.trim_start().to_owned())
        }
        _ => (None, text),
    }
}

fn thought(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn divided(text: &str) -> (Option<String>, String) {
        divide(text.to_owned())
    }

    #[test]
    fn leading_thoughts_are_taken_out_of_the_answer() {
        let both = (Some("hm".to_owned()), "yes".to_owned());
        assert_eq!(divided("<think>hm</think>yes"), both);
        assert_eq!(divided("\n <think>\nhm\n</think>\n\nyes"), both);
        assert_eq!(divided("hm\n</think>\n\nyes"), both);
        assert_eq!(
            divided("<think>\n\n</think>\n\nyes"),
            (None, "yes".to_owned())
        );
    }

    #[test]
    fn thoughts_that_do_not_end_leave_no_answer() {
        assert_eq!(
            divided("<think>hm, and"),
            (Some("hm, and".to_owned()), String::new())
        );
    }

    #[test]
    fn an_answer_about_thinking_stays_whole() {
        for answer in [
            "Write <think>…</think> around it.",
            "The tag </think> ends it.",
            "Example:\n<think>\nhm\n</think>\nDone.",
            "  indented",
        ] {
            assert_eq!(divided(answer), (None, answer.to_owned()));
        }
    }
}
