//! Holds the pages true: what the program knows is on its page, and the samples are what they say.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use redraft::config::SettingsFile;
use redraft::constitution::check::detector;
use redraft::constitution::{Constitution, Severity, shipped_names};
use redraft::export::FormatName;
use redraft::import::Form;
use redraft::model::structured::Rung;
use redraft::prefer::Label;
use redraft::telemetry::Metrics;
use redraft::transcript::{FORMAT, Outcome, Sealed, Transcript};
use redraft::yaml::{SourceFile, parse};

/// Every page that a person reads.
const PAGES: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/audit.md",
    "docs/batches.md",
    "docs/bench.md",
    "docs/command-line.md",
    "docs/constitutions.md",
    "docs/datasets.md",
    "docs/exports.md",
    "docs/gateway.md",
    "docs/imports.md",
    "docs/observability.md",
    "docs/operations.md",
    "docs/pages.md",
    "docs/preferences.md",
    "docs/prompts.md",
    "docs/recipes.md",
    "docs/settings.md",
    "docs/transcripts.md",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names of the public fields of a struct, from its source file.
fn fields(source: &str, name: &str) -> Vec<String> {
    let text = read(source);
    let head = format!("pub struct {name}");
    let start = text
        .find(&format!("{head} {{"))
        .or_else(|| text.find(&format!("{head}<'a> {{")))
        .unwrap_or_else(|| panic!("{source} has no struct {name}"));
    let mut rename = None;
    let mut found = Vec::new();
    for line in text[start..].lines().skip(1).map(str::trim) {
        if line == "}" {
            break;
        }
        if let Some((_, rest)) = line.split_once("rename = \"") {
            rename = rest.split('"').next().map(str::to_owned);
        }
        if let Some((field, _)) = line
            .strip_prefix("pub ")
            .and_then(|rest| rest.split_once(':'))
        {
            found.push(rename.take().unwrap_or_else(|| field.to_owned()));
        }
    }
    assert!(!found.is_empty(), "{name} in {source} has no public field");
    found
}

/// Whether a page has a name as code in its text; samples do not count, since they explain nothing.
fn mentions(page: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let mut in_sample = false;
    page.lines().any(|line| {
        if line.trim_start().starts_with("```") {
            in_sample = !in_sample;
        }
        let mut code = line.split('`').skip(1).step_by(2);
        !in_sample
            && code.any(|code| {
                code.match_indices(name).any(|(at, _)| {
                    !code[..at].ends_with(is_part) && !code[at + name.len()..].starts_with(is_part)
                })
            })
    })
}

fn assert_mentions(page: &str, names: impl IntoIterator<Item = impl AsRef<str>>) {
    let text = read(page);
    let missing: Vec<String> = names
        .into_iter()
        .map(|name| name.as_ref().to_owned())
        .filter(|name| !mentions(&text, name))
        .collect();
    assert!(missing.is_empty(), "{page} does not mention {missing:?}");
}

/// The fenced blocks of a page in that language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let text = read(page);
    let fence = format!("```{language}\n");
    text.split(&fence)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn constitutions_are_described_in_full() {
    let page = "docs/constitutions.md";
    for name in ["Principle", "AppliesTo", "Example"] {
        assert_mentions(page, fields("src/constitution/principle.rs", name));
    }
    for name in [
        "CheckSpec",
        "PatternSpec",
        "WordsSpec",
        "LengthSpec",
        "JsonSpec",
    ] {
        assert_mentions(page, fields("src/constitution/check/spec.rs", name));
    }
    assert_mentions(page, detector::names());
    assert_mentions(page, shipped_names());
    assert_mentions(page, Severity::ALL.map(Severity::as_str));
    assert_mentions(
        page,
        [
            "constitution",
            "version",
            "description",
            "include",
            "principles",
        ],
    );
}

#[test]
fn the_constitutions_on_their_page_load() {
    let samples = blocks("docs/constitutions.md", "yaml");
    assert!(samples.len() >= 2, "{samples:?}");
    for sample in samples.into_iter().chain(blocks("README.md", "yaml")) {
        let whole = if sample.starts_with("checks:") {
            let checks = sample.replace('\n', "\n    ");
            format!(
                "constitution: sample\nprinciples:\n  - id: sample\n    text: Sample.\n    {checks}"
            )
        } else {
            sample
        };
        Constitution::from_yaml("a sample", &whole)
            .unwrap_or_else(|error| panic!("{error}\n{whole}"));
    }
}

#[test]
fn settings_are_described_in_full() {
    let page = "docs/settings.md";
    for name in [
        "SettingsFile",
        "ModelSettings",
        "BatchSettings",
        "Roles",
        "RoleSettings",
    ] {
        assert_mentions(page, fields("src/config/file.rs", name));
    }
    for name in ["GatewaySettings", "OfferedSettings"] {
        assert_mentions(page, fields("src/config/gateway.rs", name));
    }
    assert_mentions(page, fields("src/config/recipe.rs", "RecipeSettings"));
    assert_mentions(page, fields("src/model/request.rs", "Sampling"));
    assert_mentions(page, fields("src/model/price.rs", "Price"));
    assert_mentions(page, Rung::ALL.map(Rung::as_str));
    assert_mentions(
        page,
        ["auto", "OPENAI_API_KEY", "OPENAI_BASE_URL", "RUST_LOG"],
    );
}

