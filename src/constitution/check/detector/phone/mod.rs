//! Phone numbers: the shapes in which people write them, and what they call them.
//!
//! # Layout
//!
//! - `find`: candidates in rows of digits, what stands around them, extensions
//! - `shape`: which groups of digits are a phone number, and how surely
//! - `country`: the country codes in use
//! - `label`: what the words before a number say

mod country;
mod find;
mod label;
mod shape;

pub(super) use find::find;
