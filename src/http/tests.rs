//! All routes, without a connection.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use serde_json::Value;
use tokio::sync::mpsc;
use tower::ServiceExt;

use super::guard::origin::Origins;
use super::guard::proxy::Proxies;
use super::guard::{Hold, Openness, Peer};
use super::*;
use crate::access::Access;
use crate::limits::{Limiter, Limits};
use crate::room::{HouseRules, RoomConfig, Rooms, one_thread};
use crate::rtc::{MediaAddress, MediaPorts, Rtc};
use crate::signaling::message::ErrorCode;

/// A server that is about to stop, or not yet.
fn doors(draining: watch::Receiver<bool>) -> Doors {
    limited_doors(Limits::default(), draining)
}

fn limited_doors(limits: Limits, draining: watch::Receiver<bool>) -> Doors {
    let config = RoomConfig::small(HouseRules::default());
    let address = MediaAddress {
        ip: Ipv4Addr::LOCALHOST.into(),
        ports: MediaPorts::Shared(0),
        announce: None,
    };
    let limiter = Arc::new(Limiter::new(limits, Arc::default()));
    let venue = Venue {
        rooms: Arc::new(Rooms::new(config, 9, one_thread())),
        rtc: Rtc::bind(&address).unwrap(),
        access: Arc::new(Access::default()),
        limiter: Arc::clone(&limiter),
    };
    let guard = Guard {
        origins: Origins::new(Vec::new()),
        proxies: Proxies::new(Vec::new()),
        openness: Openness::Everybody,
        limiter,
    };
    Doors {
        sessions: Sessions::new(venue.clone(), draining.clone()),
        venue,
        resources: Arc::default(),
        guard: Arc::new(guard),
        operators: None,
        draining,
    }
}

/// What is answered to a request with this body.
async fn post(doors: &Doors, path: &str, content_type: &str, body: &str) -> Response {
    let [permit, _opening] = doors.guard.limiter.connect(None, Instant::now()).unwrap();
    let peer = Peer {
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
        hold: Arc::new(Hold::new(permit, mpsc::channel(1).0)),
    };
    let request = Request::post(path)
        .header(CONTENT_TYPE, content_type)
        .extension(peer)
        .body(Body::from(body.to_owned()))
        .unwrap();
    router(doors.clone()).oneshot(request).await.unwrap()
}

/// The status of an answer, and how long it asks to wait.
fn waits(answer: &Response) -> (StatusCode, Option<&str>) {
    let wait = answer.headers().get(RETRY_AFTER);
    (answer.status(), wait.map(|it| it.to_str().unwrap()))
}

/// The code in an answer.
async fn code(answer: Response) -> String {
    let body = to_bytes(answer.into_body(), 4_096).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    body["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_server_that_is_about_to_stop_sends_publishers_and_viewers_away_for_a_while() {
    let (drain, draining) = watch::channel(false);
    let doors = doors(draining);
    let offer = async |path| post(&doors, path, "application/sdp", "v=0").await;

    for path in ["/whip/demo", "/whep/demo"] {
        let before = offer(path).await;
        assert_eq!(waits(&before), (StatusCode::BAD_REQUEST, None), "{path}");
    }
    drain.send_replace(true);

    for path in ["/whip/demo", "/whep/demo"] {
        let away = offer(path).await;
        let expected = (StatusCode::SERVICE_UNAVAILABLE, Some("10"));
        assert_eq!(waits(&away), expected, "{path}");
        assert_eq!(code(away).await, "draining");
    }
    let counted = doors.venue.limiter.counters().by_code();
    let expected = [(ErrorCode::BadSdp, 2), (ErrorCode::Draining, 2)];
    assert_eq!(counted, expected.into());
}

#[tokio::test]
async fn a_server_that_is_about_to_stop_begins_no_session_by_request() {
    let (drain, draining) = watch::channel(false);
    let doors = doors(draining);
    let say = async |body| post(&doors, "/sessions", "application/json", body).await;
    drain.send_replace(true);

    let away = say(r#"{"type":"join","id":1,"version":1,"room":"demo","name":"Ann"}"#).await;

    let expected = (StatusCode::SERVICE_UNAVAILABLE, Some("10"));
    assert_eq!(waits(&away), expected);
    assert_eq!(code(away).await, "draining");
    assert_eq!(doors.sessions.count(), 0);
    let counted = doors.venue.limiter.counters().by_code();
    assert_eq!(counted, [(ErrorCode::Draining, 1)].into());
}

#[tokio::test]
async fn offers_by_request_have_a_rate_for_each_address() {
    let (_drain, draining) = watch::channel(false);
    let limits = Limits {
        offers_per_minute: 1,
        ..Limits::default()
    };
    let doors = limited_doors(limits, draining);
    let offer = async |path| post(&doors, path, "application/sdp", "v=0").await;

    let first = offer("/whip/demo").await;

    assert_eq!(first.status(), StatusCode::BAD_REQUEST);
    for path in ["/whip/demo", "/whep/demo"] {
        let refused = offer(path).await;
        let (status, wait) = waits(&refused);
        let wait: u32 = wait.unwrap().parse().unwrap();
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{path}");
        assert!((1..=60).contains(&wait), "{path}: {wait}");
        assert_eq!(code(refused).await, "rate_limited");
    }
    let counters = doors.venue.limiter.counters();
    assert_eq!(counters.snapshot()["offers"], 2);
    assert_eq!(counters.by_code()[&ErrorCode::RateLimited], 2);
}
