//! YAML to a Rust value, or a problem that points.

use serde::de::DeserializeOwned;

use super::locate::line_from;
use super::{Problem, SourceFile, nearest};

/// The most bytes that a file may have: deep nesting takes the parser time that grows with it.
pub const MAX_BYTES: usize = 1 << 20;

/// Reads a file's text as a `T`.
///
/// # Errors
///
/// A [`Problem`] with the place, and for a field that is not known the nearest one that is.
pub fn parse<T: DeserializeOwned>(file: &SourceFile) -> Result<T, Box<Problem>> {
    if file.text().len() > MAX_BYTES {
        let size = file.text().len();
        let message = format!("the file has {size} bytes, and at most {MAX_BYTES} are read");
        return Err(Problem::error(file, message).into());
    }
    serde_yaml::from_str(file.text()).map_err(|error| problem(file, &error).into())
}

fn problem(file: &SourceFile, error: &serde_yaml::Error) -> Problem {
    let said = error.to_string();
    let message = said
        .rsplit_once(" at line ")
        .map_or(said.as_str(), |(message, _)| message);
    let message = &in_plain_words(message);
    let mut span = error
        .location()
        .map(|location| line_from(file.text(), location.index()));
    let Some((unknown, known)) = unknown_name(message) else {
        let problem = Problem::error(file, message).at(span);
        return match message.rsplit_once("missing field `") {
            Some((_, field)) => problem.help(format!("add `{}:`", field.trim_end_matches('`'))),
            None => problem,
        };
    };
    // An unknown field is reported at the mapping around it; its own name is the better place.
    if let Some(around) = &span
        && let Some(key) = key_after(file.text(), around.start, unknown)
    {
        span = Some(key..key + unknown.len());
    }
    let problem = Problem::error(file, message).at(span);
    match nearest(unknown, known.iter().copied()) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help(format!("known are: {}", known.join(", "))),
    }
}

/// A message of the parser with its words for Rust types replaced.
fn in_plain_words(message: &str) -> String {
    let Some((before, expected)) = message.rsplit_once("expected ") else {
        return message.to_owned();
    };
    let plain = match expected {
        "usize" | "u64" | "u32" => "a whole number from 0 up",
        "f64" => "a number",
        "a sequence" => "a list",
        "a map" => "a mapping",
        other if other.starts_with("struct ") || other.starts_with("internally ") => "a mapping",
        other => other,
    };
    format!("{before}expected {plain}")
}

/// The unknown and the known names of serde's message about a field or variant.
fn unknown_name(message: &str) -> Option<(&str, Vec<&str>)> {
    let (_, rest) = message
        .split_once("unknown field `")
        .or_else(|| message.split_once("unknown variant `"))?;
    let mut quoted = rest.split('`');
    let unknown = quoted.next()?;
    Some((unknown, quoted.skip(1).step_by(2).collect()))
}

/// Where the key `name` stands, at or after `start`.
fn key_after(text: &str, start: usize, name: &str) -> Option<usize> {
    let rest = text.get(start..)?;
    rest.match_indices(name)
        .find(|(place, _)| {
            rest[place + name.len()..]
                .trim_start_matches(['"', '\''])
                .trim_start()
                .starts_with(':')
        })
        .map(|(place, _)| start + place)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the shape is of interest")]
    struct Shape {
        severity: Option<String>,
        text: Option<String>,
    }

    #[test]
    fn an_unknown_field_is_pointed_at_with_the_nearest_one() {
        let file = SourceFile::new("a.yaml", "\u{feff}text: hi\nsevrity: high\n");
        let problem = parse::<Shape>(&file).expect_err("the field is not known");
        assert_eq!(problem.line_column(), Some((2, 1)));
        assert_eq!(problem.help.as_deref(), Some("did you mean `severity`?"));
    }

    #[test]
    fn a_wrong_type_is_pointed_at() {
        let file = SourceFile::new("a.yaml", "text: hi\nseverity: [1]\n");
        let problem = parse::<Shape>(&file).expect_err("a list is not text");
        assert_eq!(problem.line_column().map(|place| place.0), Some(2));
    }

    #[test]
    fn types_are_named_in_plain_words() {
        let plain =
            in_plain_words("recipe: invalid type: string \"cai\", expected struct RecipeSettings");
        assert_eq!(
            plain,
            "recipe: invalid type: string \"cai\", expected a mapping"
        );
        let number = in_plain_words("invalid value: integer `-1`, expected usize");
        assert_eq!(
            number,
            "invalid value: integer `-1`, expected a whole number from 0 up"
        );
    }

    #[test]
    fn an_endless_file_is_refused_before_it_is_parsed() {
        let file = SourceFile::new("a.yaml", &"[".repeat(MAX_BYTES + 1));
        let problem = parse::<Shape>(&file).expect_err("the file is too large");
        assert!(problem.message.contains("at most"), "{problem}");
    }
}
