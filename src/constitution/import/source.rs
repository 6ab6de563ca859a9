//! A file to import: read whole, its bytes named by their digest, its JSON parsed.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde_json::Value;

use super::ImportError;
use super::haul::Misfit;
use crate::digest::Digest;

/// The most bytes that are read: files of principles are much smaller.
pub(super) const MOST_BYTES: u64 = 16 << 20;

/// A file to import.
#[derive(Debug)]
pub(super) struct Source {
    /// The file's name without its folder.
    pub(super) file: String,
    /// The digest of its bytes.
    pub(super) digest: Digest,
    /// Its text, without a byte order mark.
    pub(super) text: String,
    /// The JSON values that it holds, one or several; none for other text.
    pub(super) json: Vec<Value>,
}

impl Source {
    /// Reads a file.
    pub(super) fn open(path: &Path) -> Result<Self, ImportError> {
        let unreadable = |source| ImportError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let name = path.file_name().unwrap_or(path.as_os_str());
        let file = name.to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|opened| opened.take(MOST_BYTES + 1).read_to_end(&mut bytes))
            .map_err(unreadable)?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(ImportError::TooLarge { file });
        }
        Self::of_bytes(file, &bytes)
    }

    /// Takes a file's bytes for what they are.
    pub(super) fn of_bytes(file: String, bytes: &[u8]) -> Result<Self, ImportError> {
        let digest = Digest::of(bytes);
        let text = match text(bytes) {
            Ok(text) if text.trim().is_empty() => return Err(ImportError::Empty { file }),
            Ok(text) => text.to_owned(),
            Err(what) => return Err(ImportError::NotText { file, what }),
        };
        let json = if begins_like_json(&file, &text) {
            match values(&text) {
                Ok(json) => json,
                Err(source) => return Err(ImportError::NotJson { file, source }),
            }
        } else {
            Vec::new()
        };
        Ok(Self {
            file,
            digest,
            text,
            json,
        })
    }

    /// The one JSON value, if there is just one.
    pub(super) fn value(&self) -> Option<&Value> {
        match self.json.as_slice() {
            [value] => Some(value),
            _ => None,
        }
    }

    /// The items of the one JSON array, or the JSON values themselves where there are several.
    pub(super) fn items(&self) -> &[Value] {
        match self.json.as_slice() {
            [Value::Array(items)] => items,
            several => several,
        }
    }

    /// The items, where a list is needed.
    pub(super) fn list(&self) -> Result<&[Value], Misfit> {
        match self.items() {
            [] if self.json.is_empty() => Err(Misfit::new("it holds no JSON")),
            [] => Err(Misfit::new("its list is empty")),
            items => Ok(items),
        }
    }

    /// Whether there are items and every one is an object with one of these keys.
    pub(super) fn is_list_with(&self, keys: &[&str]) -> bool {
        let has_key = |item: &Value| keys.iter().any(|key| item.get(key).is_some());
        !self.items().is_empty() && self.items().iter().all(has_key)
    }

    /// The file name's ending, in lower case.
    pub(super) fn ending(&self) -> String {
        ending(&self.file)
    }
}

fn ending(file: &str) -> String {
    let ending = Path::new(file).extension().unwrap_or_default();
    ending.to_string_lossy().to_lowercase()
}

/// The bytes as text, or what they are instead.
fn text(bytes: &[u8]) -> Result<&str, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err("it begins with the mark of UTF-16".to_owned());
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| format!("byte {} is out of place", error.valid_up_to() + 1))?;
    match text.find('\0') {
        Some(place) => Err(format!("byte {} is zero", place + 1)),
        None => Ok(text),
    }
}

/// Whether the text is to be JSON; Markdown may begin with a link.
fn begins_like_json(file: &str, text: &str) -> bool {
    let is_prose = matches!(ending(file).as_str(), "md" | "markdown" | "csv" | "tsv");
    text.trim_start().starts_with(['{', '[']) && !is_prose
}

/// The JSON values that stand one after another in a text.
fn values(text: &str) -> serde_json::Result<Vec<Value>> {
    serde_json::Deserializer::from_str(text)
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(file: &str, bytes: &[u8]) -> Result<Source, String> {
        Source::of_bytes(file.to_owned(), bytes).map_err(|error| error.to_string())
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text_but_of_the_digest() {
        let marked = source("a.json", b"\xef\xbb\xbf[\"x\"]").unwrap();
        let plain = source("a.json", b"[\"x\"]").unwrap();
        assert_eq!(marked.json, plain.json);
        assert_ne!(marked.digest, plain.digest);
    }

    #[test]
    fn what_is_no_text_is_told_with_its_place() {
        let said = |bytes| source("a.json", bytes).unwrap_err();
        assert!(said(b"").contains("is empty"));
        assert!(said(b" \n").contains("is empty"));
        assert!(said(b"ab\xff").contains("byte 3"));
        assert!(said(b"a\0").contains("byte 2 is zero"));
        assert!(said(b"\xff\xfea\0").contains("UTF-16"));
        assert!(said(b"{\"a\": ").contains("not JSON"));
    }

    #[test]
    fn values_may_stand_one_after_another() {
        let several = source("a.jsonl", b"{\"a\": 1}\n{\n \"a\": 2}\n").unwrap();
        assert_eq!(several.items().len(), 2);
        assert!(several.is_list_with(&["a", "b"]) && several.value().is_none());
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_crash() {
        let deep = "[".repeat(100_000);
        assert!(source("a.json", deep.as_bytes()).is_err());
    }

    #[test]
    fn markdown_may_begin_with_a_bracket() {
        assert!(
            source("a.md", b"[ours](x.md)\n\n- Be kind.")
                .unwrap()
                .json
                .is_empty()
        );
    }
}
