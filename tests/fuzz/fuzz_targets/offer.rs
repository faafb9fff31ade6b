//! Any offer is taken or refused, of a session or over WHIP and WHEP, and answered section by section.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| mosaicd::fuzzing::offer(input));
