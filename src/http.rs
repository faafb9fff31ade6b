//! Everything HTTP: the page, the health check and the signaling WebSocket. The only module that
//! names axum.
//!
//! [`doorway`] accepts connections, [`tls`] makes them private, [`guard`] says who may ask and how
//! often.

mod assets;
mod doorway;
pub(crate) mod guard;
mod health;
mod pace;
mod socket;
pub(crate) mod tls;

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::signaling::Venue;
use guard::Guard;
use tls::Tls;

/// What a request may need.
#[derive(Clone, Debug)]
pub(crate) struct Doors {
    pub(crate) venue: Venue,
    pub(crate) guard: Arc<Guard>,
    /// Becomes true when the server is about to stop.
    pub(crate) draining: watch::Receiver<bool>,
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
        .route_layer(from_fn_with_state(doors.clone(), guard::admit));
    Router::new()
        .route("/healthz", get(health::report))
        .merge(assets::router())
        .merge(conversations)
        .layer(from_fn_with_state(doors.clone(), guard::meter))
        .with_state(doors)
}
