//! Frames, codecs, RTP payload formats and containers: one stream at a time.
//!
//! The traits in [`audio`] and [`video`] are all that the mixer knows of a codec. What needs a C
//! library sits behind the default feature `native`; without it this crate is plain Rust and
//! builds for wasm32.
//!
//! No clock, no socket, no thread: time is an argument, bytes come in and go out.

#[cfg(feature = "native")]
pub mod allocator;
pub mod audio;
pub mod opus;
pub mod rtp;
pub mod scale;
pub mod video;
pub mod vp8;
pub mod webm;
#[cfg(feature = "native")]
pub mod yuv;
