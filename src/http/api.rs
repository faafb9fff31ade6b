//! The operators' interface: REST below [`PREFIX`], for whoever has the key (OPERATING.md).
//!
//! There is none without a key. Every request passes [`super::guard::meter`] and then
//! [`ask_for_key`]; what there is to ask for is listed in [`operations`], from which both the routes
//! and their description ([`openapi`]) are made. A body has at most [`MAX_BODY_BYTES`].

mod body;
mod events;
mod openapi;
mod operations;
mod people;
mod problem;
mod rooms;
mod snapshot;
mod snapshots;
mod status;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::Doors;
use super::guard::Visitor;
use crate::access::api_key::ApiKeyFile;
use crate::limits::Refusal;
use crate::webhooks::Webhooks;
use problem::Code;
pub(super) use problem::Problem;
use snapshots::Snapshots;

/// Where it is.
pub(super) const PREFIX: &str = "/api/v1";

/// The longest body of a request, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// What operators are served by.
#[derive(Debug)]
pub(crate) struct Operators {
    keys: Arc<ApiKeyFile>,
    webhooks: Webhooks,
    /// When the server began.
    since: Instant,
    snapshots: Snapshots,
}

impl Operators {
    /// For those who have one of the `keys`.
    pub(crate) fn new(keys: Arc<ApiKeyFile>, webhooks: Webhooks, since: Instant) -> Self {
        let snapshots = Snapshots::new(since);
        Self {
            keys,
            webhooks,
            since,
            snapshots,
        }
    }
}

/// All routes, or none where there is no key.
pub(super) fn router(doors: &Doors) -> Router<Doors> {
    if doors.operators.is_none() {
        return Router::new();
    }
    let routes = operations::all()
        .into_iter()
        .fold(Router::new(), |routes, operation| {
            routes.route(operation.path, operation.handler)
        });
    let api = routes
        .fallback(async || Problem::new(Code::NotFound, "there is nothing of that name"))
        .method_not_allowed_fallback(async || {
            Problem::new(Code::MethodNotAllowed, "that cannot be done with it")
        })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn_with_state(doors.clone(), ask_for_key));
    Router::new().nest(PREFIX, api)
}

/// Lets only those pass who have the key. An address that has shown too many wrong ones has to wait,
/// whatever it shows.
async fn ask_for_key(State(doors): State<Doors>, request: Request, next: Next) -> Response {
    let limiter = &doors.guard.limiter;
    let visitor = request.extensions().get::<Visitor>();
    let (Some(operators), Some(visitor)) = (&doors.operators, visitor) else {
        return Problem::new(Code::Internal, "the request was not metered").into_response();
    };
    let caller = visitor.caller(request.headers());
    let Some((key, address)) = caller.credential.zip(caller.address) else {
        limiter.counters().count(Refusal::ApiKey);
        let detail = "show the key: Authorization: Bearer KEY";
        return Problem::new(Code::KeyRequired, detail).into_response();
    };
    let now = Instant::now();
    if let Err(excess) = limiter.may_show_key(address, now) {
        return Problem::from(excess).into_response();
    }
    if !operators.keys.get().are(&key) {
        limiter.show_wrong_key(address, now);
        return Problem::new(Code::WrongKey, "that is not the key").into_response();
    }
    next.run(request).await
}

/// An answer that is JSON and not to be kept.
fn json(status: StatusCode, answer: &impl Serialize) -> Response {
    let body = serde_json::to_string(answer).expect("the answers are plain data with text keys");
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
    ];
    (status, headers, body).into_response()
}

#[cfg(test)]
mod tests;
