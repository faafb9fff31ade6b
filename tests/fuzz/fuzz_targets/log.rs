//! A session's log under any operations, carriers that resume included: nothing is lost or repeated.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| mosaicd::signaling::fuzzing::log(input));
