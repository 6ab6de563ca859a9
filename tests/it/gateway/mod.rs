//! The gateway as its clients meet it: the built command in front of a server that answers, fails
//! and hangs as it is told to.

mod at_once;
mod cancelling;
mod clients;
mod desk;
mod failures;
mod hostile;
mod observing;
mod operating;
mod streams;
mod truth_table;
mod upstream;
