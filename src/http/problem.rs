//! What went wrong with a request, as `application/problem+json` (RFC 9457) with the stable codes of
//! PROTOCOL.md.

use std::time::Duration;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::signaling::Refusal;

/// When it makes sense to ask again for what there is none of at the moment.
const RETRY_WITHIN: Duration = Duration::from_secs(10);

/// An answer to a request that failed.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    /// For programs.
    code: String,
    /// For people.
    detail: String,
}

/// The body.
#[derive(Debug, Serialize)]
struct Body<'a> {
    title: &'a str,
    status: u16,
    code: &'a str,
    detail: &'a str,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            detail: detail.into(),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let code = serde_json::to_value(refusal.code);
        let code = code.ok().and_then(|it| it.as_str().map(str::to_owned));
        let code = code.unwrap_or_else(|| "internal".to_owned());
        Self::new(status_of(&code), &code, refusal.message)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Body {
            title: self.status.canonical_reason().unwrap_or("Refused"),
            status: self.status.as_u16(),
            code: &self.code,
            detail: &self.detail,
        };
        let body = serde_json::to_string(&body).expect("four plain fields");
        let headers = [
            (CONTENT_TYPE, "application/problem+json"),
            (CACHE_CONTROL, "no-store"),
        ];
        let mut response = (self.status, headers, body).into_response();
        match self.status {
            StatusCode::UNAUTHORIZED => {
                let bearer = HeaderValue::from_static("Bearer");
                response.headers_mut().insert(WWW_AUTHENTICATE, bearer);
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                let seconds = HeaderValue::from(RETRY_WITHIN.as_secs());
                response.headers_mut().insert(RETRY_AFTER, seconds);
            }
            _ => {}
        }
        response
    }
}

/// The status that goes with a code of the signaling protocol. What is not named here is about who
/// asks, or what they may.
fn status_of(code: &str) -> StatusCode {
    match code {
        "bad_sdp" | "no_opus" | "no_vp8" | "bad_room" | "bad_name" | "bad_candidate" => {
            StatusCode::BAD_REQUEST
        }
        "auth_required" | "bad_auth" | "auth_expired" => StatusCode::UNAUTHORIZED,
        "no_such_room" => StatusCode::NOT_FOUND,
        "rate_limited" | "too_many_from_address" => StatusCode::TOO_MANY_REQUESTS,
        "room_full" | "too_many_rooms" | "draining" => StatusCode::SERVICE_UNAVAILABLE,
        "internal" => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::FORBIDDEN,
    }
}
