//! The fuzz targets of this crate still compile, and take what is fed to them first. What they find
//! is for cargo-fuzz.
//!
//! The real macro comes with the fuzzer and a main of its own; ours makes of each target a function.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

extern crate self as libfuzzer_sys;

#[path = "../fuzz/fuzz_targets/opus_decoder.rs"]
#[expect(unused_attributes, reason = "the fuzzer brings the main function")]
mod opus_decoder;
#[path = "../fuzz/fuzz_targets/vp8_decoder.rs"]
#[expect(unused_attributes, reason = "the fuzzer brings the main function")]
mod vp8_decoder;
#[path = "../fuzz/fuzz_targets/vp8_depacketizer.rs"]
#[expect(unused_attributes, reason = "the fuzzer brings the main function")]
mod vp8_depacketizer;
#[path = "../fuzz/fuzz_targets/vp8_descriptor.rs"]
#[expect(unused_attributes, reason = "the fuzzer brings the main function")]
mod vp8_descriptor;
#[path = "../fuzz/fuzz_targets/webm_reader.rs"]
#[expect(unused_attributes, reason = "the fuzzer brings the main function")]
mod webm_reader;

/// A target as a function of its input. Below the targets: they are to import it.
#[macro_export]
macro_rules! fuzz_target {
    (|$input:ident: &[u8]| $body:expr) => {
        pub(crate) fn target($input: &[u8]) {
            $body
        }
    };
}

#[test]
fn each_target_takes_nothing_zeros_and_all_bytes() {
    let targets = [
        opus_decoder::target,
        vp8_decoder::target,
        vp8_depacketizer::target,
        vp8_descriptor::target,
        webm_reader::target,
    ];
    let all: Vec<u8> = (0..=255).cycle().take(1_024).collect();

    for target in targets {
        for input in [&[], &[0; 64][..], &all] {
            target(input);
        }
    }
}
