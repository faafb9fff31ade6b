//! Who may use a session's requests from a page of another site (the Fetch standard's CORS).
//!
//! Whoever may open the WebSocket may: the two are the same session. There are no cookies here that
//! a page of another site could misuse; what lets one in is in the messages and in the address.

use std::time::Duration;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{HeaderName, Method};
use tower_http::cors::{Any, CorsLayer};

/// How long a browser may remember what is allowed.
const MAX_AGE: Duration = Duration::from_secs(600);

/// Answers what browsers ask before a request, and says what a page may read of the answers.
pub(super) fn allow() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            HeaderName::from_static("last-event-id"),
        ])
        .expose_headers([LOCATION, RETRY_AFTER])
        .max_age(MAX_AGE)
}
