//! What can be wrong with a constitution that parses.

use std::error::Error as _;

use super::check::{Check, CheckError};
use super::gather::{Gathered, Placed};
use super::overlap::overlap;
use super::{Example, ExampleVerdict, Principle};
use crate::yaml::{Problem, Problems, Step, locate};

/// Principles that share more of their words than this are probably one.
const NEAR_DUPLICATE: f64 = 0.75;

/// Examines everything, compiles the checks on the way, and gives what was found.
pub(super) fn lint(gathered: &mut Gathered) -> Problems {
    let mut found = Vec::new();
    found.extend(head(gathered));
    for placed in &mut gathered.principles {
        found.extend(compile(placed));
    }
    for (place, placed) in gathered.principles.iter().enumerate() {
        let earlier = &gathered.principles[..place];
        found.extend(identity(placed, earlier));
        found.extend(reach(placed));
        found.extend(examples(placed));
    }
    Problems(found)
}

fn head(gathered: &Gathered) -> Vec<Problem> {
    let mut found = Vec::new();
    let at = |problem: Problem, key| problem.at(locate(gathered.source.text(), &[Step::Key(key)]));
    let name = &gathered.root.constitution;
    if !is_kebab(name) {
        let message = format!("the constitution's name {name:?} is not kebab-case");
        let problem = Problem::error(&gathered.source, message).help(kebab_help(name));
        found.push(at(problem, "constitution"));
    }
    if gathered.principles.is_empty() {
        let problem = Problem::error(&gathered.source, "the constitution has no principles")
            .help("give it `principles:`, or `include:` another constitution");
        found.push(at(problem, "principles"));
    }
    found
}

/// Compiles the principle's checks into it.
fn compile(placed: &mut Placed) -> Vec<Problem> {
    let mut found = Vec::new();
    for (item, spec) in placed.principle.checks.iter().enumerate() {
        match Check::compile(spec) {
            Ok(check) => placed.principle.compiled.push(check),
            Err(error) => found.push(check_problem(placed, item, &error)),
        }
    }
    found
}

fn check_problem(placed: &Placed, item: usize, error: &CheckError) -> Problem {
    let mut path = vec![Step::Key("checks"), Step::Item(item)];
    path.extend(error.field().iter().map(|key| Step::Key(key)));
    let problem = Problem::error(&placed.source, error.to_string());
    let problem = match (reason(error), error) {
        (Some(reason), _) => problem.help(reason),
        (None, CheckError::EmptyMatch) => problem.help("let it ask for at least one character"),
        (None, _) => problem,
    };
    placed.at(problem, &path)
}

/// What a library said of the check, in its last line: those before it draw the place again.
fn reason(error: &CheckError) -> Option<String> {
    let said = error.source()?.to_string();
    let last = said.lines().rfind(|line| !line.trim().is_empty())?;
    Some(last.trim_start_matches("error: ").to_owned())
}

fn identity(placed: &Placed, earlier: &[Placed]) -> Vec<Problem> {
    let mut found = Vec::new();
    let Principle {
        id, text, weight, ..
    } = &placed.principle;
    let problem = |message: String| Problem::error(&placed.source, message);
    if !is_kebab(id) {
        let wrong = problem(format!("the id {id:?} is not kebab-case")).help(kebab_help(id));
        found.push(placed.at(wrong, &[Step::Key("id")]));
    }
    if let Some(first) = earlier.iter().find(|other| other.principle.id == *id) {
        let doubled = problem(format!("the id `{id}` is given twice"))
            .help(format!("the first one stands in {}", first.whereabouts()));
        found.push(placed.at(doubled, &[Step::Key("id")]));
    }
    if text.trim().is_empty() {
        let empty = problem(format!("the principle `{id}` has no text"));
        found.push(placed.at(empty, &[Step::Key("text")]));
    } else if let Some(twin) = earlier.iter().find(|other| {
        other.principle.id != *id && overlap(&other.principle.text, text) >= NEAR_DUPLICATE
    }) {
        let twin = &twin.principle.id;
        let message = format!("`{id}` says nearly the same as `{twin}`");
        let near = Problem::warning(&placed.source, message)
            .help("drop one of them, or say what sets them apart");
        found.push(placed.at(near, &[Step::Key("text")]));
    }
    if !weight.is_finite() || *weight < 0.0 {
        let wrong = problem(format!("the weight of `{id}` is not a number from 0 up"));
        found.push(placed.at(wrong, &[Step::Key("weight")]));
    } else if *weight == 0.0 {
        let message = format!("`{id}` has weight 0: it is never drawn, and counts for nothing");
        found.push(placed.at(
            Problem::warning(&placed.source, message),
            &[Step::Key("weight")],
        ));
    }
    found
}