#[test]
fn the_settings_on_their_page_parse() {
    let samples = blocks("docs/settings.md", "yaml");
    assert!(!samples.is_empty());
    for sample in samples {
        let source = SourceFile::new("docs/settings.md", &sample);
        parse::<SettingsFile>(&source).unwrap_or_else(|error| panic!("{error}\n{sample}"));
    }
}

#[test]
fn the_gateway_is_described_in_full() {
    let page = "docs/gateway.md";
    let openapi: serde_json::Value =
        serde_json::from_str(&read("src/gateway/openapi.json")).expect("JSON");
    let paths = openapi["paths"].as_object().expect("paths").keys();
    let written = paths.filter(|path| !path.contains('{'));
    assert_mentions(page, written.map(|path| path.trim_start_matches('/')));
    let post = &openapi["paths"]["/v1/chat/completions"]["post"];
    let headers = post["responses"]["200"]["headers"]
        .as_object()
        .expect("headers");
    assert_mentions(page, headers.keys());
    for sample in blocks(page, "yaml") {
        let source = SourceFile::new(page, &sample);
        parse::<SettingsFile>(&source).unwrap_or_else(|error| panic!("{error}\n{sample}"));
    }
}

#[test]
fn recipes_are_described_in_full() {
    assert_mentions(
        "docs/recipes.md",
        fields("src/pipeline/recipe.rs", "Recipe"),
    );
    assert_mentions("docs/recipes.md", Outcome::ALL.map(Outcome::as_str));
    assert_mentions("docs/recipes.md", Rung::ALL.map(Rung::as_str));
}

#[test]
fn transcripts_are_described_in_full() {
    let page = "docs/transcripts.md";
    for (source, names) in [
        ("sealed", &["Transcript", "RecordEntry", "Times"][..]),
        ("provenance", &["Provenance", "ConstitutionMark"]),
        ("round", &["Draft", "Round", "Revision", "Final"]),
        ("finding", &["Finding"]),
        ("delivered", &["Delivered"]),
        ("imported", &["Imported"]),
        ("usage", &["RoleUsage"]),
    ] {
        for name in names {
            assert_mentions(page, fields(&format!("src/transcript/{source}.rs"), name));
        }
    }
    assert_mentions(page, fields("src/run/output.rs", "RedraftColumn"));
    assert_mentions(page, fields("src/store/records.rs", "RejectedRow"));
    assert_mentions(page, Outcome::ALL.map(Outcome::as_str));
    assert_mentions(page, [FORMAT]);
}

#[test]
fn the_transcript_on_its_page_is_one() {
    let samples = blocks("docs/transcripts.md", "json");
    let sample = samples.first().expect("a sample transcript");
    let transcript: Transcript = serde_json::from_str(sample).expect("a transcript");
    assert_eq!(transcript.format, FORMAT);
    assert!(!transcript.rounds.is_empty());

    // The page says under which digest it was sealed.
    let record = redraft::Record::new(transcript.record.conversation.clone());
    let Sealed { digest, .. } = transcript.seal(record.content_digest());
    let page = read("docs/transcripts.md");
    assert!(page.contains(&digest.to_string()), "its digest is {digest}");
}

#[test]
fn every_format_of_exports_has_its_section() {
    let page = read("docs/exports.md");
    for name in FormatName::ALL.map(FormatName::as_str) {
        assert!(page.contains(&format!("\n## `{name}`\n")), "{name}");
    }
}

#[test]
fn every_form_of_imports_has_its_section() {
    let page = read("docs/imports.md");
    for name in Form::ALL.map(Form::as_str) {
        assert!(page.contains(&format!("\n## `{name}`\n")), "{name}");
    }
}

#[test]
fn prompts_are_described_in_full() {
    let page = "docs/prompts.md";
    let templates = fs::read_dir(root().join("prompts")).expect("the folder of templates");
    let names = templates.map(|entry| {
        let name = entry.expect("a template").file_name();
        name.to_string_lossy().into_owned()
    });
    assert_mentions(page, names);
    for name in [
        "CritiqueSystem",
        "PrincipleText",
        "CritiqueUser",
        "ReviseUser",
        "CaiCritique",
        "CaiRevision",
        "CritiqueRequest",
        "RevisionRequest",
        "PreferenceQuestion",
        "PreferenceSystem",
        "PreferenceUser",
    ] {
        assert_mentions(page, fields("src/prompt/context.rs", name));
    }
    assert_mentions(page, fields("src/prompt/context.rs", "CritiqueExample"));
}

