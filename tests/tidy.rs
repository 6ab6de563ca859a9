//! Rules of the house that a program can check: who imports whom, how large files grow, and that
//! every file says what it is for.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of `src/`, each importing only from those before it; see ARCHITECTURE.md.
const MODULES: [&str; 26] = [
    "digest",
    "merkle",
    "yaml",
    "message",
    "record",
    "constitution",
    "prompt",
    "model",
    "simulated",
    "transcript",
    "round",
    "pipeline",
    "store",
    "dataset",
    "export",
    "import",
    "telemetry",
    "run",
    "audit",
    "prefer",
    "review",
    "gateway",
    "web",
    "config",
    "app",
    "bench",
];
/// What stands at the end: it may import from everything.
const EDGES: [&str; 3] = ["cli", "lib", "main"];
/// Who may not import from an earlier module all the same.
const FORBIDDEN: [(&str, &[&str]); 3] = [
    ("dataset", &["transcript", "store", "pipeline", "model"]),
    ("store", &["pipeline", "round", "prompt", "constitution"]),
    ("run", &["export", "import", "config"]),
];
/// The longest a source file may be, its tests left out.
const MOST_LINES: usize = 500;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Whether the module file `mod.rs` beside it takes this file in for tests only.
fn is_for_tests(path: &Path) -> bool {
    path.ancestors()
        .take_while(|path| !path.ends_with("src"))
        .any(|path| {
            let Some((folder, name)) = path.parent().zip(path.file_stem()) else {
                return false;
            };
            let name = name.to_string_lossy();
            let parent = fs::read_to_string(folder.join("mod.rs")).unwrap_or_default();
            ["", "pub(crate) ", "pub(super) "]
                .iter()
                .any(|scope| parent.contains(&format!("#[cfg(test)]\n{scope}mod {name};")))
        })
}

/// Every source file that is not for tests only, by its path in `src/`.
fn sources() -> BTreeMap<PathBuf, String> {
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    assert!(
        files.len() > 50,
        "only {} source files were found",
        files.len()
    );
    files
        .into_iter()
        .filter(|path| !is_for_tests(path))
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a readable source file");
            let name = path
                .strip_prefix(root().join("src"))
                .expect("a file of src")
                .to_owned();
            (name, text)
        })
        .collect()
}

/// The top-level module that a file belongs to.
fn module_of(file: &Path) -> String {
    let first = file.components().next().expect("a file name").as_os_str();
    first.to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// The code of a file before its tests.
fn without_tests(text: &str) -> &str {
    text.split_once("\n#[cfg(test)]\nmod tests")
        .map_or(text, |(code, _)| code)
}

/// The top-level modules that a text names by `crate::…`, comments left out.
fn imports(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for (place, _) in code.match_indices("crate::") {
            let before = code[..place].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$') {
                continue;
            }
            let name: String = code[place + "crate::".len()..]
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            found.push((number + 1, name));
        }
    }
    found
}

fn rank(module: &str) -> Option<usize> {
    MODULES.iter().position(|known| *known == module)
}

#[test]
fn modules_import_only_from_above() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let importer = module_of(&file);
        if EDGES.contains(&importer.as_str()) {
            continue;
        }
        let place = rank(&importer)
            .unwrap_or_else(|| panic!("src/{} is in no row of the import table", file.display()));
        for (line, imported) in imports(without_tests(&text)) {
            let allowed = rank(&imported).is_some_and(|other| other <= place);
            let forbidden = FORBIDDEN
                .iter()
                .any(|(who, whom)| *who == importer && whom.contains(&imported.as_str()));
            if !allowed || forbidden {
                wrong.push(format!("src/{}:{line} imports {imported}", file.display()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "imports against the direction:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn only_the_command_line_prints() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        if module_of(&file) == "cli" {
            continue;
        }
        for (number, line) in without_tests(&text).lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if code.contains("println!(") || code.contains("print!(") {
                wrong.push(format!("src/{}:{}", file.display(), number + 1));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "prints outside `cli`:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn every_file_says_what_it_is_for() {
    for (file, text) in sources() {
        let first = text.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("//! "),
            "src/{} begins with {first:?}",
            file.display()
        );
    }
}

#[test]
fn files_stay_small() {
    for (file, text) in sources() {
        let lines = without_tests(&text).lines().count();
        assert!(
            lines <= MOST_LINES,
            "src/{} has {lines} lines",
            file.display()
        );
    }
}

#[test]
fn the_import_check_sees_an_import() {
    let text = "use crate::store::Store;\n// crate::cli is a comment\nlet x = crate::run::go();";
    let names: Vec<String> = imports(text).into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["store", "run"]);
}
