//! Requests about the room and those in it, and why one may be refused.

use mixer::ParticipantId;
use mixer::ladder::{Wish, WishedLayout, WishedVideo};

use super::message::{ErrorCode, Prefer, PreferredLayout};
use super::refusal::{Refusal, refusal};
use crate::room::{ActError, EnterError, JoinError};

/// What a `prefer` asks for.
///
/// # Errors
///
/// If whom it pins is no participant's id.
pub(super) fn wish(prefer: &Prefer) -> Result<Wish, Refusal> {
    let pin = prefer.pin.as_ref();
    let pin = pin.map(|text| {
        let nobody = || ActError::NoSuchParticipant(text.clone());
        ParticipantId::parse(text).ok_or_else(nobody)
    });
    Ok(Wish {
        layout: prefer.layout.map(|layout| match layout {
            PreferredLayout::Grid => WishedLayout::Grid,
            PreferredLayout::Speaker => WishedLayout::Speaker,
        }),
        pin: pin.transpose()?,
        max_kbps: prefer.max_kbps,
        max_height: prefer.max_height,
        video: match prefer.video {
            Some(false) => WishedVideo::Unwanted,
            Some(true) | None => WishedVideo::Wanted,
        },
    })
}

impl From<EnterError> for Refusal {
    fn from(error: EnterError) -> Self {
        let code = match error {
            EnterError::TooManyRooms { .. } => ErrorCode::TooManyRooms,
            EnterError::TooManyOfAddress(excess) => return excess.into(),
            EnterError::NoSuchRoom => ErrorCode::NoSuchRoom,
            EnterError::Room(JoinError::Full { .. }) => ErrorCode::RoomFull,
            EnterError::Room(JoinError::BadToken) => ErrorCode::BadToken,
            EnterError::Room(JoinError::Locked) => ErrorCode::RoomLocked,
            EnterError::Room(JoinError::LobbyFull { .. }) => ErrorCode::LobbyFull,
            EnterError::Room(JoinError::MustWait) => ErrorCode::MustWait,
            EnterError::Room(JoinError::Banned) => ErrorCode::Banned,
            EnterError::Room(JoinError::IdentityTaken) => ErrorCode::IdentityTaken,
        };
        refusal(code, error.to_string())
    }
}

impl From<ActError> for Refusal {
    fn from(error: ActError) -> Self {
        let (code, retry_after) = match error {
            // Its session has been told, or is about to be.
            ActError::NoSeat | ActError::NoRoom => (ErrorCode::NotJoined, None),
            ActError::NotModerator
            | ActError::Held(_)
            | ActError::NotGranted(_)
            | ActError::Protected
            | ActError::LastModerator
            | ActError::Oneself => (ErrorCode::NotAllowed, None),
            ActError::NoSuchParticipant(_) => (ErrorCode::NoSuchParticipant, None),
            ActError::TooManyPins { .. } => (ErrorCode::TooManyPins, None),
            ActError::BadText => (ErrorCode::BadText, None),
            ActError::TooFast(wait) => (ErrorCode::RateLimited, Some(wait)),
        };
        Self {
            retry_after,
            ..refusal(code, error.to_string())
        }
    }
}
