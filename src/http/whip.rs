//! `/whip/{room}` publishes into a room (RFC 9725), `/whep/{room}` receives its mix: one request with
//! an offer, and others about what came of it, a resource with a secret name.
//!
//! Both are the same but for the way in which media goes. A body has at most 48 KiB and comes within
//! 10 s. Who asks, how often and from whose page is for [`super::guard`].

use std::borrow::Cow;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, Query, State};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_MATCH, LINK, LOCATION};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, options, patch, post};
use axum::{Extension, Router};
use serde::Deserialize;
use tokio::time::timeout;

use super::Doors;
use super::guard::Visitor;
use super::problem::Problem;
use crate::limits::Caller;
use crate::rtc::{MAX_OFFER_BYTES, OneWay};
use crate::signaling::message::IceServer;
use crate::signaling::{
    Answered, Condition, Fragment, IceError, IceTag, Refusal, Request, draining,
};

const SDP: &str = "application/sdp";
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");
const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// How long a body may take.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// What may be said in the address of an offer.
#[derive(Debug, Deserialize)]
struct Params {
    #[serde(default)]
    name: String,
}

/// The routes of both.
pub(super) fn router() -> Router<Doors> {
    Router::new()
        .route("/whip/{room}", endpoint(OneWay::ToUs))
        .route("/whip/{room}/{id}", resource(OneWay::ToUs))
        .route("/whep/{room}", endpoint(OneWay::FromUs))
        .route("/whep/{room}/{id}", resource(OneWay::FromUs))
        .layer(map_response(for_nobody_else))
}

fn endpoint(way: OneWay) -> MethodRouter<Doors> {
    let open = move |State(doors): State<Doors>,
                     Extension(visitor): Extension<Visitor>,
                     Path(room): Path<String>,
                     Query(params): Query<Params>,
                     headers: HeaderMap,
                     body: Body| async move {
        let asked = (way, visitor.caller(&headers));
        open(asked, doors, (&room, &params.name), &headers, body).await
    };
    post(open).merge(options(|| async {
        let methods = HeaderValue::from_static("POST, OPTIONS");
        [
            (ALLOW, methods),
            (ACCEPT_POST, HeaderValue::from_static(SDP)),
        ]
    }))
}

fn resource(way: OneWay) -> MethodRouter<Doors> {
    let change =
        move |State(doors): State<Doors>,
              Path((room, id)): Path<(String, String)>,
              headers: HeaderMap,
              body: Body| async move { change(way, &doors, (&room, &id), &headers, body).await };
    let end = move |State(doors): State<Doors>, Path((room, id)): Path<(String, String)>| async move {
        match doors.resources.end(way, &room, &id).await {
            true => Ok(StatusCode::OK),
            false => Err(no_resource()),
        }
    };
    patch(change).delete(end).merge(options(|| async {
        let methods = HeaderValue::from_static("PATCH, DELETE, OPTIONS");
        [
            (ALLOW, methods),
            (ACCEPT_PATCH, HeaderValue::from_static(FRAGMENT)),
        ]
    }))
}

async fn open(
    (way, caller): (OneWay, Caller),
    doors: Doors,
    (room, name): (&str, &str),
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    if *doors.draining.borrow() {
        return Err(counted(&doors, draining()));
    }
    let sdp = text(SDP, headers, body).await?;
    let request = Request {
        way,
        room,
        name,
        caller,
        sdp,
    };
    let opened = doors.resources.open(&doors.venue, request).await;
    let opened = opened.map_err(|refusal| counted(&doors, refusal))?;
    created(way, room, opened)
}

fn created(way: OneWay, room: &str, opened: Answered) -> Result<Response, Problem> {
    let Answered {
        id,
        tag,
        answer,
        ice_servers,
    } = opened;
    let endpoint = match way {
        OneWay::ToUs => "whip",
        OneWay::FromUs => "whep",
    };
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(SDP));
    headers.insert(ACCEPT_PATCH, HeaderValue::from_static(FRAGMENT));
    headers.insert(LOCATION, header(&format!("/{endpoint}/{room}/{id}"))?);
    headers.insert(ETAG, header(&quoted(&tag))?);
    for server in ice_servers.iter().flat_map(links) {
        headers.append(LINK, header(&server)?);
    }
    Ok((StatusCode::CREATED, headers, answer).into_response())
}

