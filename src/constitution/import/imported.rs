//! One file in, one constitution out, with all that is to be said about it.

use std::path::Path;

use super::assemble::{Assembled, Renamed, Repeated, assemble};
use super::compare::Match;
use super::derived_text::TextOrigin;
use super::error::ImportError;
use super::haul::{Misfit, Unmapped};
use super::ids::kebab;
use super::shape::Shape;
use super::source::Source;
use super::write::{Written, note_on_texts, yaml};
use crate::constitution::{Constitution, ExampleVerdict, examine_text, is_kebab};
use crate::digest::Digest;
use crate::yaml::{MAX_BYTES, Problems};

/// The most principles that are imported: they are compared with one another.
const MOST_PRINCIPLES: usize = 1000;

/// How a file is imported.
#[derive(Debug, Default)]
pub struct ImportOptions<'a> {
    /// The shape to read it as; recognised without this.
    pub shape: Option<Shape>,
    /// The constitution's name; made of the file's without this.
    pub name: Option<&'a str>,
    /// The text of a principle of which the file has only examples.
    pub text: Option<&'a str>,
    /// Constitutions to compare with.
    pub others: &'a [Constitution],
}

/// A file of principles as a constitution.
#[derive(Debug)]
pub struct Imported {
    /// The constitution's file.
    pub yaml: String,
    /// The constitution, as it loads from that file.
    pub constitution: Constitution,
    /// The file's name without its folder.
    pub file: String,
    /// The digest of the file's bytes.
    pub digest: Digest,
    /// The shape that it was read as.
    pub shape: Shape,
    /// Where the text of each principle comes from, in their order.
    pub origins: Vec<TextOrigin>,
    /// Principles that could not keep their names.
    pub renamed: Vec<Renamed>,
    /// Entries that say what an earlier one says.
    pub repeated: Vec<Repeated>,
    /// What has no place in a constitution.
    pub unmapped: Vec<Unmapped>,
    /// Principles that say what those of other constitutions say.
    pub matches: Vec<Match>,
    /// What `constitution check` will warn about.
    pub warnings: Problems,
}

/// Reads a file of principles, of whatever shape, as a constitution.
///
/// # Errors
///
/// When the file cannot be read, has none of the shapes, or holds nothing that can become a
/// principle.
pub fn import(path: &Path, options: &ImportOptions<'_>) -> Result<Imported, ImportError> {
    import_source(&Source::open(path)?, options)
}

fn import_source(source: &Source, options: &ImportOptions<'_>) -> Result<Imported, ImportError> {
    let name = name(source, options)?;
    let shape = shape(source, options)?;
    let file = || source.file.clone();
    let mut haul = shape
        .read(source)
        .map_err(|Misfit(what)| ImportError::OtherShape {
            file: file(),
            shape,
            what,
        })?;
    let found = haul.entries.len();
    if found > MOST_PRINCIPLES {
        return Err(ImportError::TooMany {
            file: file(),
            found,
            most: MOST_PRINCIPLES,
        });
    }
    let assembled = assemble(&mut haul, options.text, options.others);
    if assembled.principles.is_empty() {
        let told = |note: &Unmapped| format!("{} ({}): {}", note.what, note.first, note.why);
        return Err(ImportError::NothingFound {
            file: file(),
            shape,
            left_out: haul.unmapped.iter().map(told).collect(),
        });
    }
    let (yaml, constitution, warnings) = written(&name, source, shape, &assembled)?;
    let Assembled {
        origins,
        renamed,
        repeated,
        matches,
        ..
    } = assembled;
    Ok(Imported {
        yaml,
        constitution,
        file: file(),
        digest: source.digest,
        shape,
        origins,
        renamed,
        repeated,
        unmapped: haul.unmapped,
        matches,
        warnings,
    })
}

/// The constitution's name: the one that was asked for, or else the file's.
fn name(source: &Source, options: &ImportOptions<'_>) -> Result<String, ImportError> {
    match options.name {
        Some(name) if is_kebab(name) => Ok(name.to_owned()),
        Some(name) => Err(ImportError::Name {
            name: name.to_owned(),
        }),
        None => {
            let stem = Path::new(&source.file).file_stem().unwrap_or_default();
            let name = kebab(&words_apart(&stem.to_string_lossy()));
            Ok(if name.is_empty() {
                "imported".to_owned()
            } else {
                name
            })
        }
    }
}

/// A name such as `OurRules` with its words apart.
fn words_apart(name: &str) -> String {
    let mut apart = String::new();
    let mut was_lower = false;
    for c in name.chars() {
        if was_lower && c.is_uppercase() {
            apart.push(' ');
        }
        was_lower = c.is_lowercase();
        apart.push(c);
    }
    apart
}

