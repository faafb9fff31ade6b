//! The fuzz targets of the daemon still compile, and take what is fed to them first. What they find is
//! for cargo-fuzz; what they call has property tests beside it.
//!
//! The real macro comes with the fuzzer and a main of its own; ours makes of each target a function.
//! Here and not among the integration tests, since what the targets call is no part of the daemon that
//! these are built against.

#[path = "../tests/fuzz/fuzz_targets/announce.rs"]
#[expect(unused_attributes, reason = "the fuzzer brings the main function")]
mod announce;
#[path = "../tests/fuzz/fuzz_targets/fragment.rs"]
#[expect(unused_attributes, reason = "the fuzzer brings the main function")]
mod fragment;
#[path = "../tests/fuzz/fuzz_targets/header_extensions.rs"]
#[expect(unused_attributes, reason = "the fuzzer brings the main function")]
mod header_extensions;
#[path = "../tests/fuzz/fuzz_targets/keys.rs"]
#[expect(unused_attributes, reason = "the fuzzer brings the main function")]
mod keys;
#[path = "../tests/fuzz/fuzz_targets/log.rs"]
#[expect(unused_attributes, reason = "the fuzzer brings the main function")]
mod log;
#[path = "../tests/fuzz/fuzz_targets/message.rs"]
#[expect(unused_attributes, reason = "the fuzzer brings the main function")]
mod message;
#[path = "../tests/fuzz/fuzz_targets/offer.rs"]
#[expect(unused_attributes, reason = "the fuzzer brings the main function")]
mod offer;
#[path = "../tests/fuzz/fuzz_targets/room.rs"]
#[expect(unused_attributes, reason = "the fuzzer brings the main function")]
mod room;
#[path = "../tests/fuzz/fuzz_targets/rtcp.rs"]
#[expect(unused_attributes, reason = "the fuzzer brings the main function")]
mod rtcp;
#[path = "../tests/fuzz/fuzz_targets/stun.rs"]
#[expect(unused_attributes, reason = "the fuzzer brings the main function")]
mod stun;
#[path = "../tests/fuzz/fuzz_targets/token.rs"]
#[expect(unused_attributes, reason = "the fuzzer brings the main function")]
mod token;

/// A target as a function of its input. Below the targets: they are to import it.
#[macro_export]
#[doc(hidden)]
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
        announce::target,
        fragment::target,
        header_extensions::target,
        keys::target,
        log::target,
        message::target,
        offer::target,
        room::target,
        rtcp::target,
        stun::target,
        token::target,
    ];
    let all: Vec<u8> = (0..=255).cycle().take(1_024).collect();

    for target in targets {
        for input in [&[], &[0; 64][..], &all] {
            target(input);
        }
    }
}
