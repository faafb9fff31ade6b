//! Everything HTTP: the page, the health check, the signaling WebSocket, WHIP and WHEP. The only
//! module that names axum.

mod assets;
mod health;
mod pace;
mod problem;
mod socket;
mod whip;

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::signaling::{Resources, Venue};

/// What a request may need.
#[derive(Clone, Debug)]
pub(crate) struct Doors {
    pub(crate) venue: Venue,
    pub(crate) resources: Arc<Resources>,
    /// Becomes true when the server is about to stop.
    pub(crate) draining: watch::Receiver<bool>,
}

/// Serves until `stop` resolves and the open requests have ended.
///
/// # Errors
///
/// An accept error that cannot be survived.
pub(crate) async fn serve(
    listener: TcpListener,
    doors: Doors,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/healthz", get(health::report))
        .route("/ws", get(socket::upgrade))
        .merge(assets::router())
        .merge(whip::router())
        .with_state(doors);
    axum::serve(listener, router)
        .with_graceful_shutdown(stop)
        .await
}
