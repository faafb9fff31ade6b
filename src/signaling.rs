//! The conversation that brings a participant into a room and keeps it there, whatever carries it.
//!
//! [`message`] has the types of the wire, [`session`] the state of one conversation, [`life`] the
//! task in which it lives and [`log`] what it says to its client. A carrier opens a session among
//! the [`Sessions`], or finds it again there, and attaches to it: text in, numbered events out.
//! PROTOCOL.md is the reference. Who comes by single requests has a [`resource`] instead.

mod doorstep;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod handle;
mod life;
mod line;
mod log;
pub mod message;
mod moderation;
mod names;
mod pace;
mod presence;
mod reading;
mod refusal;
mod resource;
mod session;
mod sessions;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::access::Access;
use crate::limits::{Address, Excess, Limiter, Permit};
use crate::room::Rooms;
use crate::rtc::Rtc;

pub(crate) use handle::{Attachment, Next};
pub(crate) use line::Line;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use line::{LineEnd, line};
pub(crate) use log::Gap;
pub(crate) use names::{DisplayName, RoomName};
pub(crate) use presence::Carrier;
pub(crate) use refusal::{Refusal, draining};
pub(crate) use resource::{Answered, Condition, Fragment, IceError, IceTag, Request, Resources};
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

impl Venue {
    /// What an address is to hold for a new seat.
    fn seat_permit(&self, address: Option<Address>) -> Result<Option<Arc<Permit>>, Excess> {
        let seat = |address| self.limiter.take_seat(address, Instant::now());
        let permit = address.map(seat).transpose()?;
        Ok(permit.map(Arc::new))
    }
}
