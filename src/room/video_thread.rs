//! Drives the room's `VideoMixer` in real time, once per interval of the fastest rung.
//!
//! Ten times a second it is decided anew what each viewer gets. Rungs exist while somebody needs
//! them. Keyframe requests of viewers are read from their links once per tick, so any number of
//! them counts as one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use codecs::rtp::vp8::PictureNumber;
use codecs::video::{I420, PictureSize, Scaler, VIDEO_CLOCK_HZ, VideoDecoder};
use crossbeam_channel::{Receiver, TryRecvError};
use mixer::ladder::{Allocation, Downlink, Wish};
use mixer::video::{Camera, Focus, Presence, RungId, VideoConfig, VideoInput, VideoMixer};
use mixer::{ParticipantId, RoomTime};
use tokio::sync::{mpsc, oneshot, watch};
use tracing::{debug, info, warn};

use super::encodings::{Encodings, View};
use super::lip_sync::LipSync;
use super::media::MediaConfig;
use super::schedule::Schedule;
use super::sight::{Sight, Sights};
use super::thinning::{Telling, Thinning};
use super::uplink::{self, Sighting, Uplink, Worth};
use super::viewer::{Turn, Viewer};
use crate::link::{KeyframeWish, Link, VideoOut};
use crate::rtc::RESEND_PATIENCE;

/// A viewer for whom so many frames wait is behind.
const BEHIND: usize = 2;

/// How often it is decided what viewers get.
const ALLOCATE_EVERY: Duration = Duration::from_millis(100);

/// Packets of one participant looked at in one tick: 2.5 Mb/s many times over.
const PACKETS_PER_TICK: usize = 256;

/// What the room asks of the thread.
#[derive(Debug)]
pub(super) enum VideoControl {
    Join {
        participant: ParticipantId,
    },
    Leave {
        participant: ParticipantId,
    },
    Attach {
        participant: ParticipantId,
        link: Arc<Link>,
        decoder: Box<dyn VideoDecoder>,
        scaler: Box<dyn Scaler>,
        wish: Wish,
    },
    Detach {
        participant: ParticipantId,
    },
    Presence {
        participant: ParticipantId,
        presence: Presence,
    },
    Camera {
        participant: ParticipantId,
        camera: Camera,
    },
    Wish {
        participant: ParticipantId,
        wish: Wish,
    },
    Speaker(Option<ParticipantId>),
    /// Somebody is pinned for the room, or nobody.
    Pin(Option<ParticipantId>),
    /// A copy of the largest picture is wanted. Nothing is sent if there is none.
    Snapshot(oneshot::Sender<I420>),
}

/// Where the thread says what it finds out.
#[derive(Debug)]
pub(super) struct VideoNews {
    pub(super) sights: watch::Sender<Sights>,
    pub(super) thinned: mpsc::Sender<ParticipantId>,
}

/// Somebody connected.
struct Member {
    link: Arc<Link>,
    viewer: Viewer,
    sync: LipSync,
    thinning: Thinning,
    uplink: Uplink,
    /// What the uplink is worth; `None` while that is not known.
    worth: Option<Worth>,
    /// Packets that found no room in the link, as of the last tick.
    dropped: u64,
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

/// Whether what the room was told of viewers' pictures is still true.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SightsKnown {
    Yes,
    Outdated,
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
    fn obey(&mut self, control: VideoControl) {
        match control {
            VideoControl::Join { participant } => {
                self.mixer.handle(VideoInput::Join { participant });
            }
            VideoControl::Leave { participant } => {
                self.end_track(participant);
                self.mixer.handle(VideoInput::Leave { participant });
            }
            VideoControl::Attach {
                participant,
                link,
                decoder,
                scaler,
                wish,
            } => {
                self.mixer.handle(VideoInput::AddTrack {
                    participant,
                    decoder,
                    scaler,
                });
                let number = PictureNumber::new(rand::random(), rand::random());
                let mut viewer = Viewer::new(self.config.audio_kbps, wish, number);
                viewer.cap_packets(link.max_packet_ms());
                let member = Member {
                    link,
                    viewer,
                    sync: LipSync::default(),
                    thinning: Thinning::default(),
                    uplink: Uplink::default(),
                    worth: None,
                    dropped: 0,
                };
                self.members.insert(participant, member);
                self.allocated_at = None;
            }
            VideoControl::Detach { participant } => {
                self.end_track(participant);
                self.mixer.handle(VideoInput::RemoveTrack { participant });
            }
            VideoControl::Presence {
                participant,
                presence,
            } => {
                self.mixer.handle(VideoInput::Presence {
                    participant,
                    presence,
                });
            }
            VideoControl::Camera {
                participant,
                camera,
            } => {
                self.mixer.handle(VideoInput::Camera {
                    participant,
                    camera,
                });
            }
            VideoControl::Wish { participant, wish } => {
                if let Some(member) = self.members.get_mut(&participant) {
                    member.viewer.set_wish(wish);
                    self.allocated_at = None;
                }
            }
            VideoControl::Speaker(speaker) => {
                self.mixer.handle(VideoInput::ActiveSpeaker(speaker));
            }
            VideoControl::Pin(pinned) => self.mixer.handle(VideoInput::Pin(pinned)),
            VideoControl::Snapshot(wanted) => {
                if let Some(canvas) = self.largest_canvas() {
                    let _ = wanted.send(canvas.clone());
                }
            }
        }
    }

    /// The largest picture that is encoded, as it was encoded last.
    fn largest_canvas(&self) -> Option<&I420> {
        let rungs = self.encodings.rungs();
        let canvases = rungs.filter_map(|rung| self.mixer.canvas(rung));
        canvases.max_by_key(|canvas| canvas.size().pixels())
    }

