//! Transport: a participant's WebRTC connection. The only module that names the `webrtc` crate.
//!
//! [`Rtc`] makes [`Transport`]s: it checks an offer, answers it, files what arrives into the
//! participant's link and sends what the room leaves there. ICE, DTLS, SRTP, NACK, RTX and RTCP
//! reports are the crate's; what the media means is not known here.

mod announce;
mod engine;
mod mux;
mod offer;
mod receiver;
mod sender;
mod tap;
mod transport;

pub use mux::{Announce, MediaAddress, MediaPorts};
pub(crate) use offer::{Direction, Offer, OfferError};
pub use transport::Candidate;
pub(crate) use transport::{Rtc, Transport, TransportEvent, TransportId, TransportState};
