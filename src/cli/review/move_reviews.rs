//! `redraft review export` and `import`: reviews as JSON lines, for other tools and other stores.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::queue;
use crate::cli::Exit;
use crate::cli::args::StoreArgs;
use crate::cli::terminal::{counted, safe};
use crate::review::Review;

/// Options of `redraft review export`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ExportOptions {
    /// The run [default: the one that was last worked on]
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// Where they go [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArgs,
}

/// Options of `redraft review import`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ImportOptions {
    /// A file of JSON lines, each a review
    #[arg(value_name = "FILE")]
    input: PathBuf,
    /// The run that they are about [default: the one that was last worked on]
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    #[command(flatten)]
    store: StoreArgs,
}

impl ExportOptions {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let (_, run, _, reviews) = queue(self.store, self.run.as_deref(), false).await?;
        let mut lines = Vec::new();
        let mut count = 0;
        for review in reviews.of_run(&run).flat_map(|(_, reviews)| reviews) {
            serde_json::to_writer(&mut lines, review)?;
            lines.push(b'\n');
            count += 1;
        }
        match &self.output {
            None => out!("{}", String::from_utf8_lossy(&lines)),
            Some(path) => {
                let written = File::create(path).and_then(|mut file| file.write_all(&lines));
                written.with_context(|| format!("cannot write {}", path.display()))?;
                eprintln!("{} of run {}", counted(count, "review"), safe(&run));
            }
        }
        Ok(Exit::Done)
    }
}

impl ImportOptions {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let (_, run, queue, earlier) = queue(self.store, self.run.as_deref(), true).await?;
        let reviews = read(&self.input)?;
        let (mut added, mut known) = (0, 0);
        for (line, mut review) in reviews {
            review.run.clone_from(&run);
            if earlier.of(&run, &review.record).contains(&review) {
                known += 1;
                continue;
            }
            let decided = queue.decide(&review).await;
            decided.with_context(|| format!("{}, line {line}", self.input.display()))?;
            added += 1;
        }
        eprintln!(
            "{} added to run {}, {known} there already",
            counted(added, "review"),
            safe(&run)
        );
        Ok(Exit::Done)
    }
}

/// Every review of a file, before any is added.
fn read(path: &Path) -> anyhow::Result<Vec<(usize, Review)>> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut reviews = Vec::new();
    for (line, number) in BufReader::new(file).lines().zip(1..) {
        let place = || format!("{}, line {number}", path.display());
        let line = line.with_context(place)?;
        if !line.trim().is_empty() {
            let review = serde_json::from_str(&line).with_context(place)?;
            reviews.push((number, review));
        }
    }
    Ok(reviews)
}
