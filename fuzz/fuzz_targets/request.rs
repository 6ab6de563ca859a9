//! Bytes as a client's request to the gateway.

#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| redraft::gateway::fuzzing::request(body));
