//! Any RTCP, among packets of either direction, in any order and at any time.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| mosaicd::fuzzing::rtcp(input));
