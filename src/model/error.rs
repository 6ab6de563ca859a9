//! Why a call failed, whether trying again may help, and how far the failure reaches.

use std::borrow::Cow;
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
    /// A time limit ran out.
    #[error("{}", which.tell(endpoint, *limit))]
    Timeout {
        /// The address that was called, without credentials.
        endpoint: String,
        /// Which limit ran out.
        which: TimeLimit,
        /// How long it is.
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
    /// The account behind the key has no money or quota left; waiting does not help.
    #[error("the account at {endpoint} has nothing left to spend: {message}")]
    OutOfMoney {
        /// The address that was called, without credentials.
        endpoint: String,
        /// What the server said, shortened.
        message: String,
    },
    /// No address of the model has answered for so long that nobody waits any more.
    #[error("no address of {model} has answered for {} s; the last failure: {why}", waited.as_secs())]
    Outage {
        /// The model's name.
        model: String,
        /// How long was waited.
        waited: Duration,
        /// The last failure, in words.
        why: String,
    },
    /// The call might spend more than the run may.
    #[error("the budget is reached: {what}")]
    BudgetReached {
        /// Which limit it is, what is spent, and what the call might cost.
        what: String,
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
    /// The journal could not be read or written, so nothing may be built on the reply.
    #[error("the journal failed")]
    Journal(#[from] JournalError),
    /// The journal has no reply, and the network is closed: nobody is asked.
    #[error("the journal has no reply of {model}, and the network is closed")]
    Closed {
        /// The model's name.
        model: String,
    },
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

/// The source of a [`ModelError::Connection`] that broke while the reply came.
#[derive(Debug, thiserror::Error)]
#[error("the connection broke after {bytes} bytes of the reply")]
pub struct BrokenOff {
    bytes: usize,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl BrokenOff {
    /// Wraps what went wrong underneath after so many bytes.
    pub fn new(bytes: usize, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            bytes,
            source: source.into(),
        }
    }
}

/// A limit to how long something about a call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeLimit {
    /// Until there is a connection.
    Connect,
    /// Until the reply begins.
    FirstByte,
    /// Until a reply that has begun goes on.
    Idle,
    /// Until the reply is whole.
    Total,
}

impl TimeLimit {
    fn tell(self, endpoint: &str, limit: Duration) -> String {
        let seconds = limit.as_secs_f64();
        match self {
            Self::Connect => format!("no connection to {endpoint} within {seconds} s"),
            Self::FirstByte => format!("no reply from {endpoint} began within {seconds} s"),
            Self::Idle => format!("the reply from {endpoint} did not go on for {seconds} s"),
            Self::Total => format!("no whole reply from {endpoint} within {seconds} s"),
        }
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
            | Self::Outage { .. }
            | Self::OutOfMoney { .. }
            | Self::BudgetReached { .. }
            | Self::ContextLength { .. }
            | Self::Unusable { .. }
            | Self::Journal(_)
            | Self::Closed { .. }
            | Self::Other(_) => Retry::Never,
        }
    }

    /// Whether the server is to blame, or the way to it, rather than what was asked: another
    /// record's call would probably fail in the same way. So do refused keys, spent accounts and
    /// models that are gone.
    #[must_use]
    pub fn blames_server(&self) -> bool {
        matches!(
            self,
            Self::Status {
                status: 401..=404,
                ..
            } | Self::Outage { .. }
        ) || self.retry() != Retry::Never
    }

    /// Whether no connection came about at all.
    #[must_use]
    pub fn is_not_connected(&self) -> bool {
        match self {
            Self::Connection { source, .. } => source.is::<NotConnected>(),
            Self::Timeout { which, .. } => *which == TimeLimit::Connect,
            _ => false,
        }
    }

    /// Whether a server may have worked on the call, and charged for it, all the same.
    #[must_use]
    pub fn may_have_cost(&self) -> bool {
        match self {
            Self::Connection { .. } | Self::Timeout { .. } => !self.is_not_connected(),
            Self::Garbled { .. } => true,
            Self::Unusable { source, .. } => source.may_have_cost(),
            _ => false,
        }
    }

    /// A short word for what failed, the same for all failures of the kind: the status that a server
    /// gave, or a name.
    #[must_use]
    pub fn kind(&self) -> Cow<'static, str> {
        match self {
            Self::Connection { .. } => "connection".into(),
            Self::Timeout { .. } => "timeout".into(),
            Self::Status { status, .. } => status.to_string().into(),
            Self::OutOfMoney { .. } => "out_of_money".into(),
            Self::Outage { .. } => "outage".into(),
            Self::BudgetReached { .. } => "budget_reached".into(),
            Self::ContextLength { .. } => "context_length".into(),
            Self::Garbled { .. } => "garbled".into(),
            Self::Unusable { source, .. } => source.kind(),
            Self::Journal(_) => "journal".into(),
            Self::Closed { .. } => "closed".into(),
            Self::Other(_) => "_OTHER".into(),
        }
    }

    /// What the user can do about it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Unusable { hint, .. } => Some(hint),
            Self::OutOfMoney { .. } => Some(
                "add credit, or raise the spending limit with the provider, and give the same \
                 command again: it goes on where it stopped",
            ),
            Self::BudgetReached { .. } => {
                Some("give the same command again with a higher limit: it goes on where it stopped")
            }
            _ => None,
        }
    }

    /// How far the failure reaches.
    #[must_use]
    pub fn reach(&self) -> Reach {
        match self {
            Self::Unusable { .. }
            | Self::OutOfMoney { .. }
            | Self::BudgetReached { .. }
            | Self::Journal(_)
            | Self::Closed { .. } => Reach::Run,
            _ => Reach::Record,
        }
    }
}

fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 409 | 429 | 500..=599)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_blamed_for_what_other_records_would_meet_too() {
        let status = |status| ModelError::Status {
            endpoint: "http://host/v1".to_owned(),
            status,
            message: String::new(),
            retry_after: None,
        };
        for code in [401, 402, 403, 404, 408, 429, 500, 503, 599] {
            assert!(status(code).blames_server(), "{code}");
        }
        for code in [400, 413, 422] {
            assert!(!status(code).blames_server(), "{code}");
        }
        let what = String::new();
        assert!(ModelError::Garbled { what }.blames_server());
        let message = String::new();
        assert!(!ModelError::ContextLength { message }.blames_server());
    }
}
