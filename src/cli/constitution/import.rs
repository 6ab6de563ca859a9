//! `redraft constitution import FILE`: a constitution out of somebody else's file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use crate::cli::Exit;
use crate::cli::error::UsageError;
use crate::cli::terminal::{Paint, counted, safe, thousands};
use crate::constitution::import::{
    ImportOptions, Imported, Match, Relation, Shape, TextOrigin, import,
};
use crate::constitution::{Constitution, Principle};

/// Options of `redraft constitution import`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// The file: JSON, JSON lines, a table (.csv, .tsv) or a page (.md, .txt)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Write the constitution here [default: standard output]
    #[arg(short, long, value_name = "OUT.yaml")]
    output: Option<PathBuf>,
    /// The constitution's name [default: from the file's name]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The file's shape [default: recognised]
    #[arg(long, value_name = "SHAPE")]
    from: Option<Shape>,
    /// What the principle says of which the file has only examples
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Say which principles another constitution, or another file of principles, has under whatever
    /// names
    #[arg(long = "match", value_name = "FILE|NAME")]
    others: Vec<String>,
}

impl Options {
    pub(super) fn run(self) -> anyhow::Result<Exit> {
        if let Some(output) = self.output.as_deref().filter(|output| output.exists()) {
            let message = format!(
                "{} is there already, and is left as it is",
                output.display()
            );
            return Err(UsageError(message).into());
        }
        let others = self.others.iter().map(|other| load(other));
        let others = others.collect::<anyhow::Result<Vec<Constitution>>>()?;
        let imported = import(
            &self.file,
            &ImportOptions {
                shape: self.from,
                name: self.name.as_deref(),
                text: self.text.as_deref(),
                others: &others,
            },
        )?;
        match &self.output {
            Some(output) => write(output, &imported.yaml)?,
            None => out!("{}", imported.yaml),
        }
        tell(&imported, &others);
        if let Some(output) = &self.output {
            eprintln!(
                "Next: redraft constitution check {}",
                safe(&output.display().to_string())
            );
        }
        Ok(Exit::Done)
    }
}

/// A constitution to compare with: one of ours, or what a file of principles becomes.
fn load(reference: &str) -> anyhow::Result<Constitution> {
    let path = Path::new(reference);
    let is_ours = path
        .extension()
        .is_some_and(|ending| ending == "yaml" || ending == "yml");
    if is_ours || !path.is_file() {
        return Ok(Constitution::load(reference)?);
    }
    Ok(import(path, &ImportOptions::default())?.constitution)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    File::create_new(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Says what was found, what became of it, and what did not.
fn tell(imported: &Imported, others: &[Constitution]) {
    let paint = Paint::STDERR;
    let principles = imported.constitution.principles();
    let examples = principles
        .iter()
        .map(|principle| principle.examples.len() as u64)
        .sum();
    eprintln!(
        "{}: {}, {} and {}",
        paint.bold(safe(&imported.file)),
        imported.shape,
        counted(principles.len() as u64, "principle"),
        counted(examples, "example"),
    );
    for (parts, count) in by_parts(principles, &imported.origins) {
        eprintln!("  {:>5}  {parts}", thousands(count));
    }
    tell_repeated(imported);
    for renamed in &imported.renamed {
        let owner = match &renamed.constitution {
            Some(constitution) => format!("in {constitution} that is another principle"),
            None => "that is another principle of this file".to_owned(),
        };
        eprintln!(
            "  {} {}: `{}` is taken, {owner}; here it is `{}`",
            paint.notable("name"),
            safe(&renamed.place),
            renamed.wanted,
            renamed.id
        );
    }
    for note in &imported.unmapped {
        let times = match note.count {
            1 => format!("in {}", note.first),
            count => format!("{} times, first in {}", thousands(count as u64), note.first),
        };
        let (what, times, why) = (safe(&note.what), safe(&times), safe(&note.why));
        eprintln!("  {} {what}, {times}: {why}", paint.notable("not mapped"));
    }
    for other in others {
        tell_matches(imported, other.name());
    }
    let warnings = imported.warnings.0.len() as u64;
    if warnings > 0 {
        let warnings = counted(warnings, "warning");
        eprintln!(
            "  {}",
            paint.dim(format!("constitution check has {warnings} about it"))
        );
    }
}

fn tell_repeated(imported: &Imported) {
    for repeated in &imported.repeated {
        eprintln!(
            "  {} {}: says what `{}` says, and is that principle",
            Paint::STDERR.notable("same"),
            safe(&repeated.place),
            repeated.id
        );
    }
}

/// How many principles have which parts, and where their text comes from.
fn by_parts(principles: &[Principle], origins: &[TextOrigin]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for (principle, origin) in principles.iter().zip(origins) {
        let parts = [
            ("text", *origin == TextOrigin::Given),
            ("critique request", principle.critique.is_some()),
            ("revision request", principle.revision.is_some()),
            ("preference question", principle.preference.is_some()),
            ("examples", !principle.examples.is_empty()),
        ];
        let there = parts.iter().filter(|(_, is_there)| *is_there);
        let there: Vec<&str> = there.map(|(name, _)| *name).collect();
        let text = match origin {
            TextOrigin::Given => "",
            TextOrigin::Revision => "; its text quotes the revision request",
            TextOrigin::Critique => "; its text quotes the critique request",
            TextOrigin::Preference => "; its text quotes the question",
            TextOrigin::Examples => {
                "; the file says no principle, so the text is ours: give --text"
            }
        };
        *counts
            .entry(format!("with {}{text}", there.join(", ")))
            .or_default() += 1;
    }
    counts
}

fn tell_matches(imported: &Imported, other: &str) {
    let paint = Paint::STDERR;
    let found: Vec<&Match> = imported
        .matches
        .iter()
        .filter(|found| found.constitution == other)
        .collect();
    let count = counted(found.len() as u64, "principle");
    eprintln!(
        "  {} with {}: {count} in common",
        paint.bold("compared"),
        safe(other)
    );
    for found in found {
        let how = match &found.relation {
            Relation::Same => "the same".to_owned(),
            Relation::Partly(parts) => format!("the same {}", parts.join(" and ")),
            Relation::Nearly(part) => format!("nearly the same {part}"),
        };
        eprintln!("    {}  {how} as {}", found.id, safe(&found.other));
    }
}
