//! `redraft audit keygen`: a key that signs checkpoints.

use std::path::PathBuf;

use clap::Args;

use super::files;
use crate::audit::proof::SigningKey;
use crate::cli::Exit;
use crate::cli::error::UsageError;

/// Options of `redraft audit keygen`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// Where the private key goes; a file that is there is not replaced
    #[arg(short, long, value_name = "FILE", default_value = "redraft.key")]
    output: PathBuf,
    /// The key's name: whose it is, in one word without `+`
    #[arg(long, value_name = "NAME", default_value = "redraft")]
    name: String,
}

impl Options {
    pub(super) fn run(self) -> anyhow::Result<Exit> {
        let key =
            SigningKey::generate(&self.name).map_err(|error| UsageError(error.to_string()))?;
        files::write_secret(&self.output, &format!("{}\n", key.to_secret_text()))?;
        let mut public = self.output.clone().into_os_string();
        public.push(".pub");
        let public = PathBuf::from(public);
        files::write(&public, &format!("{}\n", key.public()))?;
        outln!("{}", key.public());
        eprintln!(
            "The private key is in {}; the public one, which auditors need, in {}.",
            self.output.display(),
            public.display()
        );
        Ok(Exit::Done)
    }
}
