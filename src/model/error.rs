//! Why a call failed, whether trying again may help, and how far the failure reaches.

use std::time::Duration;

use super::journal::JournalError;

/// A call that gave no completion.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No connection came about, or it broke before the reply was whole.
    #[error("no reply from {endpoint}")]
    Connection {
        /// The address that was called, without credentials.
        endpoint: String,
        /// What went wrong underneath.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The reply was not whole within the time limit.
    #[error("no whole reply from {endpoint} within {} s", limit.as_secs_f64())]
    Timeout {
        /// The address that was called, without credentials.
        endpoint: String,
        /// The limit that ran out.
        limit: Duration,
    },
    /// The server answered with a status that is not a success.
    #[error("HTTP {status} from {endpoint}: {message}")]
    Status {
        /// The address that was called, without credentials.
        endpoint: String,
        /// The HTTP status.
        status: u16,
        /// What the server said, shortened.
        message: String,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// The conversation does not fit the model.
    #[error("the conversation is longer than the model can read: {message}")]
    ContextLength {
        /// What the server said, shortened.
        message: String,
    },
    /// The reply came with a success status but is not a chat completion.
    #[error("the reply is not a chat completion: {what}")]
    Garbled {
        /// What was found instead, shortened.
        what: String,
    },
    /// No call to this model has succeeded, and this failure says that none will.
    #[error("{model} cannot be used")]
    Unusable {
        /// The model's name.
        model: String,
        /// What the user can do about it.
        hint: String,
        /// The failure itself.
        #[source]
        source: Box<ModelError>,
    },
    /// The next call might cost more than what is left of the budget.
    #[error("the budget is reached: {what}")]
    BudgetReached {
        /// What was spent, and what may be.
        what: String,
    },
    /// The journal could not be read or written, so nothing may be built on the reply.
    #[error("the journal failed")]
    Journal(#[from] JournalError),
    /// A model of somebody's own failed; it is not tried again.
    #[error("{0}")]
    Other(String),
}

/// The source of a [`ModelError::Connection`] when no connection came about at all: nothing listens
/// there, or the host is not known.
#[derive(Debug, thiserror::Error)]
#[error("could not connect")]
pub struct NotConnected(#[source] Box<dyn std::error::Error + Send + Sync>);

impl NotConnected {
    /// Wraps what went wrong underneath.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

/// Whether a failed call may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same call would fail again.
    Never,
    /// The failure may pass.
    Backoff,
    /// The failure may pass, and the server says when.
    After(Duration),
}

/// How far a failure reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Only the record that asked.
    Record,
    /// Every record: the run stops, resumable.
    Run,
}

impl ModelError {
    /// Whether the call may be tried again: connection failures, time-outs, 408, 409, 429, 5xx
    /// and replies that are not completions may; everything else would fail again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Connection { .. } | Self::Timeout { .. } | Self::Garbled { .. } => Retry::Backoff,
            Self::Status {
                status,
                retry_after,
                ..
            } if is_passing(*status) => retry_after.map_or(Retry::Backoff, Retry::After),
            Self::Status { .. }
            | Self::ContextLength { .. }
            | Self::Unusable { .. }
            | Self::BudgetReached { .. }
            | Self::Journal(_)
            | Self::Other(_) => Retry::Never,
        }
    }

    /// Whether no connection came about at all.
    #[must_use]
    pub fn is_not_connected(&self) -> bool {
        matches!(self, Self::Connection { source, .. } if source.is::<NotConnected>())
    }

    /// How far the failure reaches.
    #[must_use]
    pub fn reach(&self) -> Reach {
        match self {
            Self::Unusable { .. } | Self::BudgetReached { .. } | Self::Journal(_) => Reach::Run,
            _ => Reach::Record,
        }
    }
}

fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 409 | 429 | 500..=599)
}
