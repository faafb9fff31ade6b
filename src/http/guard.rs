//! What every request passes first: who asks, how often, and for whose page.
//!
//! [`meter`] is for all requests. It finds out who asks ([`proxy`]), takes note of it, and leaves a
//! [`Visitor`] for whoever answers. [`admit`] is for those that begin or carry a conversation: it
//! refuses pages from elsewhere ([`origin`]), and strangers where only this machine is served.

pub(crate) mod origin;
pub(crate) mod proxy;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Once};
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::mpsc;
use tracing::{debug, warn};

use super::failure::{failure, respond};
use super::{Doors, api};
use crate::limits::{Address, Caller, Limiter, Permit, Refusal};
use crate::signaling::message::ErrorCode;
use origin::Origins;
use proxy::Proxies;

/// Who is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Openness {
    /// Whoever can show what is asked for, or everybody if that is nothing.
    Everybody,
    /// This machine, since nothing is asked for and nobody said that this is meant.
    Loopback,
}

/// What requests are judged by.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(crate) origins: Origins,
    pub(crate) proxies: Proxies,
    pub(crate) openness: Openness,
    pub(crate) limiter: Arc<Limiter>,
}

/// The other end of a connection. The server puts one into each request.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    /// For whoever has the connection.
    pub(super) hold: Arc<Hold>,
}

/// Kept until nobody has the connection any more, also after it has become a WebSocket.
#[derive(Debug)]
#[expect(dead_code, reason = "held, and never looked at")]
pub(super) struct Hold {
    permit: Permit,
    /// The server waits for the last of these before it ends, so that a WebSocket is told so.
    open: mpsc::Sender<()>,
}

impl Hold {
    pub(super) const fn new(permit: Permit, open: mpsc::Sender<()>) -> Self {
        Self { permit, open }
    }
}

/// Who asks.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    /// The client itself, behind whatever proxies are trusted.
    ip: IpAddr,
    #[expect(dead_code, reason = "held, and never looked at")]
    hold: Arc<Hold>,
}

impl Visitor {
    /// Who whatever is begun now is begun for.
    pub(super) fn caller(&self, headers: &HeaderMap) -> Caller {
        Caller {
            credential: bearer(headers),
            address: Some(Address::from(self.ip)),
        }
    }
}

/// The credential of an Authorization header (RFC 6750 §2.1).
fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credential) = value.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    is_bearer.then(|| credential.trim().to_owned())
}

/// Finds out who asks, and refuses who asks too often.
pub(super) async fn meter(
    State(doors): State<Doors>,
    mut request: Request,
    next: Next,
) -> Response {
    let guard = &doors.guard;
    let Some(peer) = request.extensions().get::<Peer>().cloned() else {
        let message = "the connection has no other end";
        return respond(failure(ErrorCode::Internal, message));
    };
    let ip = guard.proxies.client(peer.address.ip(), request.headers());
    if let Err(excess) = guard.limiter.request(Address::from(ip), Instant::now()) {
        return if request.uri().path().starts_with(api::PREFIX) {
            api::Problem::from(excess).into_response()
        } else {
            respond(crate::signaling::Refusal::from(excess).answer(None))
        };
    }
    request.extensions_mut().insert(Visitor {
        ip,
        hold: peer.hold,
    });
    next.run(request).await
}

/// Refuses pages from elsewhere, and strangers where only this machine is served. Pages of origins
/// that are allowed may read the answers.
///
/// Whoever is on this machine asks from here and for a name of it: a page elsewhere whose name was
/// made to lead here asks for that name, and a proxy gives itself away by what it adds.
pub(super) async fn admit(State(doors): State<Doors>, request: Request, next: Next) -> Response {
    let guard = &doors.guard;
    let counters = guard.limiter.counters();
    let (peer, visitor) = (
        request.extensions().get::<Peer>(),
        request.extensions().get::<Visitor>(),
    );
    let (Some(peer), Some(visitor)) = (peer, visitor) else {
        return respond(failure(ErrorCode::Internal, "the request was not metered"));
    };
    let headers = request.headers();
    let site = guard.proxies.site(peer.address.ip(), headers);
    let passed_on = proxy::is_forwarded(headers) && !guard.proxies.trusts(peer.address.ip());
    if passed_on {
        tell_of_proxy(guard.openness, peer.address.ip());
    }
    let at_home = visitor.ip.is_loopback() && site.is_loopback() && !passed_on;
    if guard.openness == Openness::Loopback && !at_home {
        counters.count(Refusal::NotLoopback);
        let message = "this server has no keys, and serves only its own machine";
        return respond(failure(ErrorCode::AuthRequired, message));
    }
    let Some(origin) = headers.get(ORIGIN).cloned() else {
        return next.run(request).await;
    };
    if !guard
        .origins
        .allow(origin.to_str().unwrap_or_default(), &site)
    {
        debug!(?origin, host = ?headers.get(HOST), "a page from elsewhere was refused");
        counters.count(Refusal::Origin);
        let message = "pages of this origin may not connect here (--origin)";
        return respond(failure(ErrorCode::WrongOrigin, message));
    }
    let asks_before = request.method() == Method::OPTIONS;
    let mut answer = next.run(request).await;
    if asks_before {
        answer = origin::preflight(answer);
    }
    origin::readable(answer, origin)
}

/// Says once that somebody passes requests on who is not trusted to: their clients count as one.
fn tell_of_proxy(openness: Openness, proxy: IpAddr) {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| match openness {
        Openness::Everybody => warn!(
            %proxy,
            "a proxy passes requests on, and all its clients count as one address: if it is yours, \
             give --trusted-proxy"
        ),
        Openness::Loopback => warn!(
            %proxy,
            "a proxy passes requests on and they are refused, since everybody would be let in: \
             give --keys, or --open if that is meant, and --trusted-proxy"
        ),
    });
}
