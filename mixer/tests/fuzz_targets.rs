//! The fuzz targets of this crate, without the fuzzer.

#![expect(unused_attributes, reason = "the fuzzer brings the main function")]

#[path = "../fuzz/fuzz_targets/jitter.rs"]
mod jitter;
#[path = "../fuzz/fuzz_targets/video.rs"]
mod video;

#[test]
fn each_target_takes_nothing_zeros_and_all_bytes() {
    libfuzzer_sys::feed(&[jitter::target, video::target]);
}
