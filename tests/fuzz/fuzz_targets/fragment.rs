//! Any fragment of a session description is taken or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| mosaicd::fuzzing::fragment(input));
