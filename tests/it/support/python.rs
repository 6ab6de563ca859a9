//! A Python with the packages that read what redraft writes, in an environment of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;

/// What is installed, by name.
const PACKAGES: [&str; 2] = ["datasets", "pyarrow"];
/// The same for clients of the gateway.
const CLIENTS: [&str; 2] = ["openai", "langchain-openai"];

/// Loads files with `datasets`: prints, for each, its columns' types and its rows.
const LOAD: &str = r#"
import json, sys
import pyarrow
from datasets import load_dataset

def shape(kind):
    if pyarrow.types.is_struct(kind):
        return {kind.field(n).name: shape(kind.field(n).type) for n in range(kind.num_fields)}
    if pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind):
        return [shape(kind.value_type)]
    return str(kind).removeprefix("large_")

def told(dataset):
    schema = dataset.data.schema
    return {
        "types": {name: shape(schema.field(name).type) for name in schema.names},
        "rows": dataset.to_list(),
    }

loaded = {}
for name, path in json.load(sys.stdin).items():
    if path.endswith("/"):
        loaded[name] = {split: told(part) for split, part in load_dataset(path).items()}
    else:
        kind = "parquet" if path.endswith(".parquet") else "json"
        loaded[name] = told(load_dataset(kind, data_files=path, split="train"))
json.dump(loaded, sys.stdout, default=str)
"#;

/// A Python in which the packages are installed.
pub(crate) struct Python {
    program: PathBuf,
}

impl Python {
    /// The environment, made on first use and kept; says why when there is none to be had.
    pub(crate) fn find() -> Option<Self> {
        static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        Self::found(
            FOUND.get_or_init(|| environment("python", &PACKAGES)),
            &PACKAGES,
        )
    }

    /// The one with the clients that people use against OpenAI.
    pub(crate) fn find_clients() -> Option<Self> {
        static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        Self::found(
            FOUND.get_or_init(|| environment("python-clients", &CLIENTS)),
            &CLIENTS,
        )
    }

    fn found(found: &Result<PathBuf, String>, packages: &[&str]) -> Option<Self> {
        match found {
            Ok(program) => Some(Self {
                program: program.clone(),
            }),
            Err(why) => {
                eprintln!("skipped: no Python with {}: {why}", packages.join(" and "));
                None
            }
        }
    }

    /// What a program prints, as JSON.
    #[track_caller]
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Value {
        let output = Command::new(&self.program)
            .args(["-c", program])
            .args(arguments)
            .env("NO_PROXY", "*")
            .env_remove("OPENAI_API_KEY")
            .env_remove("OPENAI_BASE_URL")
            .output()
            .expect("Python starts");
        assert!(output.status.success(), "{}", complaint(&output));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// What `datasets` makes of files and, where a path ends in `/`, of folders, by the names given.
    #[track_caller]
    pub(crate) fn load(&self, cache: &Path, files: &Value) -> Value {
        self.run_on(LOAD, cache, files)
    }

    /// What a program prints as JSON, which is given JSON.
    #[track_caller]
    pub(crate) fn run_on(&self, program: &str, cache: &Path, files: &Value) -> Value {
        let (reader, mut writer) = std::io::pipe().expect("a pipe");
        let input = files.to_string();
        let feeder = std::thread::spawn(move || {
            std::io::Write::write_all(&mut writer, input.as_bytes()).expect("Python reads");
        });
        let output = Command::new(&self.program)
            .args(["-c", program])
            .env("HF_HOME", cache.join("hf"))
            .env("HF_HUB_OFFLINE", "1")
            .env("HF_DATASETS_OFFLINE", "1")
            .env("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
            .stdin(reader)
            .output()
            .expect("Python starts");
        feeder.join().expect("Python reads");
        assert!(output.status.success(), "{}", complaint(&output));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }
}

/// Finds or makes the environment; only one process at a time does.
fn environment(name: &str, packages: &[&str]) -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let lock = File::create(folder.join("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    let program = folder.join("bin").join("python");
    let ready = folder.join("ready");
    let wanted = packages.join(" ");
    if fs::read_to_string(&ready).is_ok_and(|installed| installed == wanted) && program.exists() {
        return Ok(program);
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ];
    run(Command::new(&program)
        .args(pip)
        .args(["--retries", "1", "--timeout", "20"])
        .args(packages))?;
    fs::write(&ready, wanted).map_err(|error| error.to_string())?;
    Ok(program)
}

pub(super) fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(complaint(&output))
}

pub(super) fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
