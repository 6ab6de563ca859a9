//! Bytes as what a model's server sends to the gateway.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| redraft::gateway::fuzzing::reply(bytes));
