//! Any text of a client: it is read, or refused by a code.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| mosaicd::signaling::fuzzing::message(input));
