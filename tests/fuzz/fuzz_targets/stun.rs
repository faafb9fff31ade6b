//! Any datagram on the media port: nobody gets in without the password.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| mosaicd::fuzzing::datagram(input));
