//! Carries a signaling session over a WebSocket (RFC 6455): one text message each way at a time.

use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::HeaderMap;
use axum::response::Response;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tracing::debug;

use super::Doors;
use super::guard::Visitor;
use super::pace::Pace;
use crate::limits::Caller;
use crate::signaling::message::{ByeReason, ServerMessage};
use crate::signaling::{LineEnd, PING_INTERVAL, Session, line};

/// Longer messages than the protocol's bound are still read so that they can be answered; beyond
/// so many times the bound the connection is cut.
const FRAME_PATIENCE: usize = 4;

/// A client that says nothing for this long, not even a ping, is gone.
const SILENCE: Duration = PING_INTERVAL.saturating_mul(3);

/// A client that does not take a message for this long is gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the loop over a socket ended.
enum Ended {
    /// All was said, by the reply to a leave or by our bye: we close.
    Said,
    /// The client closes: our half of the handshake is all that is left to do.
    Closing,
    /// The carrier is gone.
    Lost,
}

/// Answers `GET /ws`.
pub(super) async fn upgrade(
    socket: WebSocketUpgrade,
    State(doors): State<Doors>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
) -> Response {
    let caller = match visitor.begin_session(&headers) {
        Ok(caller) => caller,
        Err(refused) => return refused,
    };
    let message_bytes = doors.guard.limiter.limits().message_bytes;
    let max_bytes = usize::try_from(message_bytes).unwrap_or(usize::MAX) * FRAME_PATIENCE;
    socket
        .max_message_size(max_bytes)
        .max_frame_size(max_bytes)
        .on_upgrade(|socket| converse(socket, doors, caller))
}

async fn converse(mut socket: WebSocket, doors: Doors, caller: Caller) {
    let (line, mut end) = line();
    let pace = Pace::new(doors.guard.limiter.limits(), Instant::now());
    let mut session = Session::new(doors.venue, caller, line);
    let carried = (&mut socket, &mut session, &mut end);
    let ended = exchange(carried, pace, doors.draining).await;
    drop(session);
    match ended {
        Ended::Said => {
            let (code, reason) = (close_code::NORMAL, "".into());
            let farewell = Message::Close(Some(CloseFrame { code, reason }));
            let _ = timeout(SEND_TIMEOUT, socket.send(farewell)).await;
        }
        // Reading on sends the reply to the close that was read.
        Ended::Closing => {
            let _ = timeout(SEND_TIMEOUT, socket.recv()).await;
        }
        Ended::Lost => {}
    }
}

async fn exchange(
    (socket, session, end): (&mut WebSocket, &mut Session, &mut LineEnd),
    mut pace: Pace,
    mut draining: watch::Receiver<bool>,
) -> Ended {
    let silence = sleep(SILENCE);
    tokio::pin!(silence);
    loop {
        tokio::select! {
            received = socket.recv() => {
                silence.as_mut().reset(Instant::now() + SILENCE);
                sleep(pace.take(Instant::now())).await;
                match received {
                    Some(Ok(Message::Text(text))) => session.hear(&text).await,
                    // Not a message of the protocol; answered like any other nonsense.
                    Some(Ok(Message::Binary(_))) => session.hear("").await,
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Close(_))) => return Ended::Closing,
                    Some(Err(error)) => {
                        debug!(%error, "socket failed");
                        return Ended::Lost;
                    }
                    None => return Ended::Lost,
                }
            }
            message = end.next() => {
                if say(socket, &message).await.is_err() {
                    return Ended::Lost;
                }
                if matches!(message, ServerMessage::Left { .. } | ServerMessage::Bye { .. }) {
                    return Ended::Said;
                }
            }
            () = told_to_stop(&mut draining) => {
                let _ = say(socket, &ServerMessage::Bye { reason: ByeReason::Draining }).await;
                return Ended::Said;
            }
            () = &mut silence => {
                debug!("nothing heard for too long");
                return Ended::Lost;
            }
        }
    }
}

async fn told_to_stop(draining: &mut watch::Receiver<bool>) {
    if draining.wait_for(|draining| *draining).await.is_err() {
        std::future::pending().await
    }
}

/// The client does not take what we send.
struct Deaf;

async fn say(socket: &mut WebSocket, message: &ServerMessage) -> Result<(), Deaf> {
    let text = serde_json::to_string(message).expect("the messages are plain data with text keys");
    match timeout(SEND_TIMEOUT, socket.send(Message::Text(text.into()))).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(Deaf),
    }
}
