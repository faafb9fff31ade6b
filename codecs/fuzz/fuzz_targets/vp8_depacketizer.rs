//! Payloads in any order give whole frames or none, and never one beyond the bound.
//!
//! Each payload is preceded by a byte: its upper bit ends the frame, the others are its length.
#![no_main]

use codecs::rtp::vp8::{Depacketizer, MAX_FRAME_BYTES};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|operations: &[u8]| {
    let mut depacketizer = Depacketizer::default();
    let mut rest = operations;
    while let Some((&head, tail)) = rest.split_first() {
        let (payload, tail) = tail.split_at(usize::from(head & 0x7f).min(tail.len()));
        rest = tail;
        let pushed = depacketizer.push(payload);
        if head & 0x80 != 0 {
            let frame = depacketizer.finish();
            assert_eq!(frame.is_some(), pushed.is_ok());
            assert!(frame.is_none_or(|frame| frame.len() <= MAX_FRAME_BYTES));
            assert!(!depacketizer.is_open());
        }
    }
});
