//! The conversation that brings a participant into a room and keeps it there, whatever carries it.
//!
//! [`message`] has the types of the wire, [`Session`] the state of one conversation. A carrier
//! (the WebSocket) feeds text in and takes messages out; PROTOCOL.md is the reference.

mod line;
pub mod message;
mod names;
mod resource;
mod session;

use std::sync::Arc;
use std::time::Duration;

use crate::access::Access;
use crate::room::Rooms;
use crate::rtc::Rtc;

pub(crate) use line::{Line, LineEnd, line};
pub(crate) use names::{DisplayName, RoomName};
pub(crate) use resource::{Condition, Fragment, IceError, IceTag, Opened, Request, Resources};
pub(crate) use session::{Refusal, Session};

/// How often a client is asked to ping. A session of which nothing was heard for three times as
/// long is over.
pub(crate) const PING_INTERVAL: Duration = Duration::from_secs(5);

/// What sessions are held in.
#[derive(Clone, Debug)]
pub(crate) struct Venue {
    pub(crate) rooms: Arc<Rooms>,
    pub(crate) rtc: Rtc,
    pub(crate) access: Arc<Access>,
}
