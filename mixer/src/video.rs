//! Everybody's picture into one.
//!
//! [`VideoMixer`] takes what participants send, and at each tick decodes it, scales each picture
//! to its tile, copies the tiles to a canvas per rung and encodes each canvas once. A tile is drawn
//! anew only when it would look different, and copied only when it was.
//!
//! A tick runs in two steps on the pool it was given: over sources (assemble, decode, scale, mark),
//! then over rungs (copy, encode). What one writes nobody else reads in the same step, so the
//! outcome does not depend on the number of threads.
//!
//! Up to [`MAX_TILES`] participants are shown, the first to come; the active speaker takes the last
//! of these tiles if not among them. What one source may hold and cost is bounded: 2048 packets of
//! together 2 MiB, 12 live frames per tick, [`VideoConfig::source_pixels_per_s`] (a keyframe counts
//! for four), 512 recorded
//! frames of together 32 MiB. How many participants, tracks and rungs there are is up to the
//! driver.

mod assembly;
mod budget;
mod config;
mod counters;
mod draw;
mod fit;
mod focus;
mod input;
mod keyframes;
mod layout;
mod marks;
mod orientation;
mod payload;
mod placeholder;
mod recording;
mod region;
mod rung;
mod seating;
mod source;
mod tile;
mod track;

use std::sync::Arc;

use codecs::video::{I420, VIDEO_CLOCK_HZ};
use rayon::prelude::*;

pub use config::{SpeakerBorder, VideoConfig};
pub use counters::{FrameCounters, PacketCounters, RungCounters, VideoCounters};
pub use fit::Fit;
pub use input::{
    Arrangement, Camera, Focus, Keyframes, Marker, Presence, RecordedFrame, RungConfig, RungId,
    VideoInput, VideoPacket,
};
pub use layout::{Aspect, AspectError, GridStyle, Layout, MAX_TILES};
pub use orientation::{Mirroring, Orientation, Rotation};
pub use region::{Region, RegionError};
pub use rung::{CanvasChange, RungFrame};

use crate::{ParticipantId, RoomTime};
use rung::Rung;
use seating::Seating;
use source::Source;
use tile::Tiles;
use track::Track;

/// Composites the participants' video. See the module.
#[derive(Debug)]
pub struct VideoMixer {
    config: VideoConfig,
    pool: Arc<rayon::ThreadPool>,
    /// In the order of their ids. `tiles[n]` are those of `sources[n]`; apart, because rungs look
    /// at tiles at the same time, and a decoder may not be looked at by two threads.
    sources: Vec<Source>,
    tiles: Vec<Tiles>,
    /// In the order of their ids.
    rungs: Vec<Rung>,
    active_speaker: Option<ParticipantId>,
    /// Who spoke before the active speaker, if still here.
    speaker_before: Option<ParticipantId>,
    /// Who is shown large whoever speaks.
    pinned: Option<ParticipantId>,
    seating: Seating,
    last_timestamp: Option<u64>,
    ignored_inputs: u64,
    due: Vec<RungId>,
    frames: Vec<RungFrame>,
    keyframe_requests: Vec<ParticipantId>,
    thinned: Vec<ParticipantId>,
    layout_changed: Vec<(RungId, Layout)>,
}

/// What one tick made. It is valid until the next.
#[derive(Clone, Copy, Debug)]
pub struct VideoTick<'a> {
    /// One frame for each rung that was due and could be encoded, in the order of rung ids.
    pub frames: &'a [RungFrame],
    /// Participants whose video cannot be decoded without a keyframe, to be asked for one. Each is
    /// named once at first, then ever less often until one comes.
    pub keyframe_requests: &'a [ParticipantId],
    /// Participants who send more than is decoded: some of it waits, or was dropped. Once in a while
    /// that happens to anybody, after a gap; at many ticks in a row it is too much.
    pub thinned: &'a [ParticipantId],
    /// Rungs whose layout is another than at the tick before, and what it is now.
    pub layout_changed: &'a [(RungId, Layout)],
}