    fn end_track(&mut self, participant: ParticipantId) {
        if self.members.remove(&participant).is_none() {
            return;
        }
        self.sights = SightsKnown::Outdated;
        // Who only watches has none.
        if let Some(counters) = self.mixer.counters(participant) {
            info!(%participant, ?counters, "video ended");
        }
    }

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
        for (participant, Member { link, viewer, .. }) in &mut self.members {
            if allocates {
                let before = viewer.allocation();
                let allocation = viewer.allocate(now, ladder, downlink(link));
                link.path.set_audio_rung(allocation.audio);
                let useful_kbps = viewer.useful_kbps(ladder);
                link.path
                    .set_useful_downlink_bps(u64::from(useful_kbps) * 1_000);
                let next_bps = allocation.next_kbps.map(|kbps| u64::from(kbps) * 1_000);
                link.path.set_next_downlink_bps(next_bps);
                if before.as_ref().map(told) != Some(told(&allocation)) {
                    self.sights = SightsKnown::Outdated;
                }
            }
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
            let dropped = member.link.dropped_in();
            let displaced = std::mem::replace(&mut member.dropped, dropped) != dropped;
            if displaced || tick.thinned.contains(participant) {
                say_thinned(*participant, &mut member.thinning, now, tell_thinned);
            }
        }
    }

    /// Finds out what uplinks are worth: as often as it is decided what viewers get, and whenever
    /// pictures have changed, so that nobody waits for whoever begins to speak.
    fn follow_uplinks(&mut self, now: RoomTime) {
        if self.allocated_at != Some(now) && self.sights == SightsKnown::Yes {
            return;
        }
        let heard: Vec<(ParticipantId, u32)> = self
            .members
            .iter()
            .filter_map(|(id, member)| {
                Some((*id, member.viewer.allocation()?.audio.bitrate_kbps()))
            })
            .collect();
        let (encodings, mixer) = (&self.encodings, &self.mixer);
        for (participant, member) in &mut self.members {
            let others = heard.iter().filter(|(id, _)| id != participant);
            let heard_kbps = others.map(|(_, kbps)| *kbps).max().unwrap_or_default();
            let seen = sighting(encodings, mixer, *participant);
            let allocation = member.viewer.allocation();
            let packet_time = uplink::packet_time(allocation.map(|it| it.audio));
            let Some(worth) = member.uplink.follow(now, seen, heard_kbps, packet_time) else {
                continue;
            };
            if member.worth.replace(worth) != Some(worth) {
                debug!(%participant, ?worth, "uplink");
                member
                    .link
                    .path
                    .set_uplink_worth_bps(worth.bits_per_second());
                self.sights = SightsKnown::Outdated;
            }
        }
    }

    /// Tells the room what is new of viewers' pictures.
    fn tell(&mut self, tell_sights: &watch::Sender<Sights>) {
        if self.sights == SightsKnown::Yes {
            return;
        }
        self.sights = SightsKnown::Yes;
        let members = self.members.iter();
        let sights: Sights = members
            .filter_map(|(participant, Member { viewer, worth, .. })| {
                let view = viewer.watches();
                let layout = view.and_then(|view| self.mixer.layout(view.id()));
                let sight = Sight {
                    layout: layout.cloned(),
                    seen_as: self.seen_as(*participant),
                    allocation: viewer.allocation()?,
                    worth: *worth,
                };
                Some((*participant, sight))
            })
            .collect();
        tell_sights.send_if_modified(|told| {
            let changed = *told != sights;
            *told = sights;
            changed
        });
    }

    /// The largest that anybody sees a participant.
    fn seen_as(&self, participant: ParticipantId) -> Option<PictureSize> {
        let layouts = self
            .encodings
            .rungs()
            .filter_map(|rung| self.mixer.layout(rung));
        let regions = layouts.filter_map(|layout| layout.region(participant));
        let sizes = regions.map(mixer::video::Region::size);
        sizes.max_by_key(|size| size.pixels())
    }
}

/// How a participant is seen on the rungs that are encoded.
fn sighting(
    encodings: &Encodings,
    mixer: &VideoMixer,
    participant: ParticipantId,
) -> Option<Sighting> {
    let on = |(rung, interval)| {
        let region = mixer.layout(rung)?.region(participant)?;
        Some(Sighting::new(region.size(), interval))
    };
    encodings.intervals().filter_map(on).reduce(Sighting::and)
}

fn say_thinned(
    participant: ParticipantId,
    thinning: &mut Thinning,
    now: RoomTime,
    tell: &mpsc::Sender<ParticipantId>,
) {
    let telling = thinning.note(now);
    if telling == Telling::Begun {
        warn!(%participant, "sends more than is taken, it is thinned");
    }
    if telling != Telling::Nothing {
        // One who is not told now is told with the next notice.
        let _ = tell.try_send(participant);
    }
}

/// What of an allocation a participant is told: not the bitrate, which follows every estimate.
fn told(allocation: &Allocation) -> impl PartialEq {
    let Allocation {
        audio,
        video,
        why,
        next_kbps,
    } = *allocation;
    (audio, video.index(), why, next_kbps)
}

/// What is known of the way to a participant.
fn downlink(link: &Link) -> Downlink {
    Downlink {
        bps: link.path.downlink_bps(),
        loss_percent: u32::from(link.path.fraction_lost()) * 100 / 256,
    }
}

/// The low 32 bits, as they are on the wire.
fn wire_timestamp(timestamp: u64) -> u32 {
    u32::try_from(timestamp & u64::from(u32::MAX)).unwrap_or_default()
}
