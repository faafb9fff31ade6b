//! Drives the room's `VideoMixer` in real time, once per interval of the fastest rung.
//!
//! Ten times a second it is decided anew what each viewer gets. Rungs exist while somebody needs
//! them. Keyframe requests of viewers are read from their links once per tick, so any number of
//! them counts as one.

mod control;
mod member;
mod sights;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use codecs::video::VIDEO_CLOCK_HZ;
use crossbeam_channel::{Receiver, TryRecvError};
use mixer::video::{Focus, RungId, VideoConfig, VideoInput, VideoMixer};
use mixer::{ParticipantId, RoomTime};
use tokio::sync::{mpsc, watch};
use tracing::info;

pub(super) use control::VideoControl;
use member::{Allocated, Member};
use sights::SightsKnown;

use super::encodings::{Encodings, View};
use super::media::MediaConfig;
use super::schedule::Schedule;
use super::sight::Sights;
use super::viewer::Turn;
use crate::link::{KeyframeWish, VideoOut};
use crate::rtc::RESEND_PATIENCE;

/// A viewer for whom so many frames wait is behind.
const BEHIND: usize = 2;

/// How often it is decided what viewers get.
const ALLOCATE_EVERY: Duration = Duration::from_millis(100);

/// Packets of one participant looked at in one tick: 2.5 Mb/s many times over.
const PACKETS_PER_TICK: usize = 256;

/// Where the thread says what it finds out.
#[derive(Debug)]
pub(super) struct VideoNews {
    pub(super) sights: watch::Sender<Sights>,
    pub(super) thinned: mpsc::Sender<ParticipantId>,
}

/// The thread's state.
struct VideoThread {
    mixer: VideoMixer,
    config: MediaConfig,
    members: BTreeMap<ParticipantId, Member>,
    encodings: Encodings,
    /// What viewers need at this tick.
    needs: Vec<(View, Option<u32>)>,
    allocated_at: Option<RoomTime>,
    sights: SightsKnown,
}

/// Runs until the room drops its end of `controls`.
pub(super) fn run(
    room_start: Instant,
    config: &MediaConfig,
    pool: Arc<rayon::ThreadPool>,
    controls: &Receiver<VideoControl>,
    tell: &VideoNews,
) {
    info!("video thread started");
    let mixing = VideoConfig {
        fit: config.fit,
        reorder_window: RESEND_PATIENCE,
        ..VideoConfig::default()
    };
    let mut thread = VideoThread {
        mixer: VideoMixer::new(mixing, pool),
        config: config.clone(),
        members: BTreeMap::new(),
        encodings: Encodings::new(Arc::clone(&config.ladder)),
        needs: Vec::new(),
        allocated_at: None,
        sights: SightsKnown::Outdated,
    };
    let interval = config.ladder.shortest_interval();
    let period = Duration::from_secs(1) * interval / VIDEO_CLOCK_HZ;
    let mut schedule = Schedule::new(room_start, period, Instant::now());
    loop {
        let point = schedule.next(Instant::now());
        thread::sleep(point.wait);
        schedule.begin(Instant::now());
        loop {
            match controls.try_recv() {
                Ok(control) => thread.obey(control),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    let lateness = schedule.lateness();
                    let skipped_ticks = schedule.skipped();
                    info!(%lateness, skipped_ticks, "video thread ended");
                    return;
                }
            }
        }
        thread.follow_viewers(point.time);
        thread.take_packets(point.time, period);
        thread.tick(point.time, &tell.thinned);
        thread.follow_uplinks(point.time);
        thread.tell(&tell.sights);
    }
}