impl VideoMixer {
    /// A mixer without participants and rungs, whose work is done by `pool`.
    #[must_use]
    pub const fn new(config: VideoConfig, pool: Arc<rayon::ThreadPool>) -> Self {
        Self {
            config,
            pool,
            sources: Vec::new(),
            tiles: Vec::new(),
            rungs: Vec::new(),
            active_speaker: None,
            speaker_before: None,
            pinned: None,
            seating: Seating::Settled,
            last_timestamp: None,
            ignored_inputs: 0,
            due: Vec::new(),
            frames: Vec::new(),
            keyframe_requests: Vec::new(),
            thinned: Vec::new(),
            layout_changed: Vec::new(),
        }
    }

    /// Takes in one thing that happened. Nothing is decoded or drawn before the next tick.
    pub fn handle(&mut self, input: VideoInput) {
        if self.try_handle(input).is_none() {
            self.ignored_inputs += 1;
        }
    }

    /// Makes every due rung's frame for `now`, which never goes backwards.
    pub fn tick(&mut self, now: RoomTime) -> VideoTick<'_> {
        let timestamp = self.stamp(now);
        self.seat_everybody();
        self.recycle_frames();
        self.due.clear();
        for rung in &mut self.rungs {
            if rung.poll_due(timestamp) {
                self.due.push(rung.id());
            }
        }

        let Self {
            config,
            sources,
            tiles,
            rungs,
            due,
            ..
        } = self;
        self.pool.install(|| {
            let each = sources.par_iter_mut().zip(tiles.par_iter_mut());
            each.with_max_len(1).for_each(|(source, tiles)| {
                source.advance(now, tiles.seen(), config.rest_after);
                tiles.draw(source, now, due, config);
            });
            let due = rungs.par_iter_mut().filter(|rung| due.contains(&rung.id()));
            due.for_each(|rung| rung.produce(tiles, now, timestamp));
        });

        let made = self.rungs.iter_mut().filter_map(Rung::take_frame);
        self.frames.extend(made);
        let asked = self.sources.iter().filter_map(Source::keyframe_request);
        self.keyframe_requests.clear();
        self.keyframe_requests.extend(asked);
        let thinned = self.sources.iter().filter_map(Source::thinned);
        self.thinned.clear();
        self.thinned.extend(thinned);
        VideoTick {
            frames: &self.frames,
            keyframe_requests: &self.keyframe_requests,
            thinned: &self.thinned,
            layout_changed: &self.layout_changed,
        }
    }

    /// The picture that `rung` encoded last.
    #[must_use]
    pub fn canvas(&self, rung: RungId) -> Option<&I420> {
        self.rung(rung).map(Rung::canvas)
    }

    /// Who is where on `rung`, as of the last tick.
    #[must_use]
    pub fn layout(&self, rung: RungId) -> Option<&Layout> {
        self.rung(rung).map(Rung::layout)
    }

    /// Whom rungs for [`Focus::Speaker`] show large as of the last input: who is to watch
    /// [`Focus::SpeakerBefore`] instead, so as not to see oneself. `None` without participants.
    #[must_use]
    pub fn in_focus(&self) -> Option<ParticipantId> {
        self.focus(Focus::Speaker)
    }

    /// What happened to what `participant` sent.
    #[must_use]
    pub fn counters(&self, participant: ParticipantId) -> Option<VideoCounters> {
        let index = self.seat_of(participant)?;
        Some(self.sources[index].counters)
    }

    /// What `rung` sent.
    #[must_use]
    pub fn rung_counters(&self, rung: RungId) -> Option<RungCounters> {
        self.rung(rung).map(Rung::counters)
    }

    /// Inputs that named an unknown participant, track or rung, or a participant that had joined.
    #[must_use]
    pub const fn ignored_inputs(&self) -> u64 {
        self.ignored_inputs
    }
}

