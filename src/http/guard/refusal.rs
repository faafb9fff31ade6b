//! How a request is refused: a status, and an `error` as the protocol has it.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::limits::Excess;
use crate::signaling::message::{ErrorCode, ErrorMessage, ServerMessage};

/// Why a request is refused.
#[derive(Debug)]
pub(crate) struct Refused {
    status: StatusCode,
    code: ErrorCode,
    message: String,
    retry_after_ms: Option<u64>,
}

impl Refused {
    pub(super) fn internal(message: &str) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: ErrorCode::Internal,
            message: message.to_owned(),
            retry_after_ms: None,
        }
    }

    pub(super) fn wrong_origin() -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            code: ErrorCode::WrongOrigin,
            message: "pages of this origin may not connect here (--origin)".to_owned(),
            retry_after_ms: None,
        }
    }

    pub(super) fn not_loopback() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            code: ErrorCode::AuthRequired,
            message: "this server has no keys, and serves only its own machine".to_owned(),
            retry_after_ms: None,
        }
    }
}

impl From<Excess> for Refused {
    fn from(excess: Excess) -> Self {
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            code: excess.code(),
            message: excess.to_string(),
            retry_after_ms: excess.retry_after_ms(),
        }
    }
}

/// The answer.
pub(crate) fn refuse(refused: Refused) -> Response {
    let Refused {
        status,
        code,
        message,
        retry_after_ms,
    } = refused;
    let error = ServerMessage::Error(ErrorMessage {
        id: None,
        code,
        message,
        retry_after_ms,
    });
    let body = serde_json::to_string(&error).expect("plain data with text keys");
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
    ];
    let mut response = (status, headers, body).into_response();
    if let Some(wait_ms) = retry_after_ms {
        // Whole seconds (RFC 9110 §10.2.3), and none too few.
        let seconds = wait_ms.div_ceil(1_000).max(1);
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
