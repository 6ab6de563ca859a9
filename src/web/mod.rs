//! Pages for people: runs, transcripts, constitutions and comparisons, made on the server as HTML
//! that needs no script; and, over a store that may be written, review of what was held for people.
//!
//! [`router`] gives the pages over a store and its index; [`report`] the page of one run as a file of
//! its own. Every text from outside goes through `visible`, which escapes it and spells out what nobody
//! would see; `guard` sets the headers and turns away requests that name another host, and `access`
//! says who comes in. A page is a file of its own (`runs`, `run`, `transcripts`, `transcript`,
//! `constitution`, `compare`, `review`): a handler that asks, and functions that show. What several
//! pages use stands in `layout`, `chart`, `links`, `asked`, `number` and `fold`.

mod access;
mod asked;
mod chart;
mod compare;
mod constitution;
mod constitutions;
#[cfg(test)]
mod contrast;
mod fold;
mod follower;
mod guard;
mod layout;
mod links;
mod number;
mod pages;
mod problem;
mod report;
mod review;
mod router;
mod run;
mod runs;
mod transcript;
mod transcripts;
mod visible;

pub use access::{Doors, Role};
pub use guard::HostRule;
pub use pages::Pages;
pub use problem::Problem;
pub use report::report;
pub use router::{pages_beside, router};
