//! A snapshot of a room, for whoever runs the server.

use std::time::Instant;

use schemars::JsonSchema;
use serde::Serialize;

use super::Room;
use super::moment::to_ms;
use super::seats::Sitting;
use crate::ladder_text::{self, RungText};
use crate::signaling::message::{Knock, Participant, RoomState};

/// A room as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct RoomDescription {
    pub(crate) room: String,
    /// How long it has been open, in milliseconds.
    pub(crate) open_ms: u64,
    pub(crate) max_participants: usize,
    /// The pictures that it offers, the lowest first.
    pub(crate) ladder: Vec<RungText>,
    pub(crate) state: RoomState,
    /// Who is speaking, or spoke last.
    pub(crate) speaker: Option<String>,
    /// In the order of joining.
    pub(crate) participants: Vec<Sitter>,
    /// In the order of coming.
    pub(crate) waiting: Vec<Knock>,
}

/// Somebody with a seat.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Sitter {
    #[serde(flatten)]
    pub(crate) participant: Participant,
    /// Who they are to whoever made their credential.
    pub(crate) identity: Option<String>,
    /// When they came, in milliseconds since 1970 (UTC).
    pub(crate) joined_ms: u64,
    /// For how long they have been out of reach, in milliseconds.
    pub(crate) absent_ms: Option<u64>,
    /// How loud they were at the last tick: −dBov, 127 is silence. Null without a
    /// transport.
    pub(crate) level_minus_dbov: Option<u8>,
    /// The rung of video that they get; null while they get none.
    pub(crate) rung: Option<String>,
    /// The bitrate of the audio that they get, in kb/s.
    pub(crate) audio_kbps: Option<u32>,
    /// What their downlink is taken to carry, in kb/s.
    pub(crate) downlink_kbps: Option<u64>,
    /// What it is taken to carry again when a queue before it has emptied, in kb/s; the rung goes by this.
    pub(crate) lasting_kbps: Option<u64>,
    /// What they lose of what is sent to them, in percent.
    pub(crate) loss_percent: Option<u32>,
    /// A packet's way there and back, in milliseconds.
    pub(crate) round_trip_ms: Option<u64>,
}

impl Room {
    pub(super) fn describe(&self, now: Instant) -> RoomDescription {
        let speaker = self.media.speaker().flatten();
        let sitters = self.seats.ids().filter_map(|id| {
            let sitting = self.seats.sitting(id, now)?;
            let rung = self
                .told
                .get(&id)
                .and_then(|sight| sight.allocation.video.index());
            let rungs = self.config.media.ladder.rungs();
            let Sitting {
                participant,
                identity,
                joined_ms,
                absent_for,
            } = sitting;
            let link = self.seats.wiring(id).map(|wiring| &wiring.link);
            let path = link.map(|link| &link.path);
            Some(Sitter {
                participant,
                identity,
                joined_ms,
                absent_ms: absent_for.map(to_ms),
                level_minus_dbov: link.map(|link| link.level_minus_dbov()),
                rung: rung.map(|index| rungs[index].name.clone()),
                audio_kbps: self
                    .told
                    .get(&id)
                    .map(|it| it.allocation.audio.bitrate_kbps()),
                downlink_kbps: path.and_then(|path| Some(path.downlink_bps()? / 1_000)),
                lasting_kbps: path.and_then(|path| Some(path.lasting_downlink_bps()? / 1_000)),
                loss_percent: path.map(|path| u32::from(path.fraction_lost()) * 100 / 256),
                round_trip_ms: path.and_then(|path| path.round_trip()).map(to_ms),
            })
        });
        RoomDescription {
            room: self.name.clone(),
            open_ms: to_ms(now.saturating_duration_since(self.start)),
            max_participants: self.seats.max(),
            ladder: ladder_text::rungs(&self.config.media.ladder),
            state: self.state(),
            speaker: speaker.map(|id| id.to_string()),
            participants: sitters.collect(),
            waiting: self.lobby.knocks(),
        }
    }
}
