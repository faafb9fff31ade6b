//! Any header of an RTP packet: what it says of the camera is what is in it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| mosaicd::fuzzing::header_extensions(input));
