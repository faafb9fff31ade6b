//! Carries a signaling session over a WebSocket (RFC 6455): one text message each way at a time.

use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::debug;

use super::Doors;
use crate::signaling::message::{ByeReason, MAX_MESSAGE_BYTES, ServerMessage};
use crate::signaling::{Heard, LineEnd, PING_INTERVAL, Session, line};

/// Longer messages than the protocol's bound are still read so that they can be answered; beyond
/// this the socket is closed (1009).
const MAX_FRAME_BYTES: usize = 4 * MAX_MESSAGE_BYTES;

/// A client that says nothing for this long, not even a ping, is gone.
const SILENCE: Duration = PING_INTERVAL.saturating_mul(3);

/// A client that does not take a message for this long is gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the loop over a socket ended.
enum Ended {
    /// The session was ended, by the client's leave or by our bye.
    Said,
    /// The carrier is gone.
    Lost,
}

/// Answers `GET /ws`.
pub(super) async fn upgrade(socket: WebSocketUpgrade, State(doors): State<Doors>) -> Response {
    socket
        .max_message_size(MAX_FRAME_BYTES)
        .max_frame_size(MAX_FRAME_BYTES)
        .on_upgrade(|socket| converse(socket, doors))
}

async fn converse(mut socket: WebSocket, doors: Doors) {
    let (line, mut end) = line();
    let mut session = Session::new(doors.rooms, doors.rtc, line);
    let ended = exchange(&mut socket, &mut session, &mut end, doors.draining).await;
    session.end().await;
    if matches!(ended, Ended::Said) {
        let farewell = CloseFrame {
            code: close_code::NORMAL,
            reason: "".into(),
        };
        let _ = timeout(SEND_TIMEOUT, socket.send(Message::Close(Some(farewell)))).await;
    }
}

async fn exchange(
    socket: &mut WebSocket,
    session: &mut Session,
    end: &mut LineEnd,
    mut draining: watch::Receiver<bool>,
) -> Ended {
    loop {
        tokio::select! {
            received = timeout(SILENCE, socket.recv()) => {
                match received {
                    Ok(Some(Ok(Message::Text(text)))) => {
                        if session.hear(&text).await == Heard::End {
                            // The reply to the leave is the last thing on the line.
                            let reply = end.next().await;
                            let _ = say(socket, &reply).await;
                            return Ended::Said;
                        }
                    }
                    Ok(Some(Ok(Message::Binary(_)))) => {
                        // Not a message of the protocol; answered like any other nonsense.
                        session.hear("").await;
                    }
                    Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {}
                    Ok(Some(Ok(Message::Close(_))) | None) => return Ended::Lost,
                    Ok(Some(Err(error))) => {
                        debug!(%error, "socket failed");
                        return Ended::Lost;
                    }
                    Err(_) => {
                        debug!("nothing heard for too long");
                        return Ended::Lost;
                    }
                }
            }
            message = end.next() => {
                if say(socket, &message).await.is_err() {
                    return Ended::Lost;
                }
                if matches!(message, ServerMessage::Bye { .. }) {
                    return Ended::Said;
                }
            }
            () = told_to_stop(&mut draining) => {
                let _ = say(socket, &ServerMessage::Bye { reason: ByeReason::Draining }).await;
                return Ended::Said;
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
