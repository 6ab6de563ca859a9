//! `redraft keys`: who may use the gateway, and who may see its pages.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::Exit;
use super::args::PipelineArgs;
use super::error::UsageError;
use super::terminal::Paint;
use crate::gateway::access::{KeyFile, KeyLimits, KeyRole, NamedKey};
use crate::telemetry;

/// What is done with keys.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a key, and print it this once
    Create(Create),
    /// List the keys, without the keys themselves
    List(List),
    /// Revoke a key: the running gateway refuses it within two seconds
    Revoke(Revoke),
}

/// Which file of keys.
#[derive(Debug, Args)]
struct Place {
    /// The file of keys [default: the settings', or that beside the store]
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// The store that the keys belong to [default: the settings', or redraft.db]
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// The settings file [default: redraft.yaml, if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Options of `redraft keys create`.
#[derive(Debug, Args)]
pub(super) struct Create {
    /// The key's name: letters, digits, dots, hyphens and underscores
    name: String,
    /// What it is for: an application's requests, or a person at the pages
    #[arg(long, value_enum, value_name = "ROLE", default_value_t = RoleName::Caller)]
    role: RoleName,
    /// Requests a minute
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    rpm: Option<u64>,
    /// Tokens a minute, of prompts and replies together
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    tpm: Option<u64>,
    /// Requests under way at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    concurrency: Option<u32>,
    #[command(flatten)]
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RoleName {
    /// Uses the models
    Caller,
    /// Reads the pages
    Viewer,
    /// Also decides about held records
    Reviewer,
    /// Also settles what reviewers disagree on
    Admin,
}

/// Options of `redraft keys list`.
#[derive(Debug, Args)]
pub(super) struct List {
    /// As JSON lines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// Options of `redraft keys revoke`.
#[derive(Debug, Args)]
pub(super) struct Revoke {
    /// The key's name
    name: String,
    #[command(flatten)]
    place: Place,
}

impl Command {
    pub(super) fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::Create(options) => options.run(),
            Self::List(options) => options.run(),
            Self::Revoke(options) => options.run(),
        }
    }
}

impl Place {
    fn file(self) -> anyhow::Result<PathBuf> {
        if let Some(keys) = self.keys {
            return Ok(keys);
        }
        let settings = PipelineArgs::of_file(self.config).settings(self.store)?;
        Ok(settings.gateway.keys)
    }
}

impl Create {
    fn run(self) -> anyhow::Result<Exit> {
        let file = self.place.file()?;
        let limits = KeyLimits {
            requests_per_minute: self.rpm,
            tokens_per_minute: self.tpm,
            concurrency: self.concurrency,
        };
        let role = match self.role {
            RoleName::Caller => KeyRole::Caller,
            RoleName::Viewer => KeyRole::Viewer,
            RoleName::Reviewer => KeyRole::Reviewer,
            RoleName::Admin => KeyRole::Admin,
        };
        if role != KeyRole::Caller && limits != KeyLimits::default() {
            let message = "limits are for the role caller; people at the pages have none";
            return Err(UsageError(message.to_owned()).into());
        }
        let now = telemetry::now();
        let secret = KeyFile::change(&file, |keys| keys.create(&self.name, role, limits, &now))?;
        outln!("{}", secret.reveal());
        let said = format!(
            "It is shown this once; what is kept in {} is its digest.",
            file.display()
        );
        eprintln!("{}", Paint::STDERR.dim(said));
        Ok(Exit::Done)
    }
}

impl List {
    fn run(self) -> anyhow::Result<Exit> {
        let keys = KeyFile::read(&self.place.file()?)?.keys;
        if keys.is_empty() && !self.json {
            eprintln!("There is no key: the gateway is open on this machine alone.");
        }
        for key in keys {
            if self.json {
                outln!("{}", as_json(&key));
            } else {
                outln!("{}", in_words(&key));
            }
        }
        Ok(Exit::Done)
    }
}

impl Revoke {
    fn run(self) -> anyhow::Result<Exit> {
        let file = self.place.file()?;
        let now = telemetry::now();
        if KeyFile::change(&file, |keys| Ok(keys.revoke(&self.name, &now)))? {
            eprintln!("{} is revoked.", self.name);
            return Ok(Exit::Done);
        }
        let message = format!(
            "there is no key {} that holds in {}; `redraft keys list` shows those there are",
            self.name,
            file.display()
        );
        Err(UsageError(message).into())
    }
}

fn as_json(key: &NamedKey) -> serde_json::Value {
    json!({
        "name": key.name,
        "role": key.role,
        "created": key.created,
        "revoked": key.revoked,
        "rpm": key.limits.requests_per_minute,
        "tpm": key.limits.tokens_per_minute,
        "concurrency": key.limits.concurrency,
    })
}

fn in_words(key: &NamedKey) -> String {
    let limits = &key.limits;
    let role = match key.role {
        KeyRole::Caller => None,
        role => Some(role.as_str().to_owned()),
    };
    let parts = [
        role,
        limits
            .requests_per_minute
            .map(|most| format!("{most} requests/min")),
        limits
            .tokens_per_minute
            .map(|most| format!("{most} tokens/min")),
        limits.concurrency.map(|most| format!("{most} at once")),
        key.revoked.as_ref().map(|when| format!("revoked {when}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let parts = if parts.is_empty() {
        "no limits".to_owned()
    } else {
        parts.join(", ")
    };
    format!("{}  {}  {parts}", key.name, key.created)
}
