//! A failure in the few words that stand beside an endpoint.

use std::error::Error;

/// What an error comes from in the end, without the number that the system gives it.
pub(super) fn in_words(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    let words = innermost.to_string();
    match words.find(" (os error") {
        Some(number) => words[..number].to_owned(),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::model::ModelError;

    #[test]
    fn the_innermost_cause_is_what_is_said() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot send a request")]
        struct Outer(#[source] io::Error);
        // ECONNREFUSED of Linux.
        let system = io::Error::from_raw_os_error(111);
        let text = system.to_string();
        let refused = in_words(&Outer(system));
        assert!(text.starts_with(&refused) && text.contains("(os error"));
        assert!(!refused.contains("(os"), "{refused}");
        let plain = ModelError::Other("no luck".to_owned());
        assert_eq!(in_words(&plain), plain.to_string());
    }
}
