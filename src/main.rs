//! The `redraft` command.
fn main() {}
