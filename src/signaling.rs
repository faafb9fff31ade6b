//! The conversation that brings a participant into a room and keeps it there, whatever carries it.
//!
//! [`message`] has the types of the wire, [`Session`] the state of one conversation. A carrier
//! (the WebSocket) feeds text in and takes messages out; PROTOCOL.md is the reference.

mod line;
pub mod message;
mod names;
mod session;

use std::time::Duration;

pub(crate) use line::{Line, LineEnd, line};
pub(crate) use names::{DisplayName, RoomName};
pub(crate) use session::Session;

/// How often a client is asked to ping. A session of which nothing was heard for three times as
/// long is over.
pub(crate) const PING_INTERVAL: Duration = Duration::from_secs(5);
