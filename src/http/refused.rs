//! The head of an answer to a request that failed, whatever its body says.

use std::time::Duration;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// Problem details (RFC 9457 §3).
pub(super) const PROBLEM: &str = "application/problem+json";

/// Answers with `body`. Nobody keeps it, whoever may come again is told when, and who has not shown
/// who they are is told how (RFC 9110 §11.6.1).
pub(super) fn refused(
    status: StatusCode,
    content_type: &'static str,
    body: String,
    retry_after: Option<Duration>,
) -> Response {
    let headers = [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-store")];
    let mut response = (status, headers, body).into_response();
    let headers = response.headers_mut();
    if let Some(wait) = retry_after {
        // Whole seconds (RFC 9110 §10.2.3), and none too few.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}
