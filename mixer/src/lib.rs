//! The conference: who hears and sees what.
//!
//! `AudioMixer` and `VideoMixer` have two verbs: `handle(input)`, any number of times, and
//! `tick(now)`, once per grid point. They own all their state: no lock, no clock, no socket, no
//! thread of their own. A live room drives them with real time, an offline mix drives the same
//! structs over files in virtual time.
//!
//! Codecs come in through the traits of the `codecs` crate, so this crate builds without any C
//! library, for wasm32 too.

pub mod audio;
pub mod ladder;
pub mod video;

mod participant;
mod time;

pub use participant::ParticipantId;
pub use time::RoomTime;
