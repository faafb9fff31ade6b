//! Drives the room's `VideoMixer` in real time, once per frame interval.
//!
//! The one rung exists while somebody watches it. Keyframe requests of its viewers are read from
//! their links once per tick, so any number of them counts as one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use codecs::rtp::vp8::{Packetizer, PacketizerConfig};
use codecs::video::{Scaler, VideoDecoder};
use codecs::vp8::{Vp8Encoder, Vp8EncoderConfig};
use crossbeam_channel::{Receiver, TryRecvError};
use mixer::video::{
    Camera, Layout, Presence, RungConfig, RungId, VideoConfig, VideoInput, VideoMixer,
};
use mixer::{ParticipantId, RoomTime};
use tokio::sync::{mpsc, watch};
use tracing::{error, info, warn};

use super::lip_sync::LipSync;
use super::media::MediaConfig;
use super::schedule::Schedule;
use super::thinning::{Telling, Thinning};
use crate::link::{KeyframeWish, Link, VideoOut};
use crate::rtc::{Direction, RESEND_PATIENCE};

/// The rung that everybody watches.
const RUNG: RungId = RungId(0);

/// Room for RTP, SRTP, UDP and IPv6 headers below the smallest usual path MTU of 1,280 bytes.
const MAX_PAYLOAD_BYTES: usize = 1_180;

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
        sees: Direction,
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
    Speaker(Option<ParticipantId>),
}

/// Where the thread says what it finds out.
#[derive(Debug)]
pub(super) struct VideoNews {
    pub(super) layout: watch::Sender<Option<Layout>>,
    pub(super) thinned: mpsc::Sender<ParticipantId>,
}

/// Somebody connected, and whether they watch.
struct Member {
    link: Arc<Link>,
    sees: Direction,
    sync: LipSync,
    thinning: Thinning,
    /// Packets that found no room in the link, as of the last tick.
    dropped: u64,
}

/// The thread's state.
struct VideoThread {
    mixer: VideoMixer,
    config: MediaConfig,
    members: BTreeMap<ParticipantId, Member>,
    packetizer: Packetizer,
    payloads: Vec<Bytes>,
    rung: Encoding,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Running,
    Stopped,
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
    let packetizer = PacketizerConfig {
        max_payload_bytes: MAX_PAYLOAD_BYTES,
        first_picture_id: rand::random(),
        first_tl0_pic_idx: rand::random(),
    };
    let packetizer = match Packetizer::new(packetizer) {
        Ok(packetizer) => packetizer,
        Err(error) => {
            error!(%error, "no packetizer");
            return;
        }
    };
    let mixing = VideoConfig {
        fit: config.fit,
        reorder_window: RESEND_PATIENCE,
        ..VideoConfig::default()
    };
    let mut thread = VideoThread {
        mixer: VideoMixer::new(mixing, pool),
        config: config.clone(),
        members: BTreeMap::new(),
        packetizer,
        payloads: Vec::new(),
        rung: Encoding::Stopped,
    };
    let period = Duration::from_secs(1) / config.fps;
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
        thread.follow_viewers();
        thread.take_packets(point.time, period);
        thread.tick(point.time, tell);
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
                sees,
            } => {
                self.mixer.handle(VideoInput::AddTrack {
                    participant,
                    decoder,
                    scaler,
                });
                self.members.insert(
                    participant,
                    Member {
                        link,
                        sees,
                        sync: LipSync::default(),
                        thinning: Thinning::default(),
                        dropped: 0,
                    },
                );
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
            VideoControl::Speaker(speaker) => {
                self.mixer.handle(VideoInput::ActiveSpeaker(speaker));
            }
        }
    }

    fn end_track(&mut self, participant: ParticipantId) {
        let counters = self.mixer.counters(participant);
        if let (Some(_), Some(counters)) = (self.members.remove(&participant), counters) {
            info!(%participant, ?counters, "video ended");
        }
    }

    /// Starts the rung for its first viewer, stops it after its last, and passes requests on.
    fn follow_viewers(&mut self) {
        let mut viewers = 0;
        let mut wish = KeyframeWish::None;
        for member in self
            .members
            .values()
            .filter(|member| member.sees == Direction::Wanted)
        {
            viewers += 1;
            if member.link.take_keyframe_request() == KeyframeWish::Wanted {
                wish = KeyframeWish::Wanted;
            }
        }
        match (self.rung, viewers) {
            (Encoding::Stopped, 1..) => self.start_rung(),
            (Encoding::Running, 0) => {
                self.mixer.handle(VideoInput::RemoveRung { rung: RUNG });
                self.rung = Encoding::Stopped;
            }
            _ => {}
        }
        if wish == KeyframeWish::Wanted {
            self.mixer
                .handle(VideoInput::RequestKeyframe { rung: RUNG });
        }
    }

    fn start_rung(&mut self) {
        let MediaConfig {
            size,
            fps,
            video_kbps,
            ..
        } = self.config;
        let encoder = Vp8EncoderConfig {
            frame_rate_hz: fps,
            ..Vp8EncoderConfig::new(size, video_kbps)
        };
        match Vp8Encoder::new(encoder) {
            Ok(encoder) => {
                let config = RungConfig {
                    size,
                    frame_interval: 0,
                    bitrate_kbps: video_kbps,
                };
                let encoder = Box::new(encoder);
                self.mixer.handle(VideoInput::AddRung {
                    rung: RUNG,
                    config,
                    encoder,
                });
                self.rung = Encoding::Running;
            }
            Err(error) => error!(%error, "no video encoder"),
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

    fn tick(&mut self, now: RoomTime, tell: &VideoNews) {
        let tick = self.mixer.tick(now);
        for participant in tick.keyframe_requests {
            if let Some(member) = self.members.get(participant) {
                member.link.request_source_keyframe();
            }
        }
        for frame in tick.frames {
            self.packetizer.packetize(&frame.data, &mut self.payloads);
            let payloads: Arc<[Bytes]> = Arc::from(self.payloads.as_slice());
            let timestamp = wire_timestamp(frame.timestamp);
            for member in self
                .members
                .values()
                .filter(|m| m.sees == Direction::Wanted)
            {
                let payloads = Arc::clone(&payloads);
                member.link.send_video(VideoOut {
                    timestamp,
                    payloads,
                });
            }
        }
        for (_, layout) in tick.layout_changed {
            tell.layout.send_replace(Some(layout.clone()));
        }
        for (participant, member) in &mut self.members {
            let dropped = member.link.dropped_in();
            let displaced = std::mem::replace(&mut member.dropped, dropped) != dropped;
            if displaced || tick.thinned.contains(participant) {
                tell_thinned(*participant, &mut member.thinning, now, tell);
            }
        }
    }
}

fn tell_thinned(
    participant: ParticipantId,
    thinning: &mut Thinning,
    now: RoomTime,
    tell: &VideoNews,
) {
    let telling = thinning.note(now);
    if telling == Telling::Begun {
        warn!(%participant, "sends more than is taken, it is thinned");
    }
    if telling != Telling::Nothing {
        // One who is not told now is told with the next notice.
        let _ = tell.thinned.try_send(participant);
    }
}

/// The low 32 bits, as they are on the wire.
fn wire_timestamp(timestamp: u64) -> u32 {
    u32::try_from(timestamp & u64::from(u32::MAX)).unwrap_or_default()
}
