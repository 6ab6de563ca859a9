//! Who may use the gateway: named keys with limits, and what each has used of them. Keys for people
//! open the pages and no model.
//!
//! Keys live in a file beside the store ([`KeyFile`]), hashed; `redraft keys` writes it, and the running
//! gateway takes it up when it changes. [`Access`] admits requests, or refuses them; a layer around the
//! guarded routes ([`guard`]) asks it before a body is read.

mod admit;
mod bucket;
mod guard;
mod key_file;
mod meter;
mod secret;

pub use admit::{Access, Admitted, Refusal};
pub use guard::guard;
pub use key_file::{KeyFile, KeyFileError, KeyLimits, KeyRole, NamedKey};
pub use secret::{KeyDigest, Secret};
