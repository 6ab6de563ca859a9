//! Which columns are read as what: the options that name them, and what was recognised.

use clap::Args;

use super::error::UsageError;
use super::terminal::{Paint, counted, safe};
use crate::dataset::{ColumnNames, Look};

/// How many names of files that are left out are shown.
const MOST_NAMES: usize = 5;

/// Options that name columns.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct ColumnArgs {
    /// The column that holds the answer
    #[arg(long, value_name = "COLUMN")]
    answer: Option<String>,
    /// Which columns are what, as in prompt=question,answer=reply; known are prompt, answer,
    /// messages, id, tags and system
    #[arg(long, value_name = "OURS=THEIRS", value_delimiter = ',')]
    map: Vec<String>,
}

impl ColumnArgs {
    /// The column of the answer, and the others.
    pub(super) fn named(&self) -> Result<(Option<String>, ColumnNames), UsageError> {
        let mut answer = self.answer.clone();
        let mut names = ColumnNames::default();
        for mapped in &self.map {
            let (ours, theirs) = mapped
                .split_once('=')
                .filter(|(_, theirs)| !theirs.is_empty())
                .ok_or_else(|| {
                    let message = format!("--map {mapped} is not of the form OURS=THEIRS");
                    UsageError(message)
                })?;
            let place = match ours {
                "answer" => &mut answer,
                "prompt" => &mut names.prompt,
                "messages" => &mut names.messages,
                "id" => &mut names.id,
                "tags" => &mut names.tags,
                "system" => &mut names.system,
                _ => {
                    return Err(UsageError(format!(
                        "--map knows no {ours}, only prompt, answer, messages, id, tags and system"
                    )));
                }
            };
            if let Some(earlier) = place.replace(theirs.to_owned()) {
                return Err(UsageError(format!(
                    "the {ours} cannot come from both {earlier} and {theirs}; name one column"
                )));
            }
        }
        if names.prompt.is_some() && names.messages.is_some() {
            let message = "--map names both prompt and messages; a row is read from one of them";
            return Err(UsageError(message.to_owned()));
        }
        Ok((answer, names))
    }
}

/// Says what will be read.
pub(super) fn tell(look: &Look) {
    let paint = Paint::STDERR;
    let line = |name: &str, text: String| eprintln!("  {} {}", paint.dim(name), safe(&text));
    line("reads:", files(look));
    line("columns:", columns(look));
    if !look.left_out.is_empty() {
        line("left out:", left_out(look));
    }
}

fn files(look: &Look) -> String {
    let files = counted(look.files as u64, "file");
    format!("{files} of {}", look.formats.join(" and "))
}

fn columns(look: &Look) -> String {
    if look.columns.is_empty() {
        return "nothing recognised in the first rows".to_owned();
    }
    let columns = look.columns.iter();
    let columns: Vec<String> = columns
        .map(|(what, name)| {
            if what == name {
                name.clone()
            } else {
                format!("{name} (as {what})")
            }
        })
        .collect();
    let others = match look.others {
        0 => String::new(),
        1 => "; 1 other passes through".to_owned(),
        others => format!("; {others} others pass through"),
    };
    format!("{}{others}", columns.join(", "))
}

fn left_out(look: &Look) -> String {
    let shown = look.left_out.iter().take(MOST_NAMES).cloned();
    let mut names: Vec<String> = shown.collect();
    let more = look.left_out.len() - names.len();
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(answer: Option<&str>, map: &[&str]) -> Result<(Option<String>, ColumnNames), String> {
        let arguments = ColumnArgs {
            answer: answer.map(str::to_owned),
            map: map.iter().map(|part| (*part).to_owned()).collect(),
        };
        arguments.named().map_err(|error| error.0)
    }

    #[test]
    fn columns_are_named_in_pairs() {
        let (answer, names) = named(None, &["prompt=question", "answer=re=ply", "id=uid"]).unwrap();
        assert_eq!(answer.as_deref(), Some("re=ply"));
        assert_eq!(names.prompt.as_deref(), Some("question"));
        assert_eq!(names.id.as_deref(), Some("uid"));
        for (answer, map, said) in [
            (None, &["prompt"][..], "is not of the form OURS=THEIRS"),
            (None, &["prompt="], "is not of the form OURS=THEIRS"),
            (None, &["question=prompt"], "--map knows no question"),
            (Some("a"), &["answer=b"], "cannot come from both a and b"),
            (None, &["prompt=a", "messages=b"], "read from one of them"),
        ] {
            let error = named(answer, map).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn what_is_read_fits_two_lines() {
        let look = Look {
            files: 2,
            formats: vec!["Parquet".to_owned()],
            columns: vec![("prompt", "question".to_owned()), ("id", "id".to_owned())],
            others: 2,
            left_out: (0..7).map(|n| n.to_string()).collect(),
        };
        assert_eq!(files(&look), "2 files of Parquet");
        assert_eq!(
            columns(&look),
            "question (as prompt), id; 2 others pass through"
        );
        assert_eq!(left_out(&look), "0, 1, 2, 3, 4, 2 more");
    }
}
