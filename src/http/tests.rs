//! All routes, without a connection.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{Request, StatusCode};
use codecs::video::PictureSize;
use mixer::ladder::Ladder;
use mixer::video::Fit;
use tokio::sync::mpsc;
use tower::ServiceExt;

use super::guard::origin::Origins;
use super::guard::proxy::Proxies;
use super::guard::{Hold, Openness, Peer};
use super::*;
use crate::access::Access;
use crate::limits::Limiter;
use crate::room::{Events, HouseRules, MediaConfig, RoomConfig, Rooms};
use crate::rtc::{MediaAddress, MediaPorts, Rtc};

/// A server that is about to stop, or not yet.
fn doors(draining: watch::Receiver<bool>) -> Doors {
    let size = PictureSize::new(64, 64).unwrap();
    let config = RoomConfig {
        seat_hold: Duration::from_secs(30),
        max_participants: 9,
        ice_servers: Arc::default(),
        media: MediaConfig {
            ladder: Arc::new(Ladder::usual(size, 30, 200).unwrap()),
            audio_kbps: 32,
            fit: Fit::Fit,
        },
        house: HouseRules::default(),
        events: Events::new(9),
        counters: Arc::default(),
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let address = MediaAddress {
        ip: Ipv4Addr::LOCALHOST.into(),
        ports: MediaPorts::Shared(0),
        announce: None,
    };
    let limiter: Arc<Limiter> = Arc::default();
    let venue = Venue {
        rooms: Arc::new(Rooms::new(config, 9, Arc::new(pool.unwrap()))),
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

/// The status of an offer, and how long it asks to wait.
async fn offer(doors: &Doors, path: &str) -> (StatusCode, Option<String>) {
    let [permit, _opening] = doors.guard.limiter.connect(None, Instant::now()).unwrap();
    let peer = Peer {
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
        hold: Arc::new(Hold::new(permit, mpsc::channel(1).0)),
    };
    let request = Request::post(path)
        .header(CONTENT_TYPE, "application/sdp")
        .extension(peer)
        .body(Body::from("v=0"))
        .unwrap();
    let answer = router(doors.clone()).oneshot(request).await.unwrap();
    let wait = answer.headers().get(RETRY_AFTER);
    let wait = wait.map(|it| it.to_str().unwrap().to_owned());
    (answer.status(), wait)
}

#[tokio::test]
async fn a_server_that_is_about_to_stop_sends_publishers_and_viewers_away_for_a_while() {
    let (drain, draining) = watch::channel(false);
    let doors = doors(draining);

    for path in ["/whip/demo", "/whep/demo"] {
        let before = offer(&doors, path).await;
        assert_eq!(before, (StatusCode::BAD_REQUEST, None), "{path}");
    }
    drain.send_replace(true);

    for path in ["/whip/demo", "/whep/demo"] {
        let (status, wait) = offer(&doors, path).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(wait.as_deref(), Some("10"), "{path}");
    }
    let counted = doors.venue.limiter.counters().by_code();
    assert_eq!(counted.values().sum::<u64>(), 2, "those with a bad offer");
}
