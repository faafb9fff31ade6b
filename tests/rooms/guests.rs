//! Guests of a running daemon, and what they are told.

use mosaicd::signaling::message::{
    ByeReason, Joined, Participant, RequestId, RoomState, ServerMessage, Waiting,
};

use crate::daemon::Daemon;
use crate::socket::{Conversation, Socket};

/// Joins, and says what the room is like.
pub(crate) async fn enter(daemon: &Daemon, name: &str) -> anyhow::Result<(Socket, Joined)> {
    let mut socket = Socket::open(&daemon.address).await?;
    socket.say(&join(name, "")).await?;
    let joined = socket.hear_until(joined).await?;
    Ok((socket, joined))
}

/// A `join` with some more fields.
pub(crate) fn join(name: &str, more: &str) -> String {
    format!(r#"{{"type":"join","id":1,"version":1,"room":"demo","name":"{name}"{more}}}"#)
}

pub(crate) fn joined(message: ServerMessage) -> Option<Joined> {
    match message {
        ServerMessage::Joined(joined) => Some(joined),
        _ => None,
    }
}

pub(crate) fn bye(message: ServerMessage) -> Option<ByeReason> {
    match message {
        ServerMessage::Bye { reason } => Some(reason),
        _ => None,
    }
}

pub(crate) fn waiting(message: ServerMessage) -> Option<Waiting> {
    match message {
        ServerMessage::Waiting(waiting) => Some(waiting),
        _ => None,
    }
}

pub(crate) fn state(message: ServerMessage) -> Option<RoomState> {
    match message {
        ServerMessage::Room(state) => Some(state),
        _ => None,
    }
}

/// Somebody who came or changed, of that id.
pub(crate) fn participant(id: &str) -> impl Fn(ServerMessage) -> Option<Participant> {
    move |message| match message {
        ServerMessage::Participant { participant } => (participant.id == id).then_some(participant),
        _ => None,
    }
}

/// Asks for something and waits until it is done. Of a ban: whether it keeps anybody out.
pub(crate) async fn moderate(socket: &mut Socket, act: &str) -> anyhow::Result<Option<bool>> {
    socket
        .say(&format!(r#"{{"type":"moderate","id":"m","act":{act}}}"#))
        .await?;
    let id = RequestId::Text("m".to_owned());
    socket
        .hear_until(|message| match message {
            ServerMessage::Done { id: done, kept_out } => {
                (done.as_ref() == Some(&id)).then_some(kept_out)
            }
            ServerMessage::Error(error) => panic!("{error:?}"),
            _ => None,
        })
        .await
}
