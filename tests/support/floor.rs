//! The codec floor: what the codecs alone cost, in a bare loop on one thread.
//!
//! Decode every source, scale it to its tile, encode the one picture; decode each sound, encode
//! what is to be heard. The same libraries with the same settings as the mixer's, and nothing
//! else: no jitter buffer, no files, no network, no threads, no marks on the tiles.

use anyhow::Context;
use codecs::audio::{AudioDecoder, AudioEncoder, Channels, TICK_SAMPLES};
use codecs::opus::{OpusDecoder, OpusEncoder, OpusEncoderConfig};
use codecs::video::{
    FrameKind, I420, PictureSize, Scaler, VIDEO_CLOCK_HZ, VideoDecoder, VideoEncoder,
};
use codecs::vp8::{KeyframePolicy, Vp8Decoder, Vp8DecoderLimits, Vp8Encoder, Vp8EncoderConfig};
use codecs::yuv::YuvScaler;
use mixer::ParticipantId;
use mixer::video::{GridStyle, Layout, Region};

use super::clip::{Clip, FRAMES_PER_SECOND, TICKS_PER_SECOND};

/// What the codecs are to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) size: PictureSize,
    pub(crate) video_kbps: u32,
    pub(crate) audio_kbps: u32,
    pub(crate) keyframes: KeyframePolicy,
    pub(crate) listeners: Listeners,
}

/// Whose sound is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listeners {
    /// One, who hears everybody.
    One,
    /// Everybody: who was loud in the last half second hears all but themselves, in an encode of
    /// their own; all the others share one.
    Everybody,
}

/// One source's picture.
struct Eye {
    decoder: Vp8Decoder,
    picture: I420,
    scaler: YuvScaler,
    region: Region,
}

/// One source's sound.
struct Ear {
    decoder: OpusDecoder,
    pcm: Vec<i16>,
    others: Vec<i16>,
    quiet_ticks: u32,
    encoder: Option<OpusEncoder>,
}

/// Whether a listener has an encode of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoded {
    Done,
    Not,
}

/// Whether anybody hears the full mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shared {
    Used,
    Unused,
}

/// The mean square of sound at −60 dBov, below which it counts as silence, and after how many
/// ticks of it: as the mixer has it.
const QUIET_POWER: i64 = 33 * 33;
const HOLD_TICKS: u32 = 25;

/// Works through `seconds` of all `clips`, which are looped if they are shorter.
pub(crate) fn work(clips: &[Clip], settings: Settings, seconds: u32) -> anyhow::Result<()> {
    let mut eyes = eyes(clips.len(), settings.size)?;
    let mut ears = ears(clips.len(), settings)?;
    let mut canvas = I420::black(settings.size);
    let mut encoder = Vp8Encoder::new(Vp8EncoderConfig {
        keyframes: settings.keyframes,
        ..Vp8EncoderConfig::new(settings.size, settings.video_kbps)
    })?;
    let mut full = audio_encoder(settings)?;
    let (mut mix, mut pcm) = (vec![0; TICK_SAMPLES], Vec::new());
    let (mut frame, mut packet) = (Vec::new(), Vec::new());
    // The two grids meet every 100 ms, after 3 pictures and 5 ticks. In which order the codecs work
    // in between makes no difference.
    for tenth in 0..seconds * 10 {
        for number in pieces(tenth, FRAMES_PER_SECOND) {
            for (eye, clip) in eyes.iter_mut().zip(clips) {
                eye.look(&clip.frames[number % clip.frames.len()], &mut canvas)?;
            }
            let timestamp = number as u64 * u64::from(VIDEO_CLOCK_HZ / FRAMES_PER_SECOND);
            encoder.encode(&canvas, timestamp, FrameKind::Delta, &mut frame)?;
        }
        for number in pieces(tenth, TICKS_PER_SECOND) {
            mix.fill(0);
            for (ear, clip) in ears.iter_mut().zip(clips) {
                ear.listen(&clip.packets[number % clip.packets.len()], &mut mix)?;
            }
            let mut shared = Shared::Unused;
            for ear in &mut ears {
                if ear.encode(&mix, &mut packet)? == Encoded::Not {
                    shared = Shared::Used;
                }
            }
            if shared == Shared::Used {
                limit(&mix, &[], &mut pcm);
                full.encode(&pcm, &mut packet)?;
            }
        }
    }
    Ok(())
}

