//! A table with one principle a row: CSV, or TSV. Columns are known by their names.

use csv::{ReaderBuilder, StringRecord};

use super::haul::{Entry, Haul, Misfit, spoken};
use super::source::Source;
use crate::constitution::Severity;

/// The names that a column may have, by what it holds; of several, the first that is there.
const COLUMNS: [(Column, &[&str]); 9] = [
    (Column::Id, &["id", "key"]),
    (Column::Title, &["title", "name"]),
    (
        Column::Text,
        &[
            "text",
            "statement",
            "principle",
            "sentence",
            "rule",
            "definition",
            "description",
        ],
    ),
    (
        Column::Critique,
        &["critique", "critique_request", "critic"],
    ),
    (
        Column::Revision,
        &["revision", "revision_request", "edit_request"],
    ),
    (Column::Preference, &["preference", "question", "principle"]),
    (Column::Severity, &["severity"]),
    (Column::Weight, &["weight"]),
    (Column::Tags, &["tags", "applies_to"]),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Id,
    Title,
    Text,
    Critique,
    Revision,
    Preference,
    Severity,
    Weight,
    Tags,
}

pub(super) fn fits(source: &Source) -> bool {
    matches!(source.ending().as_str(), "csv" | "tsv")
}

pub(super) fn read(source: &Source) -> Result<Haul, Misfit> {
    let delimiter = if source.ending() == "tsv" {
        b'\t'
    } else {
        b','
    };
    let mut table = ReaderBuilder::new()
        .delimiter(delimiter)
        .from_reader(source.text.as_bytes());
    let header = table.headers().map_err(|error| misfit(&error))?.clone();
    let columns = known_columns(&header);
    if !columns.iter().any(|(_, column)| says_something(*column)) {
        let found: Vec<&str> = header.iter().collect();
        return Err(Misfit::new(format!(
            "none of its columns ({}) is `text`, `statement`, `principle`, `sentence`, `rule`, \
             `definition`, `description`, `critique`, `revision` or `preference`",
            found.join(", ")
        )));
    }
    let mut haul = Haul::default();
    for row in table.records() {
        let row = row.map_err(|error| misfit(&error))?;
        let line = row.position().map_or(0, csv::Position::line);
        let place = format!("line {line}");
        let entry = entry(&row, &columns, &place, &mut haul);
        haul.entries.push(entry);
        for (at, name) in header.iter().enumerate() {
            let is_known = columns.iter().any(|(known, _)| *known == at);
            if !is_known && row.get(at).and_then(spoken).is_some() {
                haul.leave_out(
                    format!("column `{name}`"),
                    "no field of a principle",
                    &place,
                );
            }
        }
    }
    Ok(haul)
}

fn misfit(error: &csv::Error) -> Misfit {
    let line = error.position().map_or(0, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => Misfit(format!(
            "line {line} has {len} fields where the first line has {expected_len}"
        )),
        _ => Misfit(error.to_string()),
    }
}

fn says_something(column: Column) -> bool {
    matches!(
        column,
        Column::Text | Column::Critique | Column::Revision | Column::Preference
    )
}

/// The columns of a header whose names are known, each taken for one thing.
fn known_columns(header: &StringRecord) -> Vec<(usize, Column)> {
    let mut known: Vec<(usize, Column)> = Vec::new();
    for (column, names) in COLUMNS {
        let is_free = |at: &usize| known.iter().all(|(taken, _)| taken != at);
        let place = names.iter().find_map(|name| {
            let matching =
                |found: &str| found.trim().to_lowercase().replace([' ', '-'], "_") == *name;
            header.iter().position(matching).filter(is_free)
        });
        known.extend(place.map(|at| (at, column)));
    }
    known
}

fn entry(row: &StringRecord, columns: &[(usize, Column)], place: &str, haul: &mut Haul) -> Entry {
    let mut entry = Entry {
        place: place.to_owned(),
        ..Entry::default()
    };
    for (at, column) in columns {
        let Some(value) = row.get(*at).and_then(spoken) else {
            continue;
        };
        match column {
            Column::Id => entry.name = Some(value),
            Column::Title => entry.title = Some(value),
            Column::Text => entry.text = Some(value),
            Column::Critique => entry.critique = Some(value),
            Column::Revision => entry.revision = Some(value),
            Column::Preference => entry.preference = Some(value),
            Column::Tags => {
                let tags = value.split([',', ';']).filter_map(spoken);
                entry.tags = tags.collect();
            }
            Column::Weight => {
                let weight = value
                    .parse()
                    .ok()
                    .filter(|weight: &f64| weight.is_finite() && *weight >= 0.0);
                if weight.is_none() {
                    haul.leave_out("column `weight`", "no number from 0 up", place);
                }
                entry.weight = weight;
            }
            Column::Severity => {
                let named = value.to_lowercase();
                let mut severities = Severity::ALL.into_iter();
                entry.severity = severities.find(|severity| severity.as_str() == named);
                if entry.severity.is_none() {
                    let why = "neither low, medium, high nor critical";
                    haul.leave_out("column `severity`", why, place);
                }
            }
        }
    }
    if entry.name.is_none() {
        entry.name.clone_from(&entry.title);
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    fn haul(file: &str, text: &str) -> Result<Haul, Misfit> {
        read(&Source::of_bytes(file.to_owned(), text.as_bytes()).unwrap())
    }

    #[test]
    fn a_statement_goes_before_a_principle_which_is_then_the_question() {
        let text =
            "id,statement,principle,Name\nS1,It is kind.,Choose the kinder one.,\"Kind, always\"\n";
        let both = &haul("a.csv", text).unwrap().entries[0];
        assert_eq!(both.text.as_deref(), Some("It is kind."));
        assert_eq!(both.preference.as_deref(), Some("Choose the kinder one."));
        assert_eq!(both.title.as_deref(), Some("Kind, always"));
        let alone = &haul("a.csv", "principle\nIt is kind.\n").unwrap().entries[0];
        assert_eq!(alone.text.as_deref(), Some("It is kind."));
        assert_eq!(alone.preference, None);
    }

    #[test]
    fn a_ragged_row_is_told_with_its_line() {
        let Misfit(said) = haul("a.csv", "text,weight\nBe kind.,1\nBe brief.\n").unwrap_err();
        assert!(said.contains("line 3 has 1 fields"), "{said}");
    }

    #[test]
    fn a_table_without_a_known_column_says_which_it_has() {
        let Misfit(said) = haul("a.csv", "Regel,Gewicht\nNett sein.,1\n").unwrap_err();
        assert!(said.contains("Regel, Gewicht"), "{said}");
    }

    #[test]
    fn tabs_part_the_columns_of_a_tsv() {
        let entry = &haul("a.tsv", "text\tweight\ttags\nBe kind.\t2\ta; b\n")
            .unwrap()
            .entries[0];
        assert_eq!((entry.weight, entry.tags.len()), (Some(2.0), 2));
    }
}
