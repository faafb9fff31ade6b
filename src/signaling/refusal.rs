//! A request that failed: what the client is told.

use std::time::Duration;

use super::message::{ErrorCode, ErrorMessage, RequestId};
use crate::access::Denied;
use crate::limits::Excess;
use crate::rtc::OfferError;

/// When to ask again whoever went away: there is another server in its place by then, if there ever is.
const UNTIL_RESTARTED: Duration = Duration::from_secs(10);

/// Why a request failed.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
    /// When another try makes sense, where it does.
    pub(crate) retry_after: Option<Duration>,
}

impl Refusal {
    /// The answer to the request with `id`. Time is rounded up: a try at that moment is not too early.
    pub(crate) fn answer(self, id: Option<RequestId>) -> ErrorMessage {
        let to_ms = |time: Duration| u64::try_from(time.as_micros().div_ceil(1_000));
        ErrorMessage {
            id,
            code: self.code,
            message: self.message,
            retry_after_ms: self.retry_after.map(|it| to_ms(it).unwrap_or(u64::MAX)),
        }
    }
}

pub(super) fn refusal(code: ErrorCode, message: impl Into<String>) -> Refusal {
    Refusal {
        code,
        message: message.into(),
        retry_after: None,
    }
}

pub(super) fn not_joined() -> Refusal {
    refusal(ErrorCode::NotJoined, "join a room first")
}

pub(super) fn no_session() -> Refusal {
    let message = "there is no such session, or no longer";
    refusal(ErrorCode::NoSession, message)
}

/// For requests that would begin something while the server stops.
pub(crate) fn draining() -> Refusal {
    Refusal {
        retry_after: Some(UNTIL_RESTARTED),
        ..refusal(ErrorCode::Draining, "the server is going away")
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        Self {
            retry_after: denied.retry_after(),
            ..refusal(denied.code(), denied.to_string())
        }
    }
}

impl From<Excess> for Refusal {
    fn from(excess: Excess) -> Self {
        Self {
            retry_after: excess.retry_after(),
            ..refusal(excess.code(), excess.to_string())
        }
    }
}

impl From<OfferError> for Refusal {
    fn from(error: OfferError) -> Self {
        let code = match error {
            OfferError::NotSdp(_) | OfferError::Refused(_) => ErrorCode::BadSdp,
            OfferError::Internal(_) => ErrorCode::Internal,
            OfferError::NoOpus => ErrorCode::NoOpus,
            OfferError::NoVp8 => ErrorCode::NoVp8,
        };
        refusal(code, error.to_string())
    }
}
