//! What all rooms of the server have in common, and what may be said of one that is made by the
//! operator.

use std::sync::Arc;
use std::time::Duration;

use mixer::ladder::Ladder;

use super::{Events, MediaConfig};
use crate::ice_servers::IceServers;
use crate::limits::Counters;
use crate::signaling::message::PreferredLayout;

/// What a room is like. Checked before the first one is made.
#[derive(Clone, Debug)]
pub(crate) struct RoomConfig {
    /// How long the seat of somebody absent is held.
    pub(crate) seat_hold: Duration,
    /// The most seats, 1 to 49.
    pub(crate) max_participants: usize,
    /// What participants are told of STUN and TURN.
    pub(crate) ice_servers: Arc<IceServers>,
    /// What is mixed.
    pub(crate) media: MediaConfig,
    /// Who gets in, and what is kept.
    pub(crate) house: HouseRules,
    /// Where what happens is said.
    pub(crate) events: Events,
    /// Where it is counted who is sent away from the door.
    pub(crate) counters: Arc<Counters>,
}

/// Who gets into rooms, and what rooms keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HouseRules {
    /// Who may open a room. Default: everybody.
    pub opening: Opening,
    /// How long a room stays in which nobody sits any more. Default 5 s: a lone participant who
    /// comes back finds it. Its media end at once.
    pub empty_for: Duration,
    /// What becomes of the first of two with one identity. Default: it is replaced.
    pub same_identity: SameIdentity,
    /// The most that wait for one room, 0 to 1000. Default 100; then `lobby_full`.
    pub max_waiting: usize,
    /// How long one may wait. Default 30 min; then `waited_too_long`.
    pub patience: Duration,
    /// The most chat messages that are kept for those who come later, 0 to 1000. Default 100.
    pub chat_kept: usize,
    /// For how long they are kept. Default 10 min.
    pub chat_kept_for: Duration,
}

impl Default for HouseRules {
    fn default() -> Self {
        Self {
            opening: Opening::Anybody,
            empty_for: Duration::from_secs(5),
            same_identity: SameIdentity::Replace,
            max_waiting: 100,
            patience: Duration::from_secs(30 * 60),
            chat_kept: 100,
            chat_kept_for: Duration::from_secs(10 * 60),
        }
    }
}

/// Who may open a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Whoever joins it first.
    Anybody,
    /// The operator; whoever joins another is told `no_such_room`.
    Operator,
}

/// What happens when somebody comes whose identity has a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameIdentity {
    /// They get the seat, and the session that had it is told `replaced`.
    Replace,
    /// They are told `identity_taken`.
    Refuse,
}

/// How a room begins, and begins anew when everybody has left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RoomSettings {
    /// The most seats; `None`, or more than that: the server's setting.
    pub(crate) max_participants: Option<usize>,
    /// Whether people wait until they are admitted.
    pub(crate) lobby: bool,
    /// The arrangement for those who ask for none.
    pub(crate) layout: Option<PreferredLayout>,
    /// The pictures that it offers as long as it is there; `None`: the server's.
    pub(crate) ladder: Option<Arc<Ladder>>,
    /// When it ends by itself.
    pub(crate) stay: Stay,
}

/// When a room ends by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stay {
    /// Once nobody has sat there for [`HouseRules::empty_for`].
    #[default]
    WhileUsed,
    /// When it is told to.
    UntilEnded,
}
