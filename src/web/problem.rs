//! What a page says when it cannot be made.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use maud::html;

use super::layout::{self, Head};
use super::visible;
use crate::review::{QueueError, ReviewError};
use crate::store::StoreError;
use crate::store::index::IndexError;

/// A page could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// There is no such page, run or transcript.
    #[error("{0}")]
    Absent(String),
    /// Somebody may not do that.
    #[error("{0}")]
    Forbidden(String),
    /// Somebody is not signed in.
    #[error("{0}")]
    SignedOut(String),
    /// What was sent is too long.
    #[error("What was sent is longer than it may be.")]
    TooLarge,
    /// What was sent did not come whole.
    #[error("What was sent did not come whole in time.")]
    TooSlow,
    /// What was sent cannot be used.
    #[error("{0}")]
    Unfit(String),
    /// Somebody else has reviewed faster, or it was done already.
    #[error("{0}")]
    Conflict(String),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The index cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The index could not be brought to where the store is.
    #[error("the index could not catch up with the store: {0}")]
    Behind(String),
    /// The work on a page has ended before its time.
    #[error("the work on this page has ended")]
    Ended(#[from] tokio::task::JoinError),
}

impl From<QueueError> for Problem {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::Store(error) => Self::Store(error),
            QueueError::Unknown { .. } | QueueError::Unreadable { .. } => {
                Self::Absent(error.to_string())
            }
            QueueError::Review(error) => error.into(),
        }
    }
}

impl From<ReviewError> for Problem {
    fn from(error: ReviewError) -> Self {
        match error {
            ReviewError::OtherTranscript(_) => Self::Conflict(error.to_string()),
            _ => Self::Unfit(error.to_string()),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Absent(_) => StatusCode::NOT_FOUND,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::SignedOut(_) => StatusCode::UNAUTHORIZED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Unfit(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Conflict(_) => StatusCode::CONFLICT,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let title = match self {
            Self::Absent(_) => "Not found",
            Self::Forbidden(_) => "Not for you",
            Self::SignedOut(_) => "Not signed in",
            Self::Unfit(_) | Self::TooLarge | Self::TooSlow => "This cannot be used",
            Self::Conflict(_) => "Nothing was done",
            _ => "This page could not be made",
        };
        let is_of_review = matches!(self, Self::Conflict(_));
        let mut causes = Vec::new();
        let mut cause: Option<&dyn std::error::Error> = Some(&self);
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        causes.dedup();
        let body = html! {
            h1 { (title) }
            p { (visible::text(&causes.join(": "))) }
            p.actions {
                @if is_of_review { a href="/review" { "The queue" } }
                a href="/" { "All runs" }
            }
        };
        let page = layout::page(&Head::titled(title), &body).into_string();
        (status, Html(page)).into_response()
    }
}
