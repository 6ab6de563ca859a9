//! `redraft init`: a commented `redraft.yaml` and a constitution to start from.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::Exit;
use super::error::UsageError;

const SETTINGS: &str = include_str!("init/redraft.yaml");
const CONSTITUTION: &str = include_str!("init/constitution.yaml");

/// Options of `redraft init`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The folder [default: this one]
    #[arg(value_name = "FOLDER", default_value = ".", hide_default_value = true)]
    folder: PathBuf,
}

impl Options {
    pub(super) fn run(self) -> anyhow::Result<Exit> {
        let settings = self.folder.join("redraft.yaml");
        let constitution = self.folder.join("constitutions").join("ours.yaml");
        for path in [&settings, &constitution] {
            if path.exists() {
                let message = format!("{} is there already, and is left as it is", path.display());
                return Err(UsageError(message).into());
            }
        }
        write(&constitution, CONSTITUTION)?;
        write(&settings, SETTINGS)?;
        outln!("{}", settings.display());
        outln!("{}", constitution.display());
        eprintln!(
            "Next: read both, then redraft constitution check {}",
            constitution.display()
        );
        Ok(Exit::Done)
    }
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let writing = || format!("cannot write {}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(writing)?;
    }
    let mut file = fs::File::create_new(path).with_context(writing)?;
    file.write_all(text.as_bytes()).with_context(writing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Overrides, Settings};
    use crate::constitution::Constitution;

    #[test]
    fn what_it_writes_works() {
        let folder = tempfile::tempdir().unwrap();
        Options {
            folder: folder.path().to_owned(),
        }
        .run()
        .unwrap();
        let overrides = Overrides {
            file: Some(folder.path().join("redraft.yaml")),
            ..Overrides::default()
        };
        let settings = Settings::resolve(overrides, &Environment::default()).unwrap();
        let constitution = settings
            .constitution
            .expect("the settings choose the constitution");
        assert!(Constitution::load(&constitution).is_ok());
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("redraft.yaml"), "seed: 7\n").unwrap();
        assert!(
            Options {
                folder: folder.path().to_owned()
            }
            .run()
            .is_err()
        );
        assert_eq!(
            fs::read_to_string(folder.path().join("redraft.yaml")).unwrap(),
            "seed: 7\n"
        );
        assert!(!folder.path().join("constitutions").exists());
    }
}
