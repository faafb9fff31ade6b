//! Carries a session over a WebSocket (RFC 6455): one text message each way at a time.
//!
//! Pings of the WebSocket itself go out at the interval that clients are asked to keep, so that
//! also a page whose timers are slowed down gives a sign of life: browsers answer by themselves.
//! Each carries the number of the last event, and the answer acknowledges it: what came before a
//! ping has come as well.
//!
//! A client that does not take a message within [`SEND_TIMEOUT`] has lost this carrier. Messages
//! longer than may be are still read, up to a bound, so that they can be answered. A first message
//! comes within `join-seconds`; at most [`MAX_REFUSALS`] of them are refused over one socket. No
//! extension is spoken, compression least of all: what is said is short, and what a few bytes unpack
//! to would be another thing to bound.

mod closing;

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;
use tokio::time::{Instant, interval_at, timeout};
use tracing::debug;

use super::Doors;
use super::guard::Visitor;
use crate::limits::{Caller, Refusal};
use crate::signaling::message::{ByeReason, ServerMessage};
use crate::signaling::{Attachment, Carrier, Next, Opened, PING_INTERVAL};
use closing::Reason;

/// The subprotocol: this document's version of the protocol.
const SUBPROTOCOL: &str = "mosaicd.v1";

/// What is read at once. A session says and hears little, and there are many of them.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// A client that does not take a message for this long is gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// First messages that may be refused over one socket.
const MAX_REFUSALS: usize = 16;

/// Why the loop over a socket ended.
enum Ended {
    /// All was said, by the reply to a leave or by our bye, or another carrier goes on: we close.
    Said,
    /// The client closes: our half of the handshake is all that is left to do.
    Closing,
    /// Nothing that can be read comes any more: the carrier is gone, or its client says what is no
    /// WebSocket.
    Broken(axum::Error),
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
    let socket = socket.protocols([SUBPROTOCOL]);
    let offers = socket.requested_protocols().next().is_some();
    if offers && socket.selected_protocol().is_none() {
        let message = format!("the subprotocol is {SUBPROTOCOL}");
        return (StatusCode::BAD_REQUEST, message).into_response();
    }
    let caller = visitor.caller(&headers);
    let max_bytes = doors.longest_read();
    socket
        .read_buffer_size(READ_BUFFER_BYTES)
        .max_message_size(max_bytes)
        .max_frame_size(max_bytes)
        .on_upgrade(async move |socket| {
            // The connection counts as one for as long as there is the socket.
            let _visitor = visitor;
            carry(socket, doors, caller).await;
        })
}

async fn carry(mut socket: WebSocket, doors: Doors, caller: Caller) {
    let ended = match open(&mut socket, doors, caller).await {
        Ok(attachment) => exchange(&mut socket, attachment).await,
        Err(ended) => ended,
    };
    match ended {
        Ended::Said => closing::close(&mut socket, Reason::Said).await,
        Ended::Broken(error) => closing::close(&mut socket, Reason::Broken(error)).await,
        // Reading on sends the reply to the close that was read.
        Ended::Closing => {
            let _ = timeout(SEND_TIMEOUT, socket.recv()).await;
        }
        Ended::Lost => {}
    }
}

/// Listens until there is a session.
async fn open(
    socket: &mut WebSocket,
    mut doors: Doors,
    caller: Caller,
) -> Result<Attachment, Ended> {
    let limiter = Arc::clone(&doors.venue.limiter);
    let within = limiter.limits().join_within();
    for _ in 0..MAX_REFUSALS {
        let first = tokio::select! {
            first = timeout(within, first(socket)) => match first {
                Ok(first) => first?,
                Err(_) => {
                    limiter.counters().count(Refusal::Unjoined);
                    return Err(dismiss(socket, ByeReason::NotJoined).await);
                }
            },
            () = told_to_stop(&mut doors.draining) => {
                return Err(dismiss(socket, ByeReason::Draining).await);
            }
        };
        let sessions = &doors.sessions;
        match sessions.open(first, caller.clone(), Carrier::Socket).await {
            Ok(Opened {
                attachment,
                resumed,
                ..
            }) => {
                if let Some(resumed) = resumed {
                    say(socket, &resumed).await?;
                }
                return Ok(attachment);
            }
            Err(error) => say(socket, &ServerMessage::Error(error)).await?,
        }
    }
    debug!("nothing but refusals");
    Err(Ended::Said)
}

/// Says goodbye where there is no session to say it.
async fn dismiss(socket: &mut WebSocket, reason: ByeReason) -> Ended {
    let told = say(socket, &ServerMessage::Bye { reason }).await;
    told.err().unwrap_or(Ended::Said)
}

async fn first(socket: &mut WebSocket) -> Result<String, Ended> {
    loop {
        if let Some(text) = text(socket.recv().await)? {
            return Ok(text);
        }
    }
}

async fn exchange(socket: &mut WebSocket, mut session: Attachment) -> Ended {
    let mut pings = interval_at(Instant::now() + PING_INTERVAL, PING_INTERVAL);
    loop {
        tokio::select! {
            received = socket.recv() => {
                session.hear();
                if let Some(seen) = seen(&received) {
                    session.acknowledge(seen);
                }
                match text(received) {
                    // If it is not heard, `next` says what is left to do.
                    Ok(Some(text)) => drop(session.request(text).await),
                    Ok(None) => {}
                    Err(ended) => return ended,
                }
            }
            next = session.next() => match next {
                Next::Say(event) => if send(socket, Message::text(&*event.text)).await.is_err() {
                    return Ended::Lost;
                },
                Next::Close => {
                    session.acknowledge(u64::MAX);
                    return Ended::Said;
                }
                Next::Detached => return Ended::Said,
            },
            _ = pings.tick() => {
                let taken = Message::Ping(session.taken().to_be_bytes().to_vec().into());
                if send(socket, taken).await.is_err() {
                    return Ended::Lost;
                }
            }
        }
    }
}

/// What was seen before a ping of ours, if this is the answer to it.
fn seen(received: &Option<Result<Message, axum::Error>>) -> Option<u64> {
    match received {
        Some(Ok(Message::Pong(taken))) => taken.as_ref().try_into().ok().map(u64::from_be_bytes),
        _ => None,
    }
}

/// A message of the protocol, if that is what was received.
fn text(received: Option<Result<Message, axum::Error>>) -> Result<Option<String>, Ended> {
    match received {
        Some(Ok(Message::Text(text))) => Ok(Some(text.as_str().to_owned())),
        // Not a message of the protocol; answered like any other nonsense.
        Some(Ok(Message::Binary(_))) => Ok(Some(String::new())),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
        Some(Ok(Message::Close(_))) => Err(Ended::Closing),
        Some(Err(error)) => {
            debug!(%error, "socket failed");
            Err(Ended::Broken(error))
        }
        None => Err(Ended::Lost),
    }
}

async fn told_to_stop(draining: &mut watch::Receiver<bool>) {
    if draining.wait_for(|draining| *draining).await.is_err() {
        std::future::pending().await
    }
}

/// Says something that has no number.
async fn say(socket: &mut WebSocket, message: &ServerMessage) -> Result<(), Ended> {
    let text = serde_json::to_string(message).expect("the messages are plain data with text keys");
    send(socket, Message::text(text)).await
}

async fn send(socket: &mut WebSocket, message: Message) -> Result<(), Ended> {
    match timeout(SEND_TIMEOUT, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(Ended::Lost),
    }
}
