//! A Node.js with the official client for OpenAI, in a folder of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use super::python::{complaint, run};

/// A folder in which the client is installed.
pub(crate) struct Node {
    folder: PathBuf,
}

impl Node {
    /// The folder, made on first use and kept; says why when there is none to be had.
    pub(crate) fn find() -> Option<Self> {
        static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        match FOUND.get_or_init(install) {
            Ok(folder) => Some(Self {
                folder: folder.clone(),
            }),
            Err(why) => {
                eprintln!("skipped: no Node.js with openai: {why}");
                None
            }
        }
    }

    /// What a program, an ES module, prints, as JSON.
    #[track_caller]
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Value {
        let output = Command::new("node")
            .current_dir(&self.folder)
            .args(["--input-type=module", "-e", program, "--"])
            .args(arguments)
            .env_remove("OPENAI_API_KEY")
            .env_remove("OPENAI_BASE_URL")
            .output()
            .expect("Node starts");
        assert!(output.status.success(), "{}", complaint(&output));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }
}

/// Finds or makes the folder; only one process at a time does.
fn install() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("node");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let lock = File::create(folder.join("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    let ready = folder.join("ready");
    run(Command::new("node").arg("--version"))?;
    if !ready.exists() {
        let npm = [
            "install",
            "--silent",
            "--no-audit",
            "--no-fund",
            "--fetch-retries=1",
            "openai",
        ];
        // Without a file of its own, npm would install into a folder further up.
        fs::write(folder.join("package.json"), "{}").map_err(|error| error.to_string())?;
        run(Command::new("npm").current_dir(&folder).args(npm))?;
        fs::write(&ready, "openai").map_err(|error| error.to_string())?;
    }
    Ok(folder)
}
