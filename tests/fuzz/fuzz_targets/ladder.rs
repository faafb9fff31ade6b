//! Any ladder file: a ladder that can be shown and given again, or none.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| mosaicd::ladder_fuzzing::ladder(input));
