//! What leaves for a participant, and what its path to us is found to carry.
//!
//! One task per transport sends what the room leaves on the link ([`Sender`]), the packets of a
//! frame spread by a pacer. The rest are stages on the interceptor chain: [`DownlinkMeter`] numbers
//! what leaves, and has an estimate made of what the participant says came of it (`departures`,
//! `estimate`); [`Resender`] sends again what is asked for (`history`), and the padding of probes;
//! [`SenderReports`] says how our timestamps go with the time.

mod departures;
mod estimate;
mod history;
mod meter;
mod pacer;
mod padding;
mod rate;
#[cfg(test)]
mod recovery;
mod resender;
mod sender;
mod sender_reports;
#[cfg(test)]
mod thin;

pub(super) use meter::{Carries, DownlinkMeter};
pub(super) use resender::Resender;
pub(super) use sender::{OutgoingTrack, Sender};
pub(super) use sender_reports::SenderReports;
