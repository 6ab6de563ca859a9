//! Failures as a person reads them: what failed, why, what to do; and the exit code.

use anyhow::Chain;
use miette::{GraphicalReportHandler, GraphicalTheme};

use super::Exit;
use super::terminal::{Paint, safe};
use crate::app::{AppError, DEFAULT_CONSTITUTION};
use crate::config::SettingsError;
use crate::constitution::LoadError;
use crate::constitution::import::ImportError;
use crate::dataset::SourceError;
use crate::model::ModelError;
use crate::model::openai::ListModelsError;
use crate::pipeline::PipelineError;
use crate::run::RunError;
use crate::yaml::Problems;

/// Prints a failure to standard error; gives the exit code that belongs to it.
pub(super) fn report(failure: &anyhow::Error) -> Exit {
    if let Some(problems) = problems_of(failure) {
        print_problems(problems);
        return Exit::Usage;
    }
    let paint = Paint::STDERR;
    eprintln!("{} {}", paint.bad("error:"), safe(&failure.to_string()));
    let causes = causes(failure.chain());
    if !causes.is_empty() {
        eprintln!("  {} {}", paint.dim("because"), safe(&causes.join(": ")));
    }
    for hint in hints(failure) {
        eprintln!("  {} {}", paint.notable("help:"), safe(&hint));
    }
    exit_of(failure)
}

/// A failure and what lies behind it, in one line.
pub(super) fn whole(failure: &(dyn std::error::Error + 'static)) -> String {
    let mut parts = vec![failure.to_string()];
    parts.extend(causes(Chain::new(failure)));
    parts.join(": ")
}

/// What lies behind a failure, each cause that the one before it does not repeat.
fn causes(chain: Chain<'_>) -> Vec<String> {
    let mut said = String::new();
    let mut causes = Vec::new();
    for (depth, cause) in chain.map(ToString::to_string).enumerate() {
        if depth == 0 {
            said = cause;
            continue;
        }
        if !said.contains(&cause) {
            causes.push(cause.clone());
        }
        said = cause;
    }
    causes
}

/// Prints problems with their snippets to standard error.
pub(super) fn print_problems(problems: &Problems) {
    let theme = if console::colors_enabled_stderr() {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_links(false);
    for problem in &problems.0 {
        let mut shown = String::new();
        if handler.render_report(&mut shown, problem).is_err() {
            shown = problem.to_string();
        }
        eprint!("{shown}");
        if problem.line_column().is_none() {
            eprintln!("  in {}", safe(problem.file().name()));
        }
    }
}

fn problems_of(failure: &anyhow::Error) -> Option<&Problems> {
    failure.chain().find_map(|cause| {
        if let Some(problems) = cause.downcast_ref::<Problems>() {
            return Some(problems);
        }
        match cause.downcast_ref::<LoadError>() {
            Some(LoadError::Invalid(problems)) => return Some(problems),
            Some(_) => return None,
            None => {}
        }
        if let Some(AppError::Constitution(LoadError::Invalid(problems))) = cause.downcast_ref() {
            return Some(problems);
        }
        match cause.downcast_ref::<SettingsError>() {
            Some(SettingsError::Invalid(problems)) => Some(problems),
            _ => None,
        }
    })
}

fn exit_of(failure: &anyhow::Error) -> Exit {
    let usage = failure.chain().any(|cause| {
        cause.is::<SettingsError>()
            || cause.is::<LoadError>()
            || matches!(
                cause.downcast_ref::<AppError>(),
                Some(error) if !matches!(error, AppError::Store(_))
            )
            || matches!(
                cause.downcast_ref::<RunError>(),
                Some(RunError::DecidedOtherwise { .. })
            )
            || cause.is::<ImportError>()
            || matches!(
                cause.downcast_ref::<SourceError>(),
                Some(SourceError::NoColumn { .. })
            )
            || cause.is::<UsageError>()
    });
    if usage { Exit::Usage } else { Exit::Failed }
}

/// The command line asks for something that does not work.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct UsageError(pub(super) String);

fn hints(failure: &anyhow::Error) -> Vec<String> {
    let mut hints: Vec<String> = failure.chain().flat_map(hints_of).collect();
    if hints.is_empty() && failure.chain().any(is_not_connected) {
        hints.push("check that a server runs there, and that host and port are right".to_owned());
    }
    hints
}

fn is_not_connected(cause: &(dyn std::error::Error + 'static)) -> bool {
    let listed = cause.downcast_ref();
    matches!(listed, Some(ListModelsError::NotConnected { .. }))
        || cause
            .downcast_ref()
            .is_some_and(ModelError::is_not_connected)
}

fn hints_of(cause: &(dyn std::error::Error + 'static)) -> Vec<String> {
    if let Some(hint) = cause.downcast_ref().and_then(ModelError::hint) {
        return vec![hint.to_owned()];
    }
    if let Some(help) = cause.downcast_ref().and_then(ImportError::help) {
        return vec![help];
    }
    let load = match cause.downcast_ref::<AppError>() {
        Some(AppError::Constitution(load)) => Some(load),
        Some(AppError::Pipeline(PipelineError::NeedsModel { .. })) => {
            return vec![
                "give a model: --model NAME, with --base-url URL for a server of your own (vLLM, \
                 llama.cpp, Ollama), or with OPENAI_API_KEY set for OpenAI"
                    .to_owned(),
                format!(
                    "or a constitution made of checks only, which needs none: -c {DEFAULT_CONSTITUTION}"
                ),
            ];
        }
        _ => cause.downcast_ref::<LoadError>(),
    };
    match load {
        Some(LoadError::Unknown { help, .. }) => vec![help.clone()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_failure_has_each_cause_once() {
        let failure = anyhow::anyhow!("connection refused")
            .context("no reply: connection refused")
            .context("the run cannot go on");
        let expected = "the run cannot go on: no reply: connection refused";
        assert_eq!(whole(failure.as_ref()), expected);
    }
}
