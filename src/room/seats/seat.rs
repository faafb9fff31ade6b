//! One seat: who holds it, as what, and whether they can be reached.

use std::sync::Arc;
use std::time::Instant;

use mixer::ParticipantId;
use mixer::ladder::Wish;

use super::connection::Connection;
use super::switch::{Device, Power, Switch};
use super::{Client, Part};
use crate::access::Capabilities;
use crate::limits::Permit;
use crate::room::chat::ChatPace;
use crate::room::moment::Moment;
use crate::rtc::TransportState;
use crate::signaling::message::{Participant, Role};
use crate::signaling::{DisplayName, Line};

#[derive(Debug)]
pub(super) struct Seat {
    pub(super) generation: u64,
    pub(super) token: String,
    pub(super) name: DisplayName,
    /// Who they are to whoever made their credential.
    pub(super) identity: Option<String>,
    pub(super) role: Role,
    /// The role that their credential gives them, if it does.
    pub(super) granted: Option<Role>,
    /// What their credential lets them do.
    pub(super) can: Capabilities,
    pub(super) part: Part,
    pub(super) joined: Moment,
    pub(super) microphone: Switch,
    pub(super) camera: Switch,
    /// When the hand was raised, in milliseconds since 1970.
    pub(super) hand_raised_ms: Option<u64>,
    pub(super) chat_pace: ChatPace,
    pub(super) wish: Wish,
    /// Where to say something: whatever is said while the client is away waits for it there.
    pub(super) line: Option<Line>,
    /// Whether the session that has the line can reach its client.
    pub(super) client: Client,
    pub(super) connection: Option<Connection>,
    pub(super) absent_since: Option<Instant>,
    /// Given back to the address it was taken from when the seat goes.
    pub(super) permit: Option<Arc<Permit>>,
}

impl Seat {
    /// Whoever is on the way back has the whole time again.
    pub(super) fn hold_anew(&mut self, now: Instant) {
        if let Some(since) = &mut self.absent_since {
            *since = now;
        }
    }

    /// Notes whether the participant can be reached; true if that changed.
    pub(super) fn judge(&mut self, now: Instant) -> bool {
        let has_client = self.line.is_some() && self.client == Client::Here;
        let in_session = has_client && self.part == Part::InSession;
        let reachable = match &self.connection {
            None => in_session,
            Some(connection) => match connection.state {
                TransportState::Connecting => in_session,
                TransportState::Connected => in_session || connection.is_alive(now),
                TransportState::Disconnected | TransportState::Failed => false,
            },
        };
        let changed = reachable == self.absent_since.is_some();
        if changed {
            self.absent_since = (!reachable).then_some(now);
        }
        changed
    }

    /// Notes what they may use by now.
    pub(super) fn follow_licenses(&mut self) {
        let Self { can, part, .. } = *self;
        self.microphone.follow(part.license(can.publish_audio));
        self.camera.follow(part.license(can.publish_video));
    }

    pub(super) fn switch(&mut self, device: Device) -> &mut Switch {
        match device {
            Device::Microphone => &mut self.microphone,
            Device::Camera => &mut self.camera,
        }
    }

    pub(super) fn describe(&self, id: ParticipantId) -> Participant {
        Participant {
            id: id.to_string(),
            name: self.name.to_string(),
            role: self.role,
            muted: self.microphone.power() == Power::Off,
            muted_by: self.microphone.off_by().map(|by| by.to_string()),
            may_unmute: !self.microphone.is_held(),
            camera: self.camera.power() == Power::On,
            camera_off_by: self.camera.off_by().map(|by| by.to_string()),
            may_use_camera: !self.camera.is_held(),
            hand_raised_ms: self.hand_raised_ms,
            absent: self.absent_since.is_some(),
            watching: self.part == Part::Watching,
        }
    }
}
