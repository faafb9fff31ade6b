//! Fuzz targets without the fuzzer: they still compile, and take what is fed to them first. What they
//! find is for cargo-fuzz.
//!
//! Crates depend on this one by the name of the fuzzer's, which the targets import. The real macro
//! comes with a main of its own; ours makes of each target a function.

/// Makes of a target a function of its input, `target`.
#[macro_export]
macro_rules! fuzz_target {
    (|$input:ident: &[u8]| $body:expr) => {
        pub(crate) fn target($input: &[u8]) {
            $body
        }
    };
}

/// Feeds each target nothing, zeros, and all bytes there are.
///
/// # Panics
///
/// If a target does.
pub fn feed(targets: &[fn(&[u8])]) {
    let all: Vec<u8> = (0..=255).cycle().take(1_024).collect();

    for target in targets {
        for input in [&[], &[0; 64][..], &all] {
            target(input);
        }
    }
}
