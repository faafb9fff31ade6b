//! Transport: a participant's WebRTC connection, of one leg or two. The only module that names the
//! `webrtc` crate.
//!
//! [`Rtc`] makes [`Transport`]s: it checks an offer, answers it, files what arrives into the
//! participant's link and sends what the room leaves there. ICE, DTLS and SRTP are the crate's; of
//! RTCP, we do ourselves what it does not do well enough (see `engine`). What the media means is
//! not known here.
//!
//! `description` reads offers and makes answers; a transport is made of legs (`leg`), which reach
//! the network through `mux`. What passes a leg's interceptor chain is heard by `tap`, of what comes
//! `uplink` takes care, of what leaves `downlink`.

mod description;
mod downlink;
mod engine;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod leg;
mod mux;
mod negotiation;
mod orientation;
mod stage;
mod state;
mod tap;
mod transport;
mod uplink;

pub(crate) use description::{
    Direction, IceCredentials, MAX_CANDIDATES, MAX_OFFER_BYTES, Offer, OfferError, OneWay,
};
pub use mux::{Announce, MediaAddress, MediaPorts};
pub(crate) use orientation::NOT_NEGOTIATED as NO_ORIENTATION;
pub(crate) use state::TransportState;
pub use transport::Candidate;
pub(crate) use transport::{Rtc, Transport, TransportEvent, TransportId};
pub(crate) use uplink::RESEND_PATIENCE;
