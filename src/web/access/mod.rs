//! Who looks at the pages, and what they may do.
//!
//! [`Doors`] say who comes in: everybody, while there is no key, and else those who sign in with a key of
//! their own (`redraft keys create NAME --role viewer`), for whom there is a session. A [`Visitor`] is in every
//! request that has come in, and [`Form`] is the only way in which a page takes what somebody sends.

mod account;
mod cookie;
mod doors;
mod form;
mod sessions;
mod sign_in;
mod visitor;

pub use doors::Doors;

pub use crate::gateway::access::KeyRole as Role;

pub(super) use account::account;
pub(super) use doors::enter;
pub(super) use form::Form;
pub(super) use sign_in::{sign_in, sign_in_page, sign_out};
pub(super) use visitor::Visitor;
