//! The fuzz targets of this crate still compile, and take what is fed to them first. What they find
//! is for cargo-fuzz.
//!
//! The real macro comes with the fuzzer and a main of its own; ours makes of each target a function.

extern crate self as libfuzzer_sys;

#[path = "../fuzz/fuzz_targets/jitter.rs"]
#[expect(unused_attributes, reason = "the fuzzer brings the main function")]
mod jitter;
#[path = "../fuzz/fuzz_targets/video.rs"]
#[expect(unused_attributes, reason = "the fuzzer brings the main function")]
mod video;

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
    let all: Vec<u8> = (0..=255).cycle().take(1_024).collect();

    for target in [jitter::target, video::target] {
        for input in [&[], &[0; 64][..], &all] {
            target(input);
        }
    }
}