impl VideoThread {
    /// Decides what viewers get, has that encoded, and passes requests on.
    fn follow_viewers(&mut self, now: RoomTime) {
        let rested = |at: RoomTime| now.since(at) >= ALLOCATE_EVERY;
        let allocates = self.allocated_at.is_none_or(rested);
        if allocates {
            self.allocated_at = Some(now);
        }
        let ladder = &self.config.ladder;
        let in_focus = self.mixer.in_focus();
        self.needs.clear();
        for (participant, member) in &mut self.members {
            if allocates && member.allocate(now, ladder) == Allocated::Otherwise {
                self.sights = SightsKnown::Outdated;
            }
            let Member { link, viewer, .. } = member;
            let focus = match viewer.pin() {
                Some(pinned) => Focus::On(pinned),
                None if in_focus == Some(*participant) => Focus::SpeakerBefore,
                None => Focus::Speaker,
            };
            let turn = viewer.turn(now, ladder, focus);
            self.needs.extend(viewer.needs());
            if link.take_keyframe_request() == KeyframeWish::Wanted
                && let Some(view) = viewer.watches()
            {
                let rung = view.id();
                self.mixer.handle(VideoInput::RequestKeyframe { rung });
            }
            if let Turn::Begun(rung) = turn
                && self.encodings.rungs().any(|running| running == rung)
            {
                self.mixer.handle(VideoInput::RequestKeyframe { rung });
            }
        }
        self.encodings.follow(now, &self.needs, &mut self.mixer);
        self.wait_for_viewers();
    }

    /// Passes frames over where nobody has been sent those before: what is made faster than any
    /// viewer's path takes it comes later and later. Who is alone behind does not hold the others up.
    fn wait_for_viewers(&mut self) {
        for rung in self.encodings.rungs() {
            let watches = |member: &&Member| {
                let watched = member.viewer.watches();
                watched.is_some_and(|view| view.id() == rung)
            };
            let viewers = self.members.values().filter(watches);
            let least = viewers.map(|member| member.link.video_out_waiting()).min();
            if least.is_some_and(|waiting| waiting >= BEHIND) {
                self.mixer.handle(VideoInput::PassOver { rung });
            }
        }
    }

    /// Hands the mixer what has come and is as old as the audio captured with it.
    fn take_packets(&mut self, now: RoomTime, period: Duration) {
        for (participant, Member { link, sync, .. }) in &mut self.members {
            if let Some(skew_us) = link.path.skew_us() {
                // A frame waits for its tick: half a period, usually.
                sync.follow(skew_us, link.path.audio_delay(), period / 2);
            }
            for packet in std::iter::from_fn(|| link.video_in.pop()).take(PACKETS_PER_TICK) {
                sync.push(packet);
            }
            while let Some(packet) = sync.take(now) {
                self.mixer.handle(VideoInput::Packet {
                    participant: *participant,
                    packet,
                });
            }
        }
    }

    fn tick(&mut self, now: RoomTime, tell_thinned: &mpsc::Sender<ParticipantId>) {
        let tick = self.mixer.tick(now);
        for participant in tick.keyframe_requests {
            if let Some(member) = self.members.get(participant) {
                member.link.request_source_keyframe();
            }
        }
        if !tick.layout_changed.is_empty() {
            self.sights = SightsKnown::Outdated;
        }
        let mut packetized: Vec<(RungId, Arc<[Bytes]>)> = Vec::with_capacity(tick.frames.len());
        for frame in tick.frames {
            packetized.push((frame.rung, self.encodings.packetize(frame)));
        }
        for Member { link, viewer, .. } in self.members.values_mut() {
            let before = viewer.watches();
            let taken = viewer.take(tick.frames);
            if viewer.watches() != before {
                self.sights = SightsKnown::Outdated;
            }
            let Some((frame, number)) = taken else {
                continue;
            };
            let of_rung = packetized.iter().find(|(rung, _)| *rung == frame.rung);
            if let Some((_, payloads)) = of_rung {
                link.send_video(VideoOut {
                    timestamp: wire_timestamp(frame.timestamp),
                    payloads: Arc::clone(payloads),
                    number,
                });
            }
        }
        for (participant, member) in &mut self.members {
            if member.has_displaced() || tick.thinned.contains(participant) {
                member.note_thinned(*participant, now, tell_thinned);
            }
        }
    }
}

/// The low 32 bits, as they are on the wire.
fn wire_timestamp(timestamp: u64) -> u32 {
    u32::try_from(timestamp & u64::from(u32::MAX)).unwrap_or_default()
}
