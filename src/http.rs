//! Everything HTTP: the page, the health check and what carries signaling. The only module that
//! names axum.

mod assets;
mod cors;
mod failure;
mod health;
mod requests;
mod socket;
mod stream;

use std::future::Future;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::signaling::{Sessions, Venue};

/// What a request may need.
#[derive(Clone, Debug)]
pub(crate) struct Doors {
    pub(crate) venue: Venue,
    pub(crate) sessions: Sessions,
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
        .merge(requests::router())
        .merge(assets::router())
        .with_state(doors);
    axum::serve(listener, router)
        .with_graceful_shutdown(stop)
        .await
}