fn shape(source: &Source, options: &ImportOptions<'_>) -> Result<Shape, ImportError> {
    if let Some(shape) = options.shape {
        return Ok(shape);
    }
    let file = || source.file.clone();
    let begins_constitution = |line: &str| line.starts_with("constitution:");
    if source.json.is_empty() && source.text.lines().any(begins_constitution) {
        return Err(ImportError::Constitution { file: file() });
    }
    Shape::of(source).ok_or_else(|| ImportError::UnknownShape {
        file: file(),
        what: what_it_is(source),
    })
}

/// What a source without a shape is, in words.
fn what_it_is(source: &Source) -> String {
    let keys = |value: &serde_json::Value| {
        let object = value.as_object()?;
        let keys: Vec<String> = object
            .keys()
            .take(8)
            .map(|key| format!("`{key}`"))
            .collect();
        Some(keys.join(", "))
    };
    match source.items() {
        [] if source.json.is_empty() => {
            "it is no JSON, no table (.csv, .tsv) and no page (.md, .txt)".to_owned()
        }
        [] => "its list is empty".to_owned(),
        [first, ..] => match keys(first) {
            Some(keys) if source.json.len() == 1 && source.json[0].is_object() => {
                format!("it is a JSON object with the keys {keys}")
            }
            Some(keys) => format!("its first entry has the keys {keys}"),
            None => "its first entry is neither an object nor a text".to_owned(),
        },
    }
}

/// Writes what was assembled, and loads it again as anybody will.
fn written(
    name: &str,
    source: &Source,
    shape: Shape,
    assembled: &Assembled,
) -> Result<(String, Constitution, Problems), ImportError> {
    let written = Written {
        constitution: name,
        description: format!(
            "Imported from {} ({shape}), whose BLAKE3 digest begins with {}.",
            source.file, source.digest
        ),
        principles: assembled.principles.iter().map(Into::into).collect(),
    };
    let mut notes: Vec<&str> = note_on_texts(&assembled.origins).into_iter().collect();
    if assembled
        .principles
        .iter()
        .flat_map(|principle| &principle.examples)
        .any(|example| example.verdict == ExampleVerdict::Violates && example.evidence.is_none())
    {
        notes.push(
            "Violating examples have no `evidence`: quote it, or a critic is shown an omission.",
        );
    }
    let yaml = yaml(&written, &notes).expect("principles are plain data");
    if yaml.len() > MAX_BYTES {
        return Err(ImportError::ResultTooLarge { bytes: yaml.len() });
    }
    let (constitution, problems) = examine_text(name, &yaml).map_err(ImportError::Invalid)?;
    match constitution {
        Some(constitution) => Ok((yaml, constitution, problems)),
        None => Err(ImportError::Invalid(problems.into())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn import_text(file: &str, text: &str) -> Result<Imported, ImportError> {
        let source = Source::of_bytes(file.to_owned(), text.as_bytes())?;
        import_source(&source, &ImportOptions::default())
    }

    #[test]
    fn the_name_follows_the_file() {
        let imported = import_text("OurGoodRules v2.md", "- Be kind.\n").unwrap();
        assert_eq!(imported.constitution.name(), "our-good-rules-v2");
        assert_eq!(
            import_text("规则.md", "- Be kind.\n")
                .unwrap()
                .constitution
                .name(),
            "imported"
        );
    }

    #[test]
    fn a_file_name_cannot_leave_its_description() {
        let name = "a\nversion: 9\n.md";
        let imported = import_text(name, "- Be kind.\n").unwrap();
        assert_eq!(imported.constitution.version(), "1.0");
        assert!(imported.constitution.description().contains(name));
    }

    proptest! {
        /// Whatever a text holds, the file that is written says the same.
        #[test]
        fn texts_come_out_as_they_went_in(
            texts in proptest::collection::vec("(\\PC|[\n\t \u{85}\u{2028}\u{feff}:#'\"|>-]){1,60}", 1..4),
            prompt in "(\\PC|[\n\t ]){0,40}",
        ) {
            let entries: Vec<_> = texts
                .iter()
                .map(|text| json!({ "name": "n", "critique_request": text, "revision_request": prompt }))
                .collect();
            let Ok(imported) = import_text("a.json", &json!(entries).to_string()) else {
                prop_assert!(texts.iter().all(|text| text.trim().is_empty()) && prompt.trim().is_empty());
                return Ok(());
            };
            let spoken = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
            for principle in imported.constitution.principles() {
                let same = |text: &String| spoken(text) == principle.critique;
                prop_assert!(texts.iter().any(same), "{:?}", principle.critique);
                prop_assert_eq!(&spoken(&prompt), &principle.revision);
            }
        }
    }
}
