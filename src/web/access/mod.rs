//! Who looks at the pages, and what they may do.
//!
//! [`Doors`] say who comes in; a [`Visitor`] is in every request that has come in, and [`Form`] is the
//! only way in which a page takes what somebody sends.

mod doors;
mod form;
mod visitor;

pub use doors::Doors;
pub(super) use doors::enter;
pub(super) use form::Form;
pub use visitor::Role;
pub(super) use visitor::Visitor;