impl VideoMixer {
    /// `None` if the input makes no sense.
    fn try_handle(&mut self, input: VideoInput) -> Option<()> {
        match input {
            VideoInput::Join { participant } => self.join(participant)?,
            VideoInput::Leave { participant } => {
                let index = self.seat_of(participant)?;
                self.sources.remove(index);
                self.tiles.remove(index);
                self.forget_speaker(participant);
                self.seating = Seating::Outdated;
            }
            VideoInput::AddTrack {
                participant,
                decoder,
                scaler,
            } => {
                let track = Track::new(decoder, scaler, &self.config);
                self.source(participant)?.set_track(Some(track));
            }
            VideoInput::RemoveTrack { participant } => {
                let source = self.source(participant)?;
                source.track()?;
                source.set_track(None);
            }
            VideoInput::Packet {
                participant,
                packet,
            } => {
                let (track, counters) = self.source(participant)?.track()?;
                track.push_packet(packet, counters);
            }
            VideoInput::Recorded { participant, frame } => {
                let (track, counters) = self.source(participant)?.track()?;
                track.push_recorded(frame, counters);
            }
            VideoInput::Presence {
                participant,
                presence,
            } => {
                self.source(participant)?.set_presence(presence);
            }
            VideoInput::Camera {
                participant,
                camera,
            } => {
                self.source(participant)?.set_camera(camera);
            }
            VideoInput::ActiveSpeaker(speaker) => {
                self.set_speaker(speaker);
            }
            VideoInput::Pin(pinned) => self.set_pinned(pinned),
            VideoInput::AddRung {
                rung,
                config,
                encoder,
            } => {
                self.remove_rung(rung);
                let interval = self.config.keyframe_interval;
                let rung = Rung::new(rung, config, encoder, interval, self.config.background);
                let index = self.rungs.partition_point(|other| other.id() < rung.id());
                self.rungs.insert(index, rung);
                self.seating = Seating::Outdated;
            }
            VideoInput::RemoveRung { rung } => self.remove_rung(rung)?,
            VideoInput::SetBitrate { rung, bitrate_kbps } => {
                self.rung_mut(rung)?.set_bitrate(bitrate_kbps);
            }
            VideoInput::PassOver { rung } => self.rung_mut(rung)?.pass_over(),
            VideoInput::RequestKeyframe { rung } => self.rung_mut(rung)?.request_keyframe(),
        }
        Some(())
    }

    fn join(&mut self, participant: ParticipantId) -> Option<()> {
        let by_id = |source: &Source| source.participant;
        let index = self
            .sources
            .binary_search_by_key(&participant, by_id)
            .err()?;
        self.sources.insert(index, Source::new(participant));
        self.tiles.insert(index, Tiles::new(participant));
        self.seating = Seating::Outdated;
        Some(())
    }

    fn remove_rung(&mut self, rung: RungId) -> Option<()> {
        let index = self.rungs.binary_search_by_key(&rung, Rung::id).ok()?;
        self.rungs.remove(index);
        for tiles in &mut self.tiles {
            tiles.seat(rung, None);
        }
        Some(())
    }

    /// `now` as media time, always later than the time before.
    fn stamp(&mut self, now: RoomTime) -> u64 {
        let scaled = now.since_start().as_nanos() * u128::from(VIDEO_CLOCK_HZ);
        let rounded = (scaled + 500_000_000) / 1_000_000_000;
        let exact = u64::try_from(rounded).unwrap_or(u64::MAX / 2);
        let timestamp = self
            .last_timestamp
            .map_or(exact, |last| exact.max(last + 1));
        self.last_timestamp = Some(timestamp);
        timestamp
    }

    fn recycle_frames(&mut self) {
        while let Some(frame) = self.frames.pop() {
            if let Some(rung) = self.rung_mut(frame.rung) {
                rung.recycle(frame.data);
            }
        }
    }

    fn seat_of(&self, participant: ParticipantId) -> Option<usize> {
        let by_id = |source: &Source| source.participant;
        self.sources.binary_search_by_key(&participant, by_id).ok()
    }

    fn source(&mut self, participant: ParticipantId) -> Option<&mut Source> {
        let index = self.seat_of(participant)?;
        Some(&mut self.sources[index])
    }

    fn rung(&self, rung: RungId) -> Option<&Rung> {
        let index = self.rungs.binary_search_by_key(&rung, Rung::id).ok()?;
        Some(&self.rungs[index])
    }

    fn rung_mut(&mut self, rung: RungId) -> Option<&mut Rung> {
        let index = self.rungs.binary_search_by_key(&rung, Rung::id).ok()?;
        Some(&mut self.rungs[index])
    }
}

#[cfg(test)]
mod tests;
