//! Any keys file: keys that sign what they check, or none.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| mosaicd::access::fuzzing::keys(input));
