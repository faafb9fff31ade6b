//! Everything HTTP: the page, the health check, what carries signaling, WHIP and WHEP. The only
//! module that names axum.
//!
//! [`doorway`] accepts connections, [`tls`] makes them private, [`guard`] says who may ask and how
//! often. A session is carried by a [`socket`], or by [`requests`] and a [`stream`] beside them;
//! [`whip`] needs none.
//! [`api`] is for whoever runs the server, and [`post`] tells other servers.

pub(crate) mod api;
mod assets;
mod doorway;
mod failure;
pub(crate) mod guard;
mod health;
pub(crate) mod post;
mod problem;
mod refused;
mod requests;
mod socket;
mod stream;
pub(crate) mod tls;
mod whip;

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::signaling::{Resources, Sessions, Venue};
use api::Operators;
use guard::Guard;
use tls::Tls;

/// How many times as long as a message may be is still read, so that it can be answered; beyond
/// that the connection is cut.
const LENGTH_PATIENCE: usize = 4;

/// What a request may need.
#[derive(Clone, Debug)]
pub(crate) struct Doors {
    pub(crate) venue: Venue,
    pub(crate) sessions: Sessions,
    pub(crate) resources: Arc<Resources>,
    pub(crate) guard: Arc<Guard>,
    /// `None`: there is no interface for operators.
    pub(crate) operators: Option<Arc<Operators>>,
    /// Becomes true when the server is about to stop.
    pub(crate) draining: watch::Receiver<bool>,
}

impl Doors {
    /// The longest message, or body of a request, that is read at all, in bytes.
    fn longest_read(&self) -> usize {
        let message_bytes = self.venue.limiter.limits().message_bytes;
        usize::try_from(message_bytes)
            .unwrap_or(usize::MAX)
            .saturating_mul(LENGTH_PATIENCE)
    }
}

/// Serves until `stop` resolves and the open requests have ended.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    doors: Doors,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let guard = Arc::clone(&doors.guard);
    doorway::serve(listener, tls, guard, router(doors), stop).await;
}

fn router(doors: Doors) -> Router {
    // Whatever begins or carries a conversation. The rest is for everybody, and secret to nobody.
    let conversations = Router::new()
        .route("/ws", get(socket::upgrade))
        .merge(requests::router(doors.longest_read()))
        .merge(whip::router())
        .route_layer(from_fn_with_state(doors.clone(), guard::admit));
    Router::new()
        .route("/healthz", get(health::report))
        .merge(assets::router())
        .merge(conversations)
        .merge(api::router(&doors))
        .layer(from_fn_with_state(doors.clone(), guard::meter))
        .with_state(doors)
}

#[cfg(test)]
mod tests;
