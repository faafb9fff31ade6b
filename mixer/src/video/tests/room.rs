//! A room to test in: participants who send fake frames, one rung.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use codecs::rtp::{RtpTimestamp, SeqNo};
use codecs::video::{FrameKind, I420, PictureSize};

use super::fakes::{DecodeLog, EncoderLog, FakeDecoder, FakeEncoder, Frame, NearestScaler, size};
use crate::video::{
    Layout, Marker, RecordedFrame, Region, RungConfig, RungId, VideoConfig, VideoCounters,
    VideoInput, VideoMixer, VideoPacket,
};
use crate::{ParticipantId, RoomTime};

pub(super) const RUNG: RungId = RungId(1);

/// Begins every RTP payload that begins a frame.
const DESCRIPTOR: u8 = 0x10;

pub(super) struct Room {
    pub(super) mixer: VideoMixer,
    pub(super) encoder: Arc<Mutex<EncoderLog>>,
    seqs: BTreeMap<ParticipantId, u16>,
}

/// A tick, copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) frames: Vec<(RungId, FrameKind, u64, Vec<u8>)>,
    pub(super) asked: Vec<ParticipantId>,
    pub(super) thinned: Vec<ParticipantId>,
    pub(super) layout_changed: Vec<RungId>,
}

pub(super) fn pool(threads: usize) -> Arc<rayon::ThreadPool> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    Arc::new(pool.build().unwrap())
}

pub(super) fn id(id: u32) -> ParticipantId {
    ParticipantId(id)
}

impl Room {
    /// With one rung of 640x360 that is due at every tick.
    pub(super) fn new(config: VideoConfig) -> Self {
        Self::with_threads(config, 1)
    }

    pub(super) fn with_threads(config: VideoConfig, threads: usize) -> Self {
        let mut room = Self {
            mixer: VideoMixer::new(config, pool(threads)),
            encoder: Arc::default(),
            seqs: BTreeMap::new(),
        };
        room.encoder = room.add_rung(RUNG, size(640, 360), 0);
        room
    }

    pub(super) fn add_rung(
        &mut self,
        rung: RungId,
        size: PictureSize,
        frame_interval: u32,
    ) -> Arc<Mutex<EncoderLog>> {
        let encoder = FakeEncoder::default();
        let log = Arc::clone(&encoder.log);
        let config = RungConfig {
            frame_interval,
            ..RungConfig::grid(size, 500)
        };
        let encoder = Box::new(encoder);
        self.mixer.handle(VideoInput::AddRung {
            rung,
            config,
            encoder,
        });
        log
    }

    pub(super) fn join(&mut self, participant: u32) {
        let participant = id(participant);
        self.mixer.handle(VideoInput::Join { participant });
    }

    pub(super) fn leave(&mut self, participant: u32) {
        let participant = id(participant);
        self.mixer.handle(VideoInput::Leave { participant });
    }

    /// Gives a participant a track, and tells which frames of it get decoded.
    pub(super) fn add_track(&mut self, participant: u32) -> DecodeLog {
        let decoder = FakeDecoder::default();
        let log = Arc::clone(&decoder.log);
        self.mixer.handle(VideoInput::AddTrack {
            participant: id(participant),
            decoder: Box::new(decoder),
            scaler: Box::new(NearestScaler),
        });
        log
    }

    /// Sends a frame in one packet.
    pub(super) fn send(&mut self, participant: u32, ms: u64, frame: Frame) {
        let packet = self.packet(participant, ms, frame);
        self.deliver(participant, packet);
    }

    /// Makes the next packet of a participant, to be delivered or lost.
    pub(super) fn packet(&mut self, participant: u32, ms: u64, frame: Frame) -> VideoPacket {
        let seq = self.seqs.entry(id(participant)).or_insert(65_530);
        *seq = seq.wrapping_add(1);
        let payload = [&[DESCRIPTOR][..], &frame.encode()].concat();
        VideoPacket {
            seq: SeqNo(*seq),
            timestamp: RtpTimestamp(u32::from(*seq) * 3_000),
            marker: Marker::Last,
            arrival: RoomTime::from_ms(ms),
            orientation: None,
            payload: Bytes::from(payload),
        }
    }

    pub(super) fn deliver(&mut self, participant: u32, packet: VideoPacket) {
        let participant = id(participant);
        self.mixer.handle(VideoInput::Packet {
            participant,
            packet,
        });
    }

    pub(super) fn record(&mut self, participant: u32, ms: u64, frame: Frame) {
        let frame = RecordedFrame {
            time: RoomTime::from_ms(ms),
            data: frame.encode(),
        };
        let participant = id(participant);
        self.mixer
            .handle(VideoInput::Recorded { participant, frame });
    }

    pub(super) fn tick(&mut self, ms: u64) -> Seen {
        let tick = self.mixer.tick(RoomTime::from_ms(ms));
        let frames = tick.frames.iter();
        Seen {
            frames: frames
                .map(|frame| (frame.rung, frame.kind, frame.timestamp, frame.data.clone()))
                .collect(),
            asked: tick.keyframe_requests.to_vec(),
            thinned: tick.thinned.to_vec(),
            layout_changed: tick.layout_changed.iter().map(|(rung, _)| *rung).collect(),
        }
    }

    pub(super) fn layout(&self) -> &Layout {
        self.mixer.layout(RUNG).unwrap()
    }

    pub(super) fn canvas(&self) -> &I420 {
        self.mixer.canvas(RUNG).unwrap()
    }

    pub(super) fn region(&self, participant: u32) -> Region {
        self.layout().region(id(participant)).unwrap()
    }

    /// The color a tile has where a picture shows it, and the number where it shows that.
    pub(super) fn shown(&self, participant: u32) -> ([u8; 3], u8) {
        let region = self.region(participant);
        let at = |across: usize, down: usize| {
            let x = region.left() + region.size().width() * across / 8;
            let y = region.top() + region.size().height() * down / 8;
            pixel(self.canvas(), x, y)
        };
        (at(3, 2), at(6, 6)[0])
    }

    /// What a tile looks like.
    pub(super) fn tile(&self, participant: u32) -> I420 {
        let region = self.region(participant);
        let mut tile = I420::black(region.size());
        let part = self
            .canvas()
            .view()
            .crop(region.left(), region.top(), region.size());
        tile.view_mut().copy_from(part.unwrap());
        tile
    }

    pub(super) fn counters(&self, participant: u32) -> VideoCounters {
        self.mixer.counters(id(participant)).unwrap()
    }
}

pub(super) fn pixel(picture: &I420, x: usize, y: usize) -> [u8; 3] {
    let view = picture.view();
    let chroma = y / 2 * view.chroma_stride() + x / 2;
    [
        view.y()[y * view.y_stride() + x],
        view.u()[chroma],
        view.v()[chroma],
    ]
}
