//! The fuzz targets of the daemon, without the fuzzer. What they call has property tests beside it.
//!
//! Here and not among the integration tests, since what the targets call is no part of the daemon that
//! these are built against.

#![expect(unused_attributes, reason = "the fuzzer brings the main function")]

#[path = "../tests/fuzz/fuzz_targets/announce.rs"]
mod announce;
#[path = "../tests/fuzz/fuzz_targets/fragment.rs"]
mod fragment;
#[path = "../tests/fuzz/fuzz_targets/header_extensions.rs"]
mod header_extensions;
#[path = "../tests/fuzz/fuzz_targets/keys.rs"]
mod keys;
#[path = "../tests/fuzz/fuzz_targets/ladder.rs"]
mod ladder;
#[path = "../tests/fuzz/fuzz_targets/log.rs"]
mod log;
#[path = "../tests/fuzz/fuzz_targets/message.rs"]
mod message;
#[path = "../tests/fuzz/fuzz_targets/offer.rs"]
mod offer;
#[path = "../tests/fuzz/fuzz_targets/room.rs"]
mod room;
#[path = "../tests/fuzz/fuzz_targets/rtcp.rs"]
mod rtcp;
#[path = "../tests/fuzz/fuzz_targets/stun.rs"]
mod stun;
#[path = "../tests/fuzz/fuzz_targets/token.rs"]
mod token;

#[test]
fn each_target_takes_nothing_zeros_and_all_bytes() {
    libfuzzer_sys::feed(&[
        announce::target,
        fragment::target,
        header_extensions::target,
        keys::target,
        ladder::target,
        log::target,
        message::target,
        offer::target,
        room::target,
        rtcp::target,
        stun::target,
        token::target,
    ]);
}
