//! How a request is refused: a status, and an `error` as the protocol has it.

use std::time::Duration;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::limits::Excess;
use crate::signaling::message::{ErrorCode, ErrorMessage, ServerMessage};

/// After how long it is worth asking again for what an address has too many of: somebody must end
/// theirs first.
const WAIT_FOR_OTHERS: Duration = Duration::from_secs(5);

/// Why a request is refused.
#[derive(Debug)]
pub(crate) struct Refused {
    status: StatusCode,
    code: ErrorCode,
    message: String,
    wait: Option<Duration>,
}

impl Refused {
    pub(super) fn internal(message: &str) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: ErrorCode::Internal,
            message: message.to_owned(),
            wait: None,
        }
    }

    pub(super) fn wrong_origin() -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            code: ErrorCode::WrongOrigin,
            message: "pages of this origin may not connect here (--origin)".to_owned(),
            wait: None,
        }
    }

    pub(super) fn not_loopback() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            code: ErrorCode::AuthRequired,
            message: "this server has no keys, and serves only its own machine".to_owned(),
            wait: None,
        }
    }
}

impl From<Excess> for Refused {
    fn from(excess: Excess) -> Self {
        let (code, wait) = match excess {
            Excess::Rate { wait } => (ErrorCode::RateLimited, wait),
            Excess::Sessions { .. } | Excess::Participants { .. } | Excess::Connections { .. } => {
                (ErrorCode::TooManyFromAddress, WAIT_FOR_OTHERS)
            }
        };
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            code,
            message: excess.to_string(),
            wait: Some(wait),
        }
    }
}

/// The answer.
pub(crate) fn refuse(refused: Refused) -> Response {
    let Refused {
        status,
        code,
        message,
        wait,
    } = refused;
    let to_ms = |wait: Duration| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    let error = ServerMessage::Error(ErrorMessage {
        id: None,
        code,
        message,
        retry_after_ms: wait.map(to_ms),
    });
    let body = serde_json::to_string(&error).expect("plain data with text keys");
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
    ];
    let mut response = (status, headers, body).into_response();
    if let Some(wait) = wait {
        // Whole seconds (RFC 9110 §10.2.3), and none too few.
        let seconds = to_ms(wait).div_ceil(1_000).max(1);
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if status == StatusCode::UNAUTHORIZED {
        let scheme = HeaderValue::from_static("Bearer");
        response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    }
    response
}
