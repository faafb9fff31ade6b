//! One participant as seen by video: what they send, and what of it may be shown.

use std::time::Duration;

use codecs::video::{I420, Scaler};

use super::counters::VideoCounters;
use super::input::{Camera, Presence};
use super::orientation::Orientation;
use super::track::{Origin, Progress, Thinned, Track};
use crate::{ParticipantId, RoomTime};

/// A participant's track, if any, and state.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) participant: ParticipantId,
    pub(crate) counters: VideoCounters,
    track: Option<Track>,
    presence: Presence,
    camera: Camera,
    /// Where the track's picture is from, and since when it is what it is. `None` while there is
    /// none to show: no track yet, or nothing decoded since it came or since the camera was
    /// switched on.
    picture_since: Option<(Origin, RoomTime)>,
    /// Tells this participant's pictures apart, whatever track they came by.
    picture_number: u64,
    keyframe_request: Option<ParticipantId>,
    thinned: Thinned,
    /// Since when nobody sees this participant.
    unseen_since: Option<RoomTime>,
}

/// Whether a source has a tile anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Somewhere,
    Nowhere,
}

/// Whether a source is worth decoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attention {
    Watched,
    /// Nobody has seen it for a while, or is to see it.
    Resting,
}

/// What a tile is to show. Two that are equal look alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// No picture: the participant's placeholder.
    Placeholder(Presence),
    /// The picture of that number.
    Picture {
        /// Which one.
        number: u64,
        /// How it is to be taken.
        life: Life,
    },
}

/// How much a picture says about now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// It is what the camera sees.
    Live,
    /// It has stood still for too long.
    Stale,
    /// Its sender is gone.
    Gone,
}

impl Source {
    /// Somebody who sends nothing yet.
    pub(crate) fn new(participant: ParticipantId) -> Self {
        Self {
            participant,
            counters: VideoCounters::default(),
            track: None,
            presence: Presence::default(),
            camera: Camera::default(),
            picture_since: None,
            picture_number: 0,
            keyframe_request: None,
            thinned: Thinned::No,
            unseen_since: None,
        }
    }

    /// Replaces the track. The former one's picture goes with it.
    pub(crate) fn set_track(&mut self, track: Option<Track>) {
        self.track = track;
        self.picture_since = None;
    }

    /// The track, and where its fate is counted.
    pub(crate) fn track(&mut self) -> Option<(&mut Track, &mut VideoCounters)> {
        Some((self.track.as_mut()?, &mut self.counters))
    }

    pub(crate) const fn set_presence(&mut self, presence: Presence) {
        self.presence = presence;
    }

    /// Switched off, the last picture is forgotten: when the camera comes back, what it saw before
    /// must not be shown for what it sees.
    pub(crate) const fn set_camera(&mut self, camera: Camera) {
        self.camera = camera;
        if matches!(camera, Camera::Off) {
            self.picture_since = None;
        }
    }

    /// Decodes whatever is due, so that nothing is missing when it is shown again; but nothing live
    /// that nobody has seen for `rest_after`, or that comes although the camera is switched off.
    pub(crate) fn advance(&mut self, now: RoomTime, seen: Seen, rest_after: Duration) {
        self.keyframe_request = None;
        self.thinned = Thinned::No;
        let attention = self.attention(now, seen, rest_after);
        let Some(track) = &mut self.track else {
            return;
        };
        if attention == Attention::Resting {
            track.rest(&mut self.counters);
        }
        let (progress, thinned) = track.decode_due(now, &mut self.counters);
        self.thinned = thinned;
        if let Progress::NewPicture(origin) = progress {
            self.picture_number += 1;
            if self.camera == Camera::On {
                self.picture_since = Some((origin, now));
            }
        }
        let shown = self.camera == Camera::On && self.presence == Presence::Present;
        let wanted = shown && attention == Attention::Watched;
        if wanted && track.poll_keyframe_request(now) {
            self.counters.keyframes_requested += 1;
            self.keyframe_request = Some(self.participant);
        }
    }

    fn attention(&mut self, now: RoomTime, seen: Seen, rest_after: Duration) -> Attention {
        if self.camera == Camera::Off {
            return Attention::Resting;
        }
        if seen == Seen::Somewhere {
            self.unseen_since = None;
            return Attention::Watched;
        }
        let since = *self.unseen_since.get_or_insert(now);
        if now.since(since) >= rest_after {
            Attention::Resting
        } else {
            Attention::Watched
        }
    }

    /// This participant, if it must be asked for a keyframe as of the last [`Self::advance`].
    pub(crate) const fn keyframe_request(&self) -> Option<ParticipantId> {
        self.keyframe_request
    }

    /// This participant, if more came of them than may be decoded as of the last [`Self::advance`].
    pub(crate) fn thinned(&self) -> Option<ParticipantId> {
        (self.thinned == Thinned::Yes).then_some(self.participant)
    }

    /// What to show at `now`.
    pub(crate) fn content(&self, now: RoomTime, stale_after: Duration) -> Content {
        let Some((origin, since)) = self.picture_since else {
            return Content::Placeholder(self.presence);
        };
        let overdue = origin == Origin::Live && now.since(since) > stale_after;
        let life = match self.presence {
            Presence::Absent => Life::Gone,
            Presence::Present if overdue => Life::Stale,
            Presence::Present => Life::Live,
        };
        Content::Picture {
            number: self.picture_number,
            life,
        }
    }

    /// The newest picture, how it is to be turned and what scales it, if there is a track.
    pub(crate) fn picture(&mut self) -> Option<(&I420, Orientation, &mut dyn Scaler)> {
        Some(self.track.as_mut()?.picture())
    }
}
