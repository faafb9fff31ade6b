//! Session descriptions (SDP, RFC 8866): what the other side offers, what we answer, and what both
//! say of where each is reached.
//!
//! An offer is checked and told to the crate in words of our own ([`Offer`]); the crate's answers
//! are made one that fits the offer ([`answer`]), and say our address in place of the one that the
//! crate believes in ([`announce`]).

pub(super) mod announce;
pub(super) mod answer;
mod offer;

pub(crate) use offer::{
    Direction, IceCredentials, MAX_CANDIDATES, MAX_OFFER_BYTES, Offer, OfferError, OneWay,
};
pub(super) use offer::{
    MAX_CANDIDATE_BYTES, MAX_LEGS, OfferedLeg, Place, Plain, Setup, is_candidate, is_of_use,
};
