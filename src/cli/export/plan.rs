//! Which files an export writes, found out before the work.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::command_text::command_text;
use crate::cli::error::UsageError;
use crate::dataset::{Output, Target, is_address};
use crate::export::{Card, CardFile, Exporter, FormatName, Shape, Splits, is_own_card};

/// The name of the one split where none is asked for.
pub(super) const ONLY_SPLIT: &str = "train";
/// The name of a card.
const CARD: &str = "README.md";

/// What the command line asks for.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) output: Option<&'a Path>,
    pub(super) format: FormatName,
    pub(super) splits: Option<&'a Splits>,
    pub(super) card: bool,
    /// The store, which no file may replace.
    pub(super) store: &'a Path,
}

/// Which files an export writes.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) sheets: Vec<SheetPlan>,
    card: Option<PathBuf>,
}

/// One file of rows.
#[derive(Debug)]
pub(super) struct SheetPlan {
    pub(super) split: String,
    /// The file's name, without its folder.
    pub(super) name: String,
    pub(super) target: Target,
}

/// What became of the card.
#[derive(Debug)]
pub(super) enum CardEnd {
    Written(PathBuf),
    /// Somebody else wrote the README that is there.
    Foreign(PathBuf),
}

impl Plan {
    /// Finds out where everything goes, and that it can be written.
    pub(super) fn make(wanted: &Wanted<'_>) -> anyhow::Result<Self> {
        let splits = wanted.splits.map_or(&[][..], Splits::names);
        let out = match wanted.output {
            Some(out) if out != Path::new("-") => out,
            _ => return Self::standard_output(wanted),
        };
        let is_folder = out.is_dir() || out.as_os_str().to_string_lossy().ends_with('/');
        let folder = if is_folder {
            if !is_address(out) {
                fs::create_dir_all(out)
                    .with_context(|| format!("cannot make the folder {}", out.display()))?;
            }
            out
        } else {
            out.parent().unwrap_or(Path::new(""))
        };
        let names: Vec<(String, OsString)> = match (is_folder, splits) {
            (true, []) => vec![in_folder(ONLY_SPLIT, wanted.format)],
            (true, splits) => splits
                .iter()
                .map(|split| in_folder(split, wanted.format))
                .collect(),
            (false, []) => {
                let name = out.file_name().unwrap_or_default().to_owned();
                vec![(ONLY_SPLIT.to_owned(), name)]
            }
            (false, splits) => splits.iter().map(|split| beside(out, split)).collect(),
        };
        let sheets = names.into_iter().map(|(split, name)| {
            let path = folder.join(&name);
            keep_store(&path, wanted.store)?;
            let target = Target::check(&path, None)?;
            Ok(SheetPlan {
                split,
                name: name.to_string_lossy().into_owned(),
                target: match wanted.format.shape() {
                    Shape::Lines => target,
                    Shape::Document => target.of_lines(),
                },
            })
        });
        Ok(Self {
            sheets: sheets.collect::<anyhow::Result<_>>()?,
            card: (is_folder || wanted.card).then(|| folder.join(CARD)),
        })
    }

    fn standard_output(wanted: &Wanted<'_>) -> anyhow::Result<Self> {
        if wanted.splits.is_some() || wanted.card {
            let asked = if wanted.card { "--card" } else { "--split" };
            let text = format!("{asked} needs files: give -o FILE, or -o FOLDER/");
            return Err(UsageError(text).into());
        }
        let sheet = SheetPlan {
            split: ONLY_SPLIT.to_owned(),
            name: "-".to_owned(),
            target: Target::check(Path::new("-"), None)?,
        };
        Ok(Self {
            sheets: vec![sheet],
            card: None,
        })
    }

    /// Writes the card, where there is to be one; a README that is not redraft's stays as it is.
    pub(super) fn write_card(
        &self,
        format: FormatName,
        exporter: &Exporter,
        files: &[CardFile],
    ) -> anyhow::Result<Option<CardEnd>> {
        let Some(path) = &self.card else {
            return Ok(None);
        };
        let found = Target::beginning(path)?;
        let is_ours = |found: &[u8]| is_own_card(&String::from_utf8_lossy(found));
        if found.is_some_and(|found| !is_ours(&found)) {
            return Ok(Some(CardEnd::Foreign(path.clone())));
        }
        let card = Card {
            about: exporter.about(),
            format,
            counts: exporter.counts(),
            files,
            command: &command_text(std::env::args_os()),
            version: env!("CARGO_PKG_VERSION"),
        };
        let mut output = Output::create(&Target::check(path, None)?.of_lines())?;
        output.write_row(card.text().trim_end().as_bytes())?;
        output.commit()?.at_once()?;
        Ok(Some(CardEnd::Written(path.clone())))
    }
}

/// Refuses to replace the store.
fn keep_store(out: &Path, store: &Path) -> Result<(), UsageError> {
    let same =
        matches!((out.canonicalize(), store.canonicalize()), (Ok(out), Ok(store)) if out == store);
    if same {
        let text = format!(
            "the output {} is the store; give another path",
            out.display()
        );
        return Err(UsageError(text));
    }
    Ok(())
}

fn in_folder(split: &str, format: FormatName) -> (String, OsString) {
    let ending = match format.shape() {
        Shape::Lines => "jsonl",
        Shape::Document => "json",
    };
    (split.to_owned(), format!("{split}.{ending}").into())
}

/// `out-SPLIT.jsonl` for `out.jsonl`; a compression's ending stays with the one before it.
fn beside(out: &Path, split: &str) -> (String, OsString) {
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    let compressed = [".gz", ".zst"]
        .iter()
        .find(|ending| name.ends_with(*ending));
    let whole = compressed.map_or(&*name, |ending| &name[..name.len() - ending.len()]);
    let place = whole.rfind('.').filter(|place| *place > 0);
    let (stem, ending) = name.split_at(place.unwrap_or(whole.len()));
    (split.to_owned(), format!("{stem}-{split}{ending}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_split_stands_before_the_ending() {
        let named = |out: &str| beside(Path::new(out), "test").1.into_string().unwrap();
        assert_eq!(named("a/sft.jsonl"), "sft-test.jsonl");
        assert_eq!(named("sft.v2.jsonl.zst"), "sft.v2-test.jsonl.zst");
        assert_eq!(named("sft"), "sft-test");
        assert_eq!(named(".rows"), ".rows-test");
    }
}
