//! Why something on another machine cannot be read or written, and what to do.

use std::io;

/// A place on another machine cannot be used.
///
/// No message holds a key, a token, or what stands behind the `?` of an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// The address begins in a way that nobody knows.
    #[error(
        "{scheme}:// is no place that is read; known are s3://, gs://, az://, abfs://, hf://, \
         https:// and http://, and paths of this machine"
    )]
    UnknownScheme {
        /// What stands before `://`.
        scheme: String,
    },
    /// The address is not of the form that its scheme has.
    #[error("{shown} is no address that can be used: {what}")]
    Malformed {
        /// What was given.
        shown: String,
        /// What is wrong with it.
        what: String,
    },
    /// The clients of the clouds were left out of this program.
    #[error(
        "{shown} needs the feature `remote`, which this redraft was built without; build it with \
         `cargo build --release`, without --no-default-features, or copy the file here"
    )]
    NotBuilt {
        /// What was given.
        shown: String,
    },
    /// A client cannot be set up with what the environment says.
    #[error("cannot set up access to {shown}: {what}; {hint}")]
    Settings {
        /// What was to be reached.
        shown: String,
        /// What stands in the way.
        what: String,
        /// What to do.
        hint: &'static str,
    },
    /// Nobody answers.
    #[error(
        "cannot reach {host} for {shown}: {what}; check the address and the network, and run the \
         same command again"
    )]
    Unreachable {
        /// What was to be reached.
        shown: String,
        /// The machine.
        host: String,
        /// Why not.
        what: String,
    },
    /// Somebody took the request, and did not answer, every time.
    #[error(
        "{host} gives no answer for {shown}, however often it is asked: {what}; try again later: \
         the same command goes on where it stopped"
    )]
    NoAnswer {
        /// What was asked for.
        shown: String,
        /// The machine.
        host: String,
        /// What happened instead.
        what: String,
    },
    /// There is nothing of that name.
    #[error("there is nothing at {shown}{what}; {hint}")]
    NotThere {
        /// What was asked for.
        shown: String,
        /// What is missing, where the server says it.
        what: String,
        /// What to do.
        hint: &'static str,
    },
    /// Credentials are missing, wrong, or not good enough.
    #[error("{shown} may not be used: the server answers {status}{what}; {hint}")]
    Denied {
        /// What was asked for.
        shown: String,
        /// The status of the answer.
        status: u16,
        /// The server's own code for it.
        what: String,
        /// What to do.
        hint: String,
    },
    /// A dataset's terms have to be accepted first.
    #[error(
        "{shown} is in a gated dataset: accept its terms at {page}, set HF_TOKEN to a token of the \
         account that did, and run the same command again"
    )]
    Gated {
        /// What was asked for.
        shown: String,
        /// Where the terms are.
        page: String,
    },
    /// The server fails, and failed every time it was asked.
    #[error(
        "the server answers {status} for {shown}, however often it is asked; try again later: the \
         same command goes on where it stopped"
    )]
    Failing {
        /// What was asked for.
        shown: String,
        /// The status of the answer.
        status: u16,
        /// How long the server asks to wait, in milliseconds.
        after: Option<u64>,
    },
    /// The server sent less than it said, every time.
    #[error(
        "{shown} breaks off at byte {at}{of}, however often it is asked for; try again later: the \
         same command goes on where it stopped"
    )]
    BrokeOff {
        /// What was read.
        shown: String,
        /// How far it was read, in bytes.
        at: u64,
        /// How long it should be, in words.
        of: String,
    },
    /// The object is another one than when it was found.
    #[error(
        "{shown} was changed while it was read; run the same command again, which reads it anew \
         and asks no model twice"
    )]
    Changed {
        /// What was read.
        shown: String,
    },
    /// The server gives files only whole.
    #[error(
        "{shown} cannot be read in parts, which Parquet needs: its server gives it only whole; \
         download it, and give the file"
    )]
    NoRanges {
        /// What was asked for.
        shown: String,
    },
    /// There are no folders there.
    #[error("{shown}: https has no folders and no patterns; give the address of each file")]
    NoListing {
        /// What was given.
        shown: String,
    },
    /// Nothing can be written there.
    #[error("nothing can be written to {shown}; {hint}")]
    NoWriting {
        /// What was given.
        shown: String,
        /// What to do.
        hint: &'static str,
    },
    /// Something that no rule is for.
    #[error("{shown} cannot be used: {what}")]
    Other {
        /// What was asked for.
        shown: String,
        /// What went wrong.
        what: String,
    },
}

impl RemoteError {
    /// Whether the same request may work a moment later.
    pub(super) fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::NoAnswer { .. }
                | Self::Failing { .. }
                | Self::BrokeOff { .. }
        )
    }

    /// Whether it says that nothing is there.
    pub(in crate::dataset) fn is_not_there(&self) -> bool {
        matches!(self, Self::NotThere { .. })
    }
}

impl From<RemoteError> for io::Error {
    fn from(error: RemoteError) -> Self {
        Self::other(error)
    }
}

impl RemoteError {
    /// What an error of reading or writing was before it became one, if it was one of these.
    pub(in crate::dataset) fn within(error: &io::Error) -> Option<&Self> {
        let mut inner: &(dyn std::error::Error + 'static) = error.get_ref()?;
        loop {
            if let Some(found) = inner.downcast_ref() {
                return Some(found);
            }
            inner = inner.source()?;
        }
    }
}
