//! What went wrong with a request, as `application/problem+json` (RFC 9457) with the stable codes of
//! PROTOCOL.md.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::failure::status;
use super::refused::{PROBLEM, refused};
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
    /// When another try makes sense, where that is known.
    retry_after: Option<Duration>,
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
            retry_after: None,
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let code = serde_json::to_value(refusal.code);
        let code = code.ok().and_then(|it| it.as_str().map(str::to_owned));
        let code = code.unwrap_or_else(|| "internal".to_owned());
        Self {
            retry_after: refusal.retry_after,
            ..Self::new(status(refusal.code), &code, refusal.message)
        }
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
        let retry_after = match self.status {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                Some(self.retry_after.unwrap_or(RETRY_WITHIN))
            }
            _ => None,
        };
        refused(self.status, PROBLEM, body, retry_after)
    }
}
