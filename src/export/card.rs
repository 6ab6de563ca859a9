//! The README of what was exported: front matter that the hub reads, and where the rows come from.

use std::fmt::Write as _;

use serde_json::json;

use super::{About, Counts, FormatName, Shape};
use crate::digest::Digest;
use crate::transcript::Provenance;

/// The line by which a card is known as redraft's.
const MARK: &str =
    "# redraft export wrote this card and replaces it; without this line, the card is yours.";

/// Buckets of sizes as the hub names them.
const SIZES: [(u64, &str); 7] = [
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
    (1_000_000_000, "100M<n<1B"),
];

/// A file of rows, as its card lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardFile {
    /// The split.
    pub split: String,
    /// The file's name beside the card.
    pub path: String,
    /// How many rows it has.
    pub rows: u64,
    /// The digest of its bytes before any compression.
    pub digest: Digest,
}

/// What a card tells.
#[derive(Clone, Copy, Debug)]
pub struct Card<'a> {
    /// What is known of the run.
    pub about: &'a About,
    /// The format of the rows.
    pub format: FormatName,
    /// What was exported and what was not.
    pub counts: &'a Counts,
    /// The files, in the order of the splits.
    pub files: &'a [CardFile],
    /// The command that wrote them.
    pub command: &'a str,
    /// The version of redraft that wrote them.
    pub version: &'a str,
}

/// Whether a README is a card that redraft wrote, and may replace.
#[must_use]
pub fn is_own_card(text: &str) -> bool {
    text.lines().nth(1) == Some(MARK)
}

impl Card<'_> {
    /// The card's text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.front_matter();
        let _ = write!(
            text,
            "# {}\n\nRows in the form `{}`, exported by redraft {} from the run {}: answers that were \
             critiqued against a written constitution and revised.\n\n",
            inline(&self.about.run),
            self.format,
            self.version,
            inline(&self.about.run),
        );
        self.write_files(&mut text);
        self.write_counts(&mut text);
        for provenance in &self.about.provenances {
            write_provenance(&mut text, provenance);
        }
        if !self.about.imported.is_empty() {
            let forms = self.about.imported.join(", ");
            let _ = writeln!(
                text,
                "Transcripts of other tools were imported ({}); what is not said above is not \
                 known of them.\n",
                inline(&forms)
            );
        }
        let _ = write!(
            text,
            "## Command\n\n```\n{}\n```\n",
            self.command.replace("```", "` ` `")
        );
        text
    }

    /// JSON strings are YAML strings, whatever is in them.
    fn front_matter(&self) -> String {
        let rows = self.counts.all_rows();
        let size = SIZES.iter().find(|(below, _)| rows < *below);
        let size = size.map_or("n>1B", |(_, name)| name);
        let mut tags = vec!["redraft", "constitutional-ai", "synthetic"];
        if self.format.is_preference() {
            tags.push("preference");
        }
        let mut text = format!("---\n{MARK}\npretty_name: {}\n", json!(self.about.run));
        let _ = writeln!(text, "task_categories:\n- text-generation\ntags:");
        for tag in tags {
            let _ = writeln!(text, "- {tag}");
        }
        let _ = writeln!(text, "size_categories:\n- {size}");
        if self.format.shape() == Shape::Lines {
            let _ = writeln!(text, "configs:\n- config_name: default\n  data_files:");
            // An empty file would keep the others from being loaded.
            for file in self.files.iter().filter(|file| file.rows > 0) {
                let (split, path) = (json!(file.split), json!(file.path));
                let _ = writeln!(text, "  - split: {split}\n    path: {path}");
            }
        }
        text.push_str("---\n\n");
        text
    }

    fn write_files(&self, text: &mut String) {
        text.push_str("| split | file | rows | BLAKE3, 128 bits |\n|---|---|---:|---|\n");
        for file in self.files {
            let _ = writeln!(
                text,
                "| {} | {} | {} | `{}` |",
                file.split,
                inline(&file.path),
                file.rows,
                file.digest
            );
        }
        text.push('\n');
    }

    fn write_counts(&self, text: &mut String) {
        let counts = self.counts;
        let _ = writeln!(
            text,
            "Of {} transcripts, {} gave rows. Left out:\n",
            counts.transcripts, counts.exported
        );
        if counts.left_out.is_empty() {
            text.push_str("* nothing\n");
        }
        for (why, count) in &counts.left_out {
            let _ = writeln!(text, "* {count} {why}");
        }
        text.push('\n');
    }
}

fn write_provenance(text: &mut String, provenance: &Provenance) {
    text.push_str("## What made them\n\n");
    if let Some(constitution) = &provenance.constitution {
        let _ = writeln!(
            text,
            "* constitution: {} {} (`{}`)",
            inline(&constitution.name),
            inline(&constitution.version),
            constitution.digest
        );
    }
    for (role, model) in provenance.models.iter().flatten() {
        let _ = writeln!(text, "* {role}: {}", inline(&model.to_string()));
    }
    if !provenance.recipe.is_null() {
        let _ = writeln!(text, "* recipe: {}", inline(&provenance.recipe.to_string()));
    }
    if let Some(prompts) = &provenance.prompts {
        let _ = writeln!(text, "* prompt templates: `{prompts}`");
    }
    if let Some(seed) = provenance.seed {
        let _ = writeln!(text, "* seed: {seed}");
    }
    let _ = writeln!(text, "* redraft: {}\n", inline(&provenance.redraft));
}

/// Text from outside as code in a line of Markdown.
fn inline(text: &str) -> String {
    let plain = |c: char| {
        if c.is_control() || c == '`' || c == '|' {
            ' '
        } else {
            c
        }
    };
    let text: String = text.chars().map(plain).collect();
    format!("`{}`", text.trim())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::export::test_transcripts::mended;

    #[test]
    fn the_card_says_what_was_exported_and_survives_odd_names() {
        let transcript = mended();
        let about = About {
            run: "a: \"b\"\n---\n`|x".to_owned(),
            provenances: vec![Arc::clone(&transcript.provenance)],
            imported: Vec::new(),
        };
        let counts = Counts {
            transcripts: 3,
            exported: 2,
            rows: vec![2],
            ..Counts::default()
        };
        let files = [CardFile {
            split: "train".to_owned(),
            path: "train.jsonl".to_owned(),
            rows: 2,
            digest: Digest::of(b"rows"),
        }];
        let card = Card {
            about: &about,
            format: FormatName::Dpo,
            counts: &counts,
            files: &files,
            command: "redraft export",
            version: "9.9.9",
        };
        let text = card.text();
        assert!(is_own_card(&text));
        let (front, body) = text[4..].split_once("\n---\n").expect("front matter");
        let front: serde_yaml::Value = serde_yaml::from_str(front).expect("YAML");
        assert_eq!(front["pretty_name"], about.run.as_str());
        assert_eq!(front["configs"][0]["data_files"][0]["path"], "train.jsonl");
        assert_eq!(front["size_categories"][0], "n<1K");
        assert!(body.contains("Of 3 transcripts, 2 gave rows"), "{body}");
        assert!(body.contains("* seed: 0\n"), "{body}");
        assert!(!body.contains("\n---\n"), "{body}");
        assert!(!is_own_card("---\npretty_name: mine\n---\n"));
    }
}
