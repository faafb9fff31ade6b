//! A room under whatever people and moderators do: what each is told adds up to what is so.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| mosaicd::room_fuzzing::room(input));
