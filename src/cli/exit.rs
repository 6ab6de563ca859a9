//! Exit codes: public, documented, tested.

use std::process::ExitCode;

/// How the command ended, as a number that scripts can rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done.
    Done = 0,
    /// It failed.
    Failed = 1,
    /// The command line, the settings or the constitution are wrong.
    Usage = 2,
    /// It finished, and some records failed.
    SomeFailed = 3,
    /// The budget is reached; it can be continued with a higher one.
    Budget = 4,
    /// It was interrupted, and can be continued.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
