//! mosaicd: a Multipoint Conferencing Unit.
//!
//! Participants send Opus and VP8; each gets one audio and one video stream back, with everybody
//! in it. [`serve`] does that live over WebRTC, [`mix`] offline over files; both drive the same
//! mixers from the `mixer` crate.

mod access;
pub mod cli;
mod http;
mod ladder_file;
mod link;
pub mod log;
pub mod mix;
mod room;
mod rtc;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub use crate::rtc::fuzzing;
pub mod serve;
pub mod signaling;