#[test]
fn preferences_are_described_in_full() {
    let page = "docs/preferences.md";
    for name in ["Preference", "PrincipleVote", "OrderVote"] {
        let mut fields = fields("src/prefer/preference.rs", name);
        // What a principle weighs is not written.
        fields.retain(|field| field != "weight");
        assert_mentions(page, fields);
    }
    assert_mentions(page, Label::ALL.map(Label::as_str));
    let row = blocks(page, "json");
    let row: serde_json::Value = serde_json::from_str(&row[0]).expect("a sample row");
    assert_eq!(row["redraft"]["label"], "a");
}

/// The names of metrics in a text, without what histograms add to theirs.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    text.split(|c| !is_part(c))
        .filter(|word| word.starts_with("redraft_"))
        .map(|word| {
            let histogram = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|ending| word.strip_suffix(ending));
            histogram.unwrap_or(word).to_owned()
        })
        .collect()
}

#[test]
fn metrics_are_those_that_there_are() {
    let metrics = Metrics::new();
    let there: BTreeSet<String> = metrics.names().iter().cloned().collect();
    assert!(there.len() > 20, "{there:?}");
    let page = metrics_in(&read("docs/observability.md"));
    assert_eq!(page, there, "on the page, and in the program");

    let board = read("docs/grafana/redraft.json");
    serde_json::from_str::<serde_json::Value>(&board).expect("a dashboard is JSON");
    let rules = read("docs/prometheus/redraft.rules.yml");
    serde_yaml::from_str::<serde_yaml::Value>(&rules).expect("rules are YAML");
    for (name, text) in [("dashboard", board), ("rules", rules)] {
        let named = metrics_in(&text);
        assert!(named.len() > 5, "{name}: {named:?}");
        let unknown: Vec<_> = named.difference(&there).collect();
        assert!(unknown.is_empty(), "the {name} names {unknown:?}");
    }
}

#[test]
fn recorded_rules_that_alerts_use_are_there() {
    let rules = read("docs/prometheus/redraft.rules.yml");
    let recorded: Vec<&str> = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- record: "))
        .collect();
    let used = rules
        .split(|c: char| !(c.is_ascii_alphanumeric() || "_:".contains(c)))
        .filter(|word| word.starts_with("redraft:") && *word != "redraft:");
    for name in used {
        assert!(recorded.contains(&name), "{name} is not recorded");
    }
}

/// What a command says of itself.
fn help(command: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_redraft"))
        .args(command)
        .arg("--help")
        .output()
        .expect("the command runs");
    assert!(output.status.success(), "{command:?} --help");
    String::from_utf8(output.stdout).expect("text")
}

/// The names under `Commands:`, `help` apart.
fn commands(help: &str) -> Vec<String> {
    let Some((_, list)) = help.split_once("Commands:\n") else {
        return Vec::new();
    };
    list.lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// The long options in a help text, the two that every command has apart.
fn options(help: &str) -> Vec<String> {
    help.lines()
        .map(str::trim_start)
        .filter(|line| line.starts_with('-'))
        .filter_map(|line| line.split([' ', ',']).find(|word| word.starts_with("--")))
        .filter(|option| !matches!(*option, "--help" | "--version"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_command_line_is_described_in_full() {
    let page = "docs/command-line.md";
    let top = commands(&help(&[]));
    assert!(top.len() >= 8, "{top:?}");
    for command in &top {
        assert_mentions(page, [format!("redraft {command}")]);
        let text = help(&[command]);
        assert_mentions(page, options(&text));
        for inner in commands(&text) {
            assert_mentions(page, [format!("redraft {command} {inner}")]);
            assert_mentions(page, options(&help(&[command, &inner])));
        }
    }
}

#[test]
fn the_readme_names_its_two_commands() {
    let readme = read("README.md");
    assert!(readme.contains("\ncargo run --release -- run examples/support-replies.jsonl\n"));
    assert!(readme.contains("\ncargo test\n"));
}

#[test]
fn the_map_has_the_modules_in_their_order() {
    let tidy = read("tests/tidy.rs");
    let (_, list) = tidy.split_once("const MODULES").expect("the list");
    let (_, list) = list.split_once("= [").expect("the list's begin");
    let (list, _) = list.split_once("];").expect("the list's end");
    let modules: Vec<&str> = list.split('"').skip(1).step_by(2).collect();

    let map = read("ARCHITECTURE.md");
    let (_, table) = map.split_once("| module |").expect("the table");
    let listed: Vec<&str> = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .filter_map(|line| line.split('`').nth(1))
        .map(|name| name.trim_end_matches('/'))
        .collect();
    assert_eq!(listed, modules);
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut broken = Vec::new();
    for page in PAGES {
        let folder = root().join(page);
        let folder = folder.parent().unwrap_or(Path::new("."));
        for link in read(page).split("](").skip(1) {
            let target = link.split(')').next().unwrap_or_default();
            let path = target.split('#').next().unwrap_or_default();
            let outside = target.contains("://");
            if !outside && !path.is_empty() && !folder.join(path).exists() {
                broken.push(format!("{page}: {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:?}");
}