/// Whether the principle can ever be asked about, and settled.
fn reach(placed: &Placed) -> Vec<Problem> {
    let mut found = Vec::new();
    let principle = &placed.principle;
    let scope = principle.applies_to.as_ref();
    if scope.is_some_and(|scope| scope.tags.iter().all(|tag| tag.trim().is_empty())) {
        let message = format!("`{}` can never apply: it names no tag", principle.id);
        let problem = Problem::error(&placed.source, message)
            .help("name a tag, or leave `applies_to` out for every record");
        found.push(placed.at(problem, &[Step::Key("applies_to"), Step::Key("tags")]));
    }
    if principle.settled_by_checks == Some(true) && principle.checks.is_empty() {
        let message = format!("`{}` is settled by checks and has none", principle.id);
        let problem = Problem::error(&placed.source, message)
            .help("give it `checks:`, or let a model judge it");
        found.push(placed.at(problem, &[Step::Key("settled_by_checks")]));
    }
    found
}

fn examples(placed: &Placed) -> Vec<Problem> {
    let all = placed.principle.examples.iter().enumerate();
    all.flat_map(|(item, example)| {
        contradictions(&placed.principle, example)
            .into_iter()
            .map(move |(key, message)| {
                let path = [Step::Key("examples"), Step::Item(item), Step::Key(key)];
                let problem = Problem::error(&placed.source, message).help(way_out(key));
                placed.at(problem, &path)
            })
    })
    .collect()
}

/// What to do about a contradiction in a field of an example.
fn way_out(key: &str) -> &'static str {
    match key {
        "evidence" => "copy the words exactly as the answer has them, or leave the evidence out",
        "revision" => "change the revision or the check, or leave the revision out",
        _ => "change the answer, the verdict or the check",
    }
}

/// What in an example contradicts itself or the principle's checks: the field and a message.
fn contradictions(principle: &Principle, example: &Example) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    if let Some(evidence) = &example.evidence {
        if example.verdict != ExampleVerdict::Violates {
            found.push((
                "evidence",
                "evidence goes only with the verdict `violates`".to_owned(),
            ));
        } else if !example.answer.contains(evidence.as_str()) {
            found.push((
                "evidence",
                "the evidence does not occur in the answer".to_owned(),
            ));
        }
    }
    if example.revision.is_some() && example.verdict != ExampleVerdict::Violates {
        found.push((
            "revision",
            "a revision goes only with the verdict `violates`".to_owned(),
        ));
    }
    let fails = |text: &str| principle.hits(text).next();
    match (example.verdict, fails(&example.answer)) {
        (ExampleVerdict::Violates, None) if principle.is_settled_by_checks() => found.push((
            "verdict",
            format!(
                "the example violates, but the checks of `{}` pass",
                principle.id
            ),
        )),
        (ExampleVerdict::Complies | ExampleVerdict::NotApplicable, Some(hit)) => found.push((
            "verdict",
            format!(
                "the example does not violate, but the checks of `{}` find {}",
                principle.id, hit.what
            ),
        )),
        _ => {}
    }
    if let Some(hit) = example.revision.as_deref().and_then(fails) {
        found.push((
            "revision",
            format!(
                "the revision still fails the checks of `{}`: {}",
                principle.id, hit.what
            ),
        ));
    }
    found
}

/// Whether a name is lower-case letters, digits and single hyphens between them.
pub(super) fn is_kebab(name: &str) -> bool {
    !name.is_empty()
        && name.split('-').all(|part| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        })
}

fn kebab_help(name: &str) -> String {
    let kebab: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    if kebab.is_empty() {
        "use lower-case letters, digits and hyphens".to_owned()
    } else {
        format!("write `{}`", kebab.join("-"))
    }
}
