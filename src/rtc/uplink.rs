//! What comes from a participant, and what it is told so that more of it comes.
//!
//! Packets of RTP are filed in the link as they arrive ([`receive`]). The rest are stages on the
//! interceptor chain: [`Asker`] asks for video that did not come, [`UplinkFeedback`] decides how
//! often the participant hears what did, and [`UplinkCap`] says how much is worth sending.

mod asker;
mod cap;
mod feedback;
mod missing;
mod receiver;

pub(super) use asker::Asker;
pub(super) use cap::UplinkCap;
pub(super) use feedback::UplinkFeedback;
#[cfg(test)]
pub(super) use missing::Missing;
pub(crate) use missing::RESEND_PATIENCE;
pub(super) use receiver::receive;
