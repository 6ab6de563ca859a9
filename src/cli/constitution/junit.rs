//! A trial as XML in the form of JUnit: a suite for each principle, a case for each example.

use std::fmt::Write as _;

use super::trial_report::{Report, said};
use crate::audit::trial::Tried;
use crate::cli::terminal::one_line;

/// The longest part of a prompt in a case's name, in characters.
const PROMPT: usize = 60;

/// The report's file.
pub(super) fn junit(report: &Report<'_>) -> String {
    let constitution = report.constitution;
    let all: Vec<&Tried<'_>> = report.trial.tried.iter().collect();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let name = format!("{} {}", constitution.name(), constitution.version());
    let _ = writeln!(xml, "<testsuites {}>", counts(report, &name, &all));
    for principle in constitution.principles() {
        let of_it = |tried: &&&Tried<'_>| tried.principle.id == principle.id;
        let cases: Vec<&Tried<'_>> = all.iter().filter(of_it).copied().collect();
        if cases.is_empty() {
            continue;
        }
        let _ = writeln!(
            xml,
            "  <testsuite {}>",
            counts(report, &principle.id, &cases)
        );
        for tried in cases {
            xml.push_str(&case(report, tried));
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn counts(report: &Report<'_>, name: &str, cases: &[&Tried<'_>]) -> String {
    let failed = cases.iter().filter(|tried| !tried.passes(report.strict));
    let (errors, failures) = failed.fold((0, 0), |(errors, failures), tried| {
        if tried.has_errors() {
            (errors + 1, failures)
        } else {
            (errors, failures + 1)
        }
    });
    format!(
        "name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\"",
        escaped(name),
        cases.len(),
        failures,
        errors
    )
}

fn case(report: &Report<'_>, tried: &Tried<'_>) -> String {
    let class = format!("{}.{}", report.constitution.name(), tried.principle.id);
    let prompt = one_line(&tried.example.prompt, PROMPT);
    let name = format!("example {}, {}: {prompt}", tried.number, tried.expected());
    let (class, name) = (escaped(&class), escaped(&name));
    let head = format!("    <testcase classname=\"{class}\" name=\"{name}\"");
    let wrong: Vec<(String, String)> = tried
        .findings
        .iter()
        .filter_map(|finding| Some((report.wrong(tried, finding)?, said(finding))))
        .collect();
    let Some((message, _)) = wrong.first() else {
        return format!("{head}/>\n");
    };
    let what = if tried.has_errors() {
        "error"
    } else {
        "failure"
    };
    let mut text = format!(
        "prompt: {}\nanswer: {}\n",
        tried.example.prompt, tried.example.answer
    );
    if let Some(evidence) = &tried.example.evidence {
        let _ = writeln!(text, "evidence: {evidence}");
    }
    for (message, said) in &wrong {
        let _ = writeln!(text, "{message}\n{said}");
    }
    format!(
        "{head}>\n      <{what} message=\"{}\">{}</{what}>\n    </testcase>\n",
        escaped(message),
        escaped(&text)
    )
}

/// Text as XML has it; characters that XML 1.0 does not allow are spelled out.
fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\n' | '\t' => xml.push(c),
            '\u{fffe}' | '\u{ffff}' => xml.extend(c.escape_unicode()),
            c if c.is_control() => xml.extend(c.escape_unicode()),
            c => xml.push(c),
        }
    }
    xml
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(
            escaped("<a b=\"c\">&\u{1b}\u{ffff}\n"),
            "&lt;a b=&quot;c&quot;&gt;&amp;\\u{1b}\\u{ffff}\n"
        );
    }
}
