//! Any text shown as a token, and any content of one: nobody gets in who should not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mosaicd::access::fuzzing;

fuzz_target!(|input: &[u8]| {
    fuzzing::token(input);
    fuzzing::claims(input);
});
