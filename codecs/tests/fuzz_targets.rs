//! The fuzz targets of this crate, without the fuzzer.

#![expect(unused_attributes, reason = "the fuzzer brings the main function")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../fuzz/fuzz_targets/opus_decoder.rs"]
mod opus_decoder;
#[path = "../fuzz/fuzz_targets/vp8_decoder.rs"]
mod vp8_decoder;
#[path = "../fuzz/fuzz_targets/vp8_depacketizer.rs"]
mod vp8_depacketizer;
#[path = "../fuzz/fuzz_targets/vp8_descriptor.rs"]
mod vp8_descriptor;
#[path = "../fuzz/fuzz_targets/webm_reader.rs"]
mod webm_reader;

#[test]
fn each_target_takes_nothing_zeros_and_all_bytes() {
    libfuzzer_sys::feed(&[
        opus_decoder::target,
        vp8_decoder::target,
        vp8_depacketizer::target,
        vp8_descriptor::target,
        webm_reader::target,
    ]);
}
