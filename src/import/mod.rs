//! Transcripts that other tools made, as redraft transcripts.
//!
//! What a trace says becomes a transcript that is marked as imported; what it does not say stays
//! absent: there is no constitution, no model, no seed, and no finding, because a critique in free
//! text is no verdict. Columns that redraft cannot make anew from the transcript are kept in the
//! record, so that an export in the same form gives back what came in.
//!
//! [`Form`] names the forms and recognises them; [`read`] makes a transcript of one row.

mod cai;
mod form;
mod langchain;
mod slmadison;
mod trace;
mod whole;

pub use form::{Form, UnknownForm};
pub use trace::ImportError;
pub use whole::{ImportedRow, read};
