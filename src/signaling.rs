//! The conversation that brings a participant into a room and keeps it there, whatever carries it.
//!
//! [`message`] has the types of the wire, [`session`] the state of one conversation, [`life`] the
//! task in which it lives and [`log`] what it says to its client. A carrier opens a session among
//! the [`Sessions`], or finds it again there, and attaches to it: text in, numbered events out.
//! PROTOCOL.md is the reference.

mod handle;
mod life;
mod line;
mod log;
pub mod message;
mod moderation;
mod names;
mod pace;
mod presence;
mod refusal;
mod session;
mod sessions;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use crate::access::Access;
use crate::limits::Limiter;
use crate::room::Rooms;
use crate::rtc::Rtc;

pub(crate) use handle::{Attachment, Next};
pub(crate) use line::Line;
#[cfg(test)]
pub(crate) use line::{LineEnd, line};
pub(crate) use log::Gap;
pub(crate) use names::{DisplayName, RoomName};
pub(crate) use presence::Carrier;
pub(crate) use refusal::Refusal;
pub(crate) use sessions::{Opened, SessionId, Sessions};

/// How often a client is asked to ping.
pub(crate) const PING_INTERVAL: Duration = Duration::from_secs(5);

/// A carrier over which nothing was heard for this long is lost.
pub(crate) const SILENCE: Duration = PING_INTERVAL.saturating_mul(3);

/// What sessions are held in.
#[derive(Clone, Debug)]
pub(crate) struct Venue {
    pub(crate) rooms: Arc<Rooms>,
    pub(crate) rtc: Rtc,
    pub(crate) access: Arc<Access>,
    pub(crate) limiter: Arc<Limiter>,
}