async fn change(
    way: OneWay,
    doors: &Doors,
    (room, id): (&str, &str),
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let resource = doors
        .resources
        .find(way, room, id)
        .ok_or_else(no_resource)?;
    let text = text(FRAGMENT, headers, body).await?;
    let condition = condition(headers).ok_or_else(|| {
        let message = "If-Match has to say which ICE session is meant";
        Problem::new(StatusCode::PRECONDITION_REQUIRED, "no_condition", message)
    })?;
    let fragment = Fragment::parse(&text).map_err(|error| bad_fragment(error.to_string()))?;
    match resource.change_ice(&condition, fragment).await {
        Ok(None) => Ok(StatusCode::NO_CONTENT.into_response()),
        Ok(Some((tag, fragment))) => {
            let content_type = HeaderValue::from_static(FRAGMENT);
            let headers = [(CONTENT_TYPE, content_type), (ETAG, header(&quoted(&tag))?)];
            Ok((headers, fragment).into_response())
        }
        Err(IceError::OtherTag) => Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "other_ice_session",
            IceError::OtherTag.to_string(),
        )),
        Err(IceError::TooMuch(excess)) => Err(counted(doors, excess.into())),
        Err(error) => Err(bad_fragment(error.to_string())),
    }
}

fn counted(doors: &Doors, refusal: Refusal) -> Problem {
    let counters = doors.venue.limiter.counters();
    counters.count_code(refusal.code);
    refusal.into()
}

/// A body of the given type.
async fn text(expected: &str, headers: &HeaderMap, body: Body) -> Result<String, Problem> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let media_type = content_type.and_then(|it| it.split(';').next());
    if !media_type.is_some_and(|it| it.trim().eq_ignore_ascii_case(expected)) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "bad_content_type",
            format!("expected {expected}"),
        ));
    }
    let bytes: Bytes = match timeout(BODY_WITHIN, to_bytes(body, MAX_OFFER_BYTES)).await {
        Ok(Ok(bytes)) => bytes,
        // A body that breaks off has nobody to answer: so it is too long.
        Ok(Err(_)) => {
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                format!("expected at most {MAX_OFFER_BYTES} bytes"),
            ));
        }
        Err(_) => {
            return Err(Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "too_slow",
                "the body did not come in time",
            ));
        }
    };
    match String::from_utf8_lossy(&bytes) {
        Cow::Borrowed(text) => Ok(text.to_owned()),
        Cow::Owned(_) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "bad_sdp",
            "the body is not UTF-8",
        )),
    }
}

/// `If-Match` (RFC 9110 §13.1.1).
fn condition(headers: &HeaderMap) -> Option<Condition> {
    let value = headers.get(IF_MATCH)?.to_str().ok()?.trim();
    if value == "*" {
        return Some(Condition::Any);
    }
    let tags = value.split(',').map(|tag| tag.trim().trim_matches('"'));
    Some(Condition::One(tags.map(str::to_owned).collect()))
}

fn quoted(tag: &IceTag) -> String {
    format!("\"{tag}\"")
}

/// An ICE server as RFC 9725 §4.6 has it, a link for each of its addresses.
fn links(server: &IceServer) -> impl Iterator<Item = String> {
    server.urls.iter().map(|url| {
        let mut link = format!("<{url}>; rel=\"ice-server\"");
        if let (Some(username), Some(credential)) = (&server.username, &server.credential) {
            link.push_str(&format!(
                "; username=\"{username}\"; credential=\"{credential}\"; credential-type=\"password\""
            ));
        }
        link
    })
}

fn header(value: &str) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(value).map_err(|error| {
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            error.to_string(),
        )
    })
}

fn no_resource() -> Problem {
    let message = "there is no such resource, or it has ended";
    Problem::new(StatusCode::NOT_FOUND, "no_such_resource", message)
}

fn bad_fragment(message: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad_fragment", message)
}

/// Names of resources, and credentials for relays, are secrets.
async fn for_nobody_else(mut response: Response) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    response
}
