//! Looks at the start of an input before the work begins: what it is, and which column is what.

use crate::dataset::agree;
use crate::dataset::canonical::{Canonical, Origin};
use crate::dataset::columns::{find, recognise};
use crate::dataset::labels::{id_column, tags_column};
use crate::dataset::options::ReadOptions;
use crate::dataset::part::Part;
use crate::dataset::row::{Cell, parse_row};
use crate::dataset::source::Source;
use crate::dataset::source_error::SourceError;

/// How many rows are looked at, until one is recognised.
const MOST_ROWS: usize = 20;

/// What the start of an input shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// How many files there are.
    pub files: usize,
    /// Their formats, each once, with their compression.
    pub formats: Vec<String>,
    /// What a column is, and its name, of the first row that was recognised; none if none was.
    pub columns: Vec<(&'static str, String)>,
    /// How many other columns that row has.
    pub others: usize,
    /// Names in its folders that are not read.
    pub left_out: Vec<String>,
}

impl Source {
    /// Looks at the first rows of files. A stream shows nothing, since it can be read only once.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or a column that was named is in none of those rows.
    pub fn look(&self, options: &ReadOptions) -> Result<Option<Look>, SourceError> {
        if !self.is_files() {
            return Ok(None);
        }
        let mut look = Look {
            files: self.parts().len(),
            left_out: self.left_out().to_vec(),
            ..Look::default()
        };
        for format in self.parts().iter().map(Part::described) {
            if !look.formats.contains(&format) {
                look.formats.push(format);
            }
        }
        let mut seen = Seen::default();
        let origin = Origin::Parts(self.parts().into());
        let mut lines = Canonical::new(self.to_string(), origin, options.line_limit);
        for _ in 0..MOST_ROWS {
            let Some(line) = lines.next_line()? else {
                break;
            };
            let text = std::str::from_utf8(line.bytes).unwrap_or_default();
            let Ok(cells) = parse_row(text.trim_start_matches('\u{feff}')) else {
                continue;
            };
            seen.note(&cells, options);
            if look.columns.is_empty() {
                look.recognise(text.trim_start_matches('\u{feff}'), &cells, options);
            }
            if !look.columns.is_empty() && seen.has_all() {
                break;
            }
        }
        seen.check(self, options)?;
        let are_named = !named(options).is_empty();
        agree::check(self.parts(), &look.columns, are_named)?;
        Ok(Some(look))
    }
}

impl Look {
    /// Notes which columns of a row are what, if it is a record.
    fn recognise(&mut self, text: &str, cells: &[Cell<'_>], options: &ReadOptions) {
        let Ok(said) = recognise(text, cells, options) else {
            return;
        };
        let names = &options.columns;
        let labels = [("id", id_column(names)), ("tags", tags_column(names))];
        let labels = labels
            .into_iter()
            .filter(|(_, name)| find(cells, name).is_some());
        let used = said.used.iter().copied().chain(labels);
        self.columns = used.map(|(what, name)| (what, name.to_owned())).collect();
        self.others = cells.len().saturating_sub(self.columns.len());
    }
}

/// Which of the named columns were seen, and which columns there are.
#[derive(Default)]
struct Seen {
    missing: Option<Vec<(String, String)>>,
    columns: Vec<String>,
}

impl Seen {
    fn note(&mut self, cells: &[Cell<'_>], options: &ReadOptions) {
        let missing = self.missing.get_or_insert_with(|| {
            self.columns = cells.iter().map(|cell| cell.name.to_string()).collect();
            named(options)
        });
        missing.retain(|(_, column)| find(cells, column).is_none());
    }

    fn has_all(&self) -> bool {
        self.missing.as_ref().is_some_and(Vec::is_empty)
    }

    fn check(self, source: &Source, options: &ReadOptions) -> Result<(), SourceError> {
        let mut missing = self.missing.unwrap_or_default().into_iter();
        let first = missing.find(|(what, _)| !(what == "answer" && options.ignore_answers));
        match first {
            None => Ok(()),
            Some((what, column)) => Err(SourceError::NoColumn {
                name: source.to_string(),
                what,
                column,
                columns: self.columns,
            }),
        }
    }
}

fn named(options: &ReadOptions) -> Vec<(String, String)> {
    let answer = options
        .answer_column
        .as_deref()
        .map(|name| ("answer", name));
    let all = options.columns.named().chain(answer);
    all.map(|(what, name)| (what.to_owned(), name.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::dataset::options::ColumnNames;

    #[test]
    fn the_first_rows_show_which_column_is_what() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("a.csv"),
            "uid,question,reply,n\n1,q,a,7\n",
        )
        .unwrap();
        fs::write(folder.path().join("notes.md"), "").unwrap();
        let source = Source::open(folder.path()).unwrap();
        let mut options = ReadOptions {
            answer_column: Some("reply".to_owned()),
            columns: ColumnNames {
                prompt: Some("question".to_owned()),
                id: Some("uid".to_owned()),
                ..ColumnNames::default()
            },
            ..ReadOptions::default()
        };
        let look = source.look(&options).unwrap().unwrap();
        assert_eq!((look.files, look.others), (1, 1));
        assert_eq!(
            (look.formats, look.left_out),
            (vec!["CSV".to_owned()], vec!["notes.md".to_owned()])
        );
        let columns = [("prompt", "question"), ("answer", "reply"), ("id", "uid")];
        assert_eq!(
            look.columns,
            columns.map(|(what, name)| (what, name.to_owned()))
        );

        options.columns.prompt = Some("ask".to_owned());
        let error = source.look(&options).unwrap_err().to_string();
        assert!(
            error.starts_with("there is no column `ask` to take the prompt from in ")
                && error.ends_with("it has uid, question, reply, n"),
            "{error}"
        );
    }

    #[test]
    fn rows_that_are_none_are_looked_past() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        fs::write(&path, "\u{feff}{\"note\":1}\n\nx\n{\"prompt\":\"q\"}\n").unwrap();
        let look = Source::open(&path).unwrap().look(&ReadOptions::default());
        assert_eq!(
            look.unwrap().unwrap().columns,
            [("prompt", "prompt".to_owned())]
        );
        fs::write(&path, "{}\n".repeat(30)).unwrap();
        let look = Source::open(&path).unwrap().look(&ReadOptions::default());
        assert!(look.unwrap().unwrap().columns.is_empty());
    }
}
