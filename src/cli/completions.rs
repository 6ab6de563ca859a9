//! `redraft completions SHELL`: a completion script.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Exit};

/// Options of `redraft completions`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The shell
    shell: Shell,
}

impl Options {
    pub(super) fn run(self) -> anyhow::Result<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "redraft", &mut script);
        out!("{}", String::from_utf8(script)?);
        Ok(Exit::Done)
    }
}
