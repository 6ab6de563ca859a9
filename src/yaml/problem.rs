//! Problems in a file that a person wrote, with the place and a way out.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

/// A file that a person wrote: what to call it, and its text.
#[derive(Clone, Debug)]
pub struct SourceFile {
    name: String,
    text: Arc<str>,
}

impl SourceFile {
    /// A file of that name and text; a byte order mark is dropped.
    pub fn new(name: impl Into<String>, text: &str) -> Self {
        Self {
            name: name.into(),
            text: text.strip_prefix('\u{feff}').unwrap_or(text).into(),
        }
    }

    /// What to call the file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file's text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Whether a problem stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The file can be used, and is probably not what was meant.
    Warning,
    /// The file cannot be used.
    Error,
}

/// One problem in a file, with its place and a way out.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Whether it stands in the way.
    pub level: Level,
    /// What is wrong, in one sentence fragment.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    file: SourceFile,
    code: NamedSource<Arc<str>>,
    span: Option<Range<usize>>,
}

impl Problem {
    /// An error about `file`, at no place yet.
    pub fn error(file: &SourceFile, message: impl Into<String>) -> Self {
        Self::new(Level::Error, file, message.into())
    }

    /// A warning about `file`, at no place yet.
    pub fn warning(file: &SourceFile, message: impl Into<String>) -> Self {
        Self::new(Level::Warning, file, message.into())
    }

    fn new(level: Level, file: &SourceFile, message: String) -> Self {
        Self {
            level,
            message,
            help: None,
            file: file.clone(),
            code: NamedSource::new(&file.name, harmless(&file.text)),
            span: None,
        }
    }

    /// The same problem at a byte range of its file.
    #[must_use]
    pub fn at(mut self, span: Option<Range<usize>>) -> Self {
        let end = self.file.text.len();
        self.span = span.map(|span| span.start.min(end)..span.end.min(end));
        self
    }

    /// The same problem with a way out.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The file that has the problem.
    #[must_use]
    pub fn file(&self) -> &SourceFile {
        &self.file
    }

    /// The line and column of the problem, from 1; the column counts characters.
    #[must_use]
    pub fn line_column(&self) -> Option<(usize, usize)> {
        let before = self.file.text.get(..self.span.as_ref()?.start)?;
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Some((
            before.matches('\n').count() + 1,
            before[line_start..].chars().count() + 1,
        ))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.level {
            Level::Warning => miette::Severity::Warning,
            Level::Error => miette::Severity::Error,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.span.as_ref().map(|_| &self.code as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.span.clone()?;
        Some(Box::new(std::iter::once(LabeledSpan::underline(span))))
    }
}

/// The text with control characters masked, byte for byte, so that a snippet of it can be shown.
fn harmless(text: &Arc<str>) -> Arc<str> {
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if !text.contains(odd) {
        return Arc::clone(text);
    }
    let mut masked = String::with_capacity(text.len());
    for c in text.chars() {
        if odd(c) {
            masked.extend(std::iter::repeat_n('?', c.len_utf8()));
        } else {
            masked.push(c);
        }
    }
    masked.into()
}

/// Everything that is wrong with a file and the files it includes.
#[derive(Clone, Debug, Default)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Whether one of them stands in the way.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|problem| problem.level == Level::Error)
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl From<Box<Problem>> for Problems {
    fn from(problem: Box<Problem>) -> Self {
        Self(vec![*problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.0.iter().enumerate() {
            let separator = if place == 0 { "" } else { "\n" };
            write!(formatter, "{separator}{}", problem.file.name)?;
            if let Some((line, column)) = problem.line_column() {
                write!(formatter, ":{line}:{column}")?;
            }
            write!(formatter, ": {problem}")?;
            if let Some(help) = &problem.help {
                write!(formatter, " ({help})")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
