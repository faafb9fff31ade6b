//! Sends the codes in real time, and keeps when each was sent.

use std::future::Future;
use std::time::{Duration, Instant};

use bytes::Bytes;
use codecs::audio::{SAMPLE_RATE_HZ, TICK_SAMPLES};
use codecs::rtp::vp8::{Packetizer, PacketizerConfig};
use tokio::time::sleep_until;

use crate::client::Media;
use crate::clip::{FRAMES_PER_SECOND, TICKS_PER_SECOND};
use crate::codes::Codes;
use crate::plain::Outgoing;

/// As browsers cut their frames.
const MAX_PAYLOAD_BYTES: usize = 1_180;

const PICTURE_STEP: u32 = 90_000 / FRAMES_PER_SECOND;
const SOUND_STEP: u32 = 48_000 / TICKS_PER_SECOND;

/// How packets leave.
pub(crate) enum Wire {
    Webrtc(Media),
    /// To a mixer that takes RTP as it is; sound is not sent by everybody.
    Plain {
        audio: Option<Outgoing>,
        video: Option<Outgoing>,
    },
}

/// Whether a participant is heard as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Voice {
    Heard,
    Silent,
}

/// When what was sent.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// The number in a frame and when the last packet of it was sent, in order.
    pub(crate) frames: Vec<(u16, Instant)>,
    /// When bursts began, in order.
    pub(crate) bursts: Vec<Instant>,
}

/// Sends round and round from `start` on, until `stop` resolves.
pub(crate) async fn send(
    codes: &Codes,
    mut wire: Wire,
    voice: Voice,
    start: Instant,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<Sent> {
    let mut packetizer = Packetizer::new(PacketizerConfig {
        max_payload_bytes: MAX_PAYLOAD_BYTES,
        first_picture_id: rand::random(),
        first_tl0_pic_idx: rand::random(),
    })?;
    let mut payloads = Vec::new();
    let mut sent = Sent::default();
    let (mut pictures, mut sounds) = (0_u32, 0_u32);
    tokio::pin!(stop);
    loop {
        let picture = start + Duration::from_secs(1) * pictures / FRAMES_PER_SECOND;
        let sound = start + Duration::from_secs(1) * sounds / TICKS_PER_SECOND;
        tokio::select! {
            () = sleep_until(picture.min(sound).into()) => {}
            () = &mut stop => return Ok(sent),
        }
        if sound <= picture {
            let n = sounds as usize % codes.packets.len();
            if voice == Voice::Heard {
                wire.audio(sounds * SOUND_STEP, codes.packets[n].clone())
                    .await?;
                sent.bursts.extend(bursts_in(codes, n, Instant::now()));
            }
            sounds += 1;
        } else {
            let n = pictures as usize % codes.frames.len();
            packetizer.packetize(&codes.frames[n], &mut payloads);
            let last = payloads.len() - 1;
            for (piece, payload) in payloads.drain(..).enumerate() {
                wire.video(pictures * PICTURE_STEP, piece == last, payload)
                    .await?;
            }
            sent.frames.push((codes.numbers[n], Instant::now()));
            pictures += 1;
        }
    }
}

/// When the bursts in packet `n`, sent at `at`, begin.
fn bursts_in(codes: &Codes, n: usize, at: Instant) -> impl Iterator<Item = Instant> + '_ {
    let samples = n * TICK_SAMPLES..(n + 1) * TICK_SAMPLES;
    let within = codes
        .onsets
        .iter()
        .filter(move |onset| samples.contains(onset));
    within.map(move |onset| at + samples_long(onset % TICK_SAMPLES))
}

/// How long so many samples take.
pub(crate) fn samples_long(samples: usize) -> Duration {
    Duration::from_secs_f64(samples as f64 / f64::from(SAMPLE_RATE_HZ))
}

impl Wire {
    async fn audio(&mut self, timestamp: u32, payload: Bytes) -> anyhow::Result<()> {
        match self {
            Self::Webrtc(media) => media.audio.send(timestamp, false, payload).await,
            Self::Plain {
                audio: Some(audio), ..
            } => audio.send(timestamp, false, &payload).await,
            Self::Plain { .. } => Ok(()),
        }
    }

    async fn video(&mut self, timestamp: u32, last: bool, payload: Bytes) -> anyhow::Result<()> {
        match self {
            Self::Webrtc(media) => media.video.send(timestamp, last, payload).await,
            Self::Plain {
                video: Some(video), ..
            } => video.send(timestamp, last, &payload).await,
            Self::Plain { .. } => Ok(()),
        }
    }
}