fn pieces(tenth: u32, per_second: u32) -> impl Iterator<Item = usize> {
    let each = (per_second / 10) as usize;
    let first = tenth as usize * each;
    first..first + each
}

fn eyes(count: usize, size: PictureSize) -> anyhow::Result<Vec<Eye>> {
    let everybody: Vec<ParticipantId> = (1..).map(ParticipantId).take(count).collect();
    let layout = Layout::grid(size, &everybody, GridStyle::default());
    let eye = |(_, region): &(ParticipantId, Region)| {
        Ok(Eye {
            decoder: Vp8Decoder::new(Vp8DecoderLimits::default())?,
            picture: I420::black(size),
            scaler: YuvScaler::new(),
            region: *region,
        })
    };
    layout.tiles().iter().map(eye).collect()
}

fn ears(count: usize, settings: Settings) -> anyhow::Result<Vec<Ear>> {
    let ear = |_| {
        let encoder = match settings.listeners {
            Listeners::One => None,
            Listeners::Everybody => Some(audio_encoder(settings)?),
        };
        Ok(Ear {
            decoder: OpusDecoder::new(Channels::Mono)?,
            pcm: Vec::new(),
            others: Vec::new(),
            quiet_ticks: HOLD_TICKS,
            encoder,
        })
    };
    (0..count).map(ear).collect()
}

fn audio_encoder(settings: Settings) -> anyhow::Result<OpusEncoder> {
    let config = OpusEncoderConfig::new(Channels::Mono, settings.audio_kbps);
    Ok(OpusEncoder::new(config)?)
}

impl Eye {
    fn look(&mut self, frame: &[u8], canvas: &mut I420) -> anyhow::Result<()> {
        self.decoder.decode(frame, &mut self.picture)?;
        let (left, top, size) = (self.region.left(), self.region.top(), self.region.size());
        let mut canvas = canvas.view_mut();
        let tile = canvas
            .crop(left, top, size)
            .context("a tile outside the canvas")?;
        self.scaler.scale(self.picture.view(), tile);
        Ok(())
    }
}

impl Ear {
    fn listen(&mut self, packet: &[u8], mix: &mut [i32]) -> anyhow::Result<()> {
        self.pcm.clear();
        self.decoder.decode(packet, &mut self.pcm)?;
        for (sum, sample) in mix.iter_mut().zip(&self.pcm) {
            *sum += i32::from(*sample);
        }
        Ok(())
    }

    /// Encodes what this one hears, if they speak.
    fn encode(&mut self, mix: &[i32], packet: &mut Vec<u8>) -> anyhow::Result<Encoded> {
        let Some(encoder) = &mut self.encoder else {
            return Ok(Encoded::Not);
        };
        let power: i64 = self
            .pcm
            .iter()
            .map(|sample| i64::from(*sample).pow(2))
            .sum();
        let quiet = power < QUIET_POWER * TICK_SAMPLES as i64;
        self.quiet_ticks = if quiet { self.quiet_ticks + 1 } else { 0 };
        if self.quiet_ticks >= HOLD_TICKS {
            return Ok(Encoded::Not);
        }
        limit(mix, &self.pcm, &mut self.others);
        encoder.encode(&self.others, packet)?;
        Ok(Encoded::Done)
    }
}

/// The mix less one's own, in 16 bits.
fn limit(mix: &[i32], own: &[i16], pcm: &mut Vec<i16>) {
    let own = own.iter().copied().chain(std::iter::repeat(0));
    pcm.clear();
    pcm.extend(mix.iter().zip(own).map(|(sum, own)| {
        let most = i32::from(i16::MAX);
        i16::try_from((sum - i32::from(own)).clamp(-most, most)).unwrap_or_default()
    }));
}
