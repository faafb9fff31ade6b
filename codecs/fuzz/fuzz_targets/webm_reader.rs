//! Any file is read to an end, and what it gives is not more than it has.
#![no_main]

use codecs::webm::Reader;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let Ok(mut reader) = Reader::new(file) else {
        return;
    };
    let mut bytes = 0;
    for block in reader.by_ref().filter_map(Result::ok) {
        assert!(!block.data.is_empty());
        bytes += block.data.len();
    }
    assert!(bytes <= file.len());
    assert!(reader.next().is_none());
});
