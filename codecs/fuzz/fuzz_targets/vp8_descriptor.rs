//! Any payload has a descriptor or none, and a descriptor survives being written.
#![no_main]

use codecs::rtp::vp8::Descriptor;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|payload: &[u8]| {
    if let Ok((descriptor, rest)) = Descriptor::parse(payload) {
        let mut again = Vec::new();
        descriptor.write(&mut again);
        again.extend(rest);
        assert_eq!(Descriptor::parse(&again), Ok((descriptor, rest)));
    }
});
