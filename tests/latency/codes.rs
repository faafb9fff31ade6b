//! What is sent: pictures with numbers, and sound that begins anew twice a second.

use anyhow::{Context, ensure};
use bytes::Bytes;
use codecs::audio::{AudioDecoder, AudioEncoder, Channels, SAMPLE_RATE_HZ, TICK_SAMPLES};
use codecs::opus::{OpusDecoder, OpusEncoder, OpusEncoderConfig};
use codecs::video::{I420, PictureSize, PictureView, VideoDecoder};
use codecs::vp8::{Vp8Decoder, Vp8DecoderLimits};
use marks::{Area, read_counter};

use crate::clip::usual_clips;

/// Sound packets until the codes repeat: a second.
const PACKETS: usize = 50;

/// Packets from one burst to the next, and how many it fills.
const BURST_EVERY: usize = 25;
const BURST_PACKETS: usize = 4;

const BURST_HZ: f64 = 1_000.0;
const AMPLITUDE: f64 = 8_000.0;

/// A burst begins where the sound gets this loud after having been quiet for so long.
const LOUD: u16 = 2_000;
const QUIET_SAMPLES: usize = SAMPLE_RATE_HZ as usize / 10;

/// Encoded codes, to be sent round and round.
#[derive(Debug)]
pub(crate) struct Codes {
    /// One every 1/30 s, the first a keyframe.
    pub(crate) frames: Vec<Bytes>,
    /// The number that each frame shows.
    pub(crate) numbers: Vec<u16>,
    /// One every 20 ms.
    pub(crate) packets: Vec<Bytes>,
    /// Where bursts begin, in samples from the first packet's first.
    pub(crate) onsets: Vec<usize>,
}

impl Codes {
    /// Makes the sound, and takes the pictures of a fixture.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let clip = usual_clips(1)?.pop().context("no clip")?;
        let packets = bursts()?;
        // Decoded twice, since the decoder must have been somewhere before.
        let mut ear = Ear::new()?;
        let onsets: Vec<usize> = packets
            .iter()
            .chain(&packets)
            .map(|packet| ear.hear(packet))
            .collect::<anyhow::Result<Vec<_>>>()?
            .into_iter()
            .enumerate()
            .skip(PACKETS)
            .filter_map(|(n, onset)| Some((n - PACKETS) * TICK_SAMPLES + onset?))
            .collect();
        ensure!(
            onsets.len() == PACKETS / BURST_EVERY,
            "bursts begin at {onsets:?}"
        );
        Ok(Self {
            numbers: numbers(&clip.frames)?,
            frames: clip.frames,
            packets,
            onsets,
        })
    }
}

/// Silence with a burst of a tone every half second.
fn bursts() -> anyhow::Result<Vec<Bytes>> {
    let mut encoder = OpusEncoder::new(OpusEncoderConfig::new(Channels::Mono, 32))?;
    let mut packet = Vec::new();
    (0..PACKETS)
        .map(|n| {
            let within = n % BURST_EVERY;
            let pcm: Vec<i16> = (0..TICK_SAMPLES)
                .map(|sample| match within < BURST_PACKETS {
                    true => tone(within * TICK_SAMPLES + sample),
                    false => 0,
                })
                .collect();
            encoder.encode(&pcm, &mut packet)?;
            Ok(Bytes::copy_from_slice(&packet))
        })
        .collect()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the amplitude is within 16 bits"
)]
fn tone(sample: usize) -> i16 {
    let time = sample as f64 / f64::from(SAMPLE_RATE_HZ);
    (AMPLITUDE * (std::f64::consts::TAU * BURST_HZ * time).cos()) as i16
}

fn numbers(frames: &[Bytes]) -> anyhow::Result<Vec<u16>> {
    let mut eye = Eye::new()?;
    frames
        .iter()
        .map(|frame| {
            let read =
                |picture: PictureView<'_>| read_counter(picture, Area::whole(picture.size()));
            eye.see(frame, read)?.context("a frame without a number")
        })
        .collect()
}

/// Decodes sound and says where bursts begin.
#[derive(Debug)]
pub(crate) struct Ear {
    decoder: OpusDecoder,
    pcm: Vec<i16>,
    quiet: usize,
}

impl Ear {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self {
            decoder: OpusDecoder::new(Channels::Mono)?,
            pcm: Vec::new(),
            quiet: 0,
        })
    }

    /// The sample of this packet at which a burst begins, if one does.
    pub(crate) fn hear(&mut self, packet: &[u8]) -> anyhow::Result<Option<usize>> {
        self.pcm.clear();
        self.decoder.decode(packet, &mut self.pcm)?;
        let mut onset = None;
        for (n, sample) in self.pcm.iter().enumerate() {
            if sample.unsigned_abs() < LOUD {
                self.quiet += 1;
                continue;
            }
            if self.quiet >= QUIET_SAMPLES {
                onset = Some(n);
            }
            self.quiet = 0;
        }
        Ok(onset)
    }
}

/// Decodes pictures.
#[derive(Debug)]
pub(crate) struct Eye {
    decoder: Vp8Decoder,
    picture: I420,
}

impl Eye {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self {
            decoder: Vp8Decoder::new(Vp8DecoderLimits::default())?,
            picture: I420::black(PictureSize::new(2, 2)?),
        })
    }

    /// What `read` reads off the next frame.
    pub(crate) fn see<T>(
        &mut self,
        frame: &[u8],
        read: impl Fn(PictureView<'_>) -> T,
    ) -> anyhow::Result<T> {
        self.decoder.decode(frame, &mut self.picture)?;
        Ok(read(self.picture.view()))
    }
}
