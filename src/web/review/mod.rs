//! Review by people: the decisions of a store as pages tell them, and what those who decide are shown.
//!
//! `desk` knows every review and keeps what is between two pages of one person; `words` tells reviews
//! and standings.

mod desk;
mod words;

pub(super) use desk::Desk;
pub(super) use words::{reasons, review, standing};
