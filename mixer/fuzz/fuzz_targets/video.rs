//! A live track of video takes any packets at any time, and every tick of it ends.
//!
//! The input is a list of operations, of up to twelve bytes each: packets that follow the one
//! before or do not, whose payload is a frame, a part of one or nothing that makes sense, turned or
//! not; ticks that are late or not; absence; new decoders. Checked after each tick: no more is decoded than
//! a tick allows, no packet is unaccounted for, and there is a canvas of the size of the rung.
#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use codecs::rtp::{RtpTimestamp, SeqNo};
use codecs::video::{
    Decoded, FrameKind, I420, PictureSize, PictureView, PictureViewMut, Scaler, VideoDecodeError,
    VideoDecoder, VideoEncodeError, VideoEncoder,
};
use libfuzzer_sys::fuzz_target;
use mixer::video::{
    Marker, Mirroring, Orientation, Presence, Rotation, RungConfig, RungId, VideoConfig,
    VideoInput, VideoMixer, VideoPacket,
};
use mixer::{ParticipantId, RoomTime};

const SENDER: ParticipantId = ParticipantId(0);
const RUNG: RungId = RungId(0);

/// The most frames of one live track that a tick decodes.
const MOST_FRAMES: u64 = 12;

/// The second and third byte of a frame are its sides; a side of 0 is corrupt.
#[derive(Debug)]
struct Decoder;

impl VideoDecoder for Decoder {
    fn decode(&mut self, frame: &[u8], picture: &mut I420) -> Result<Decoded, VideoDecodeError> {
        let side = |index: usize| u32::from(frame.get(index).copied().unwrap_or(0));
        let size = PictureSize::new(side(1) % 64, side(2) % 64)
            .map_err(|_| VideoDecodeError::Corrupt("no size".into()))?;
        picture.resize(size);
        picture.fill([100, 120, 140]);
        Ok(Decoded::Picture)
    }
}

#[derive(Debug)]
struct FirstSample;

impl Scaler for FirstSample {
    fn scale(&mut self, from: PictureView<'_>, mut to: PictureViewMut<'_>) {
        to.fill([from.y()[0], from.u()[0], from.v()[0]]);
    }
}

#[derive(Debug)]
struct Encoder;

impl VideoEncoder for Encoder {
    fn encode(
        &mut self,
        picture: &I420,
        _: u64,
        wanted: FrameKind,
        frame: &mut Vec<u8>,
    ) -> Result<FrameKind, VideoEncodeError> {
        assert_eq!(picture.size(), canvas());
        frame.clear();
        Ok(wanted)
    }

    fn set_bitrate(&mut self, _: u32) -> Result<(), VideoEncodeError> {
        Ok(())
    }
}

/// One for all runs: starting threads takes longer than a run.
fn pool() -> Arc<rayon::ThreadPool> {
    static POOL: LazyLock<Arc<rayon::ThreadPool>> = LazyLock::new(|| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        Arc::new(pool.expect("a thread"))
    });
    Arc::clone(&POOL)
}

fn canvas() -> PictureSize {
    PictureSize::new(64, 36).expect("two sides of pixels")
}

fuzz_target!(|operations: &[u8]| {
    let mut mixer = VideoMixer::new(VideoConfig::default(), pool());
    mixer.handle(VideoInput::Join {
        participant: SENDER,
    });
    add_track(&mut mixer);
    mixer.handle(VideoInput::AddRung {
        rung: RUNG,
        config: RungConfig::grid(canvas(), 100),
        encoder: Box::new(Encoder),
    });
    let (mut seq, mut timestamp, mut now) = (0u16, 0u32, Duration::ZERO);
    let (mut sent, mut decoded) = (0, 0);

    for operation in operations.chunks(12) {
        let at = |index: usize| operation.get(index).copied().unwrap_or(0);
        match at(0) % 8 {
            0..=2 => {
                seq = seq.wrapping_add(u16::from(at(1) % 4));
                timestamp = timestamp.wrapping_add(u32::from(at(2) % 2) * 3_000);
            }
            3 => {
                seq = u16::from_be_bytes([at(1), at(2)]);
                timestamp = u32::from_be_bytes([at(3), at(4), at(5), at(6)]);
            }
            4..=5 => {
                now += Duration::from_millis(u64::from(at(1) % 8) * 33);
                let tick = mixer.tick(RoomTime::new(now));
                assert_eq!(tick.frames.len(), 1);
                let counters = mixer.counters(SENDER).expect("is in the room");
                let frames = counters.frames.decoded + counters.frames.corrupt;
                assert!(frames - decoded <= MOST_FRAMES);
                decoded = frames;
                let packets = counters.packets;
                let judged = packets.late + packets.duplicate + packets.malformed + packets.dropped;
                assert!(packets.received == sent && judged <= sent);
                continue;
            }
            6 => {
                let presence = if at(1) % 2 == 0 {
                    Presence::Absent
                } else {
                    Presence::Present
                };
                mixer.handle(VideoInput::Presence {
                    participant: SENDER,
                    presence,
                });
                continue;
            }
            _ => {
                add_track(&mut mixer);
                continue;
            }
        }
        sent += 1;
        let rotation = [
            Rotation::None,
            Rotation::Quarter,
            Rotation::Half,
            Rotation::ThreeQuarters,
        ][usize::from(at(7) % 4)];
        let orientation = Orientation {
            rotation,
            mirroring: if at(7) & 4 == 0 {
                Mirroring::None
            } else {
                Mirroring::LeftRight
            },
        };
        mixer.handle(VideoInput::Packet {
            participant: SENDER,
            packet: VideoPacket {
                seq: SeqNo(seq),
                timestamp: RtpTimestamp(timestamp),
                marker: if at(7) & 8 == 0 {
                    Marker::Last
                } else {
                    Marker::NotLast
                },
                arrival: RoomTime::new(now),
                orientation: (at(7) & 16 != 0).then_some(orientation),
                payload: match at(7) >> 5 {
                    0 => Bytes::new(),
                    1 => Bytes::copy_from_slice(&[at(8), at(9), at(10), at(11)]),
                    2 => Bytes::copy_from_slice(&[0x00, at(9), at(10)]),
                    _ => Bytes::copy_from_slice(&[0x10, at(9), at(10), at(11)]),
                },
            },
        });
    }
});

fn add_track(mixer: &mut VideoMixer) {
    mixer.handle(VideoInput::AddTrack {
        participant: SENDER,
        decoder: Box::new(Decoder),
        scaler: Box::new(FirstSample),
    });
}
