//! What a person types into the search field, as a query of SQLite's full-text search.

/// The query for texts that have every word and every phrase of `typed`; a word that ends in `*`
/// stands for every word that begins so. Absent when there is nothing to search for.
pub(super) fn query(typed: &str) -> Option<String> {
    let parts: Vec<String> = parts(typed)
        .filter(|part| has_word(&part.text))
        .map(|part| term(&part))
        .collect();
    (!parts.is_empty()).then(|| format!("body:({})", parts.join(" AND ")))
}

struct Part {
    text: String,
    is_phrase: bool,
}

/// Words, and what stands between quotation marks, straight or curly.
fn parts(typed: &str) -> impl Iterator<Item = Part> {
    let typed = typed.replace(['“', '”', '„'], "\"");
    let pieces: Vec<Part> = typed
        .split('"')
        .enumerate()
        .flat_map(|(place, piece)| {
            let is_phrase = place % 2 == 1;
            let texts: Vec<&str> = if is_phrase {
                vec![piece]
            } else {
                piece.split_whitespace().collect()
            };
            texts.into_iter().map(move |text| Part {
                text: text.to_owned(),
                is_phrase,
            })
        })
        .collect();
    pieces.into_iter()
}

/// What has no letter and no digit names no word.
fn has_word(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

fn term(part: &Part) -> String {
    let beginning = part.text.strip_suffix('*').filter(|_| !part.is_phrase);
    let text = beginning.unwrap_or(&part.text);
    // A NUL ends the query for SQLite; no word holds one.
    let quoted = text.replace(['"', '\0'], " ");
    match beginning {
        Some(_) => format!("\"{quoted}\" *"),
        None => format!("\"{quoted}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_words_and_never_syntax() {
        let told = |typed| query(typed).unwrap_or_else(|| "nothing".to_owned());
        insta::assert_snapshot!(
            [
                "parcel late",
                "\"was late\" parc*",
                "“was late”",
                "NEAR(a b) OR NOT c:d ^e {f}",
                "unclosed \"quote here",
                "- * \" \" ()",
                "nul\0inside",
                "ann@example.com",
            ]
            .map(told)
            .join("\n"),
            @r#"
        body:("parcel" AND "late")
        body:("was late" AND "parc" *)
        body:("was late")
        body:("NEAR(a" AND "b)" AND "OR" AND "NOT" AND "c:d" AND "^e" AND "{f}")
        body:("unclosed" AND "quote here")
        nothing
        body:("nul inside")
        body:("ann@example.com")
        "#
        );
    }
}
