//! What happens in rooms, for whoever runs the server.
//!
//! A broadcast of at most [`WAITING`] events: a subscriber that falls behind loses the oldest, and is
//! told how many. Rooms never wait for one.

use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::broadcast;

use super::moment::Moment;
use crate::signaling::message::{ChatMessage, LeaveReason, Role, RoomState};

/// Events that may wait for a subscriber.
const WAITING: usize = 1_024;

/// Something that happened in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct RoomEvent {
    pub(crate) room: String,
    /// In milliseconds since 1970 (UTC).
    pub(crate) at_ms: u64,
    #[serde(flatten)]
    pub(crate) what: Happening,
}

/// What it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Happening {
    Opened,
    Closed,
    Joined {
        participant: String,
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        identity: Option<String>,
        role: Role,
    },
    Left {
        participant: String,
        reason: LeaveReason,
    },
    /// Somebody waits to be let in.
    Knocked {
        waiting: String,
        name: String,
    },
    /// Somebody may do something else than before.
    Role {
        participant: String,
        role: Role,
    },
    /// It was locked or unlocked, for instance.
    State(RoomState),
    Chat(ChatMessage),
}

/// Where rooms say what happens.
#[derive(Clone, Debug)]
pub(super) struct Events {
    sender: broadcast::Sender<RoomEvent>,
}

impl Events {
    pub(super) fn new() -> Self {
        Self {
            sender: broadcast::Sender::new(WAITING),
        }
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<RoomEvent> {
        self.sender.subscribe()
    }

    /// Says it to whoever listens, if anybody does.
    pub(super) fn say(&self, room: &str, what: Happening) {
        if self.sender.receiver_count() == 0 {
            return;
        }
        let _ = self.sender.send(RoomEvent {
            room: room.to_owned(),
            at_ms: Moment::now().wall_ms,
            what,
        });
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::broadcast::error::TryRecvError;

    use super::*;

    #[test]
    fn a_subscriber_that_falls_behind_is_told_how_much_it_lost() {
        let events = Events::new();
        let mut subscriber = events.subscribe();

        for _ in 0..WAITING + 3 {
            events.say("demo", Happening::Opened);
        }

        assert_eq!(subscriber.try_recv(), Err(TryRecvError::Lagged(3)));
        assert_eq!(subscriber.try_recv().unwrap().what, Happening::Opened);
    }

    #[test]
    fn an_event_is_one_flat_object() {
        let event = RoomEvent {
            room: "demo".to_owned(),
            at_ms: 7,
            what: Happening::Left {
                participant: "p1".to_owned(),
                reason: LeaveReason::Removed,
            },
        };

        let expected = serde_json::json!({
            "room": "demo", "at_ms": 7, "event": "left", "participant": "p1", "reason": "removed",
        });
        assert_eq!(serde_json::to_value(event).unwrap(), expected);
    }
}
