//! mosaicd: a Multipoint Conferencing Unit.
//!
//! Participants send Opus and VP8; each gets one audio and one video stream back, with everybody
//! in it. [`serve`] does that live over WebRTC, [`mix`] offline over files; both drive the same
//! mixers from the `mixer` crate.

// The fuzz targets name the crate that they are for.
#[cfg(test)]
extern crate self as mosaicd;

pub mod access;
pub mod cli;
pub mod from_file;
#[cfg(test)]
mod fuzz_targets;
mod http;
pub mod ice_servers;
mod ladder_text;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub use crate::ladder_text::fuzzing as ladder_fuzzing;
pub mod limits;
mod link;
pub mod log;
#[cfg(test)]
mod mangled;
pub mod mix;
mod room;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub use crate::room::fuzzing as room_fuzzing;
mod rtc;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub use crate::rtc::fuzzing;
pub mod serve;
pub mod signaling;
mod still;
pub mod webhooks;
