//! The live encoder: packets of one to six ticks, settings that may change between any two of them,
//! and forks.

use std::fmt;
use std::ops::RangeInclusive;

use super::ffi::{RawEncoder, Refused, Setting};
use super::packet::MAX_FRAME_BYTES;
use crate::audio::{AudioCodecError, AudioEncoder, Channels, MAX_PACKET_TICKS, TICK_SAMPLES};

/// What libopus accepts, in kb/s (RFC 6716 §2.1.1).
const BITRATE_RANGE_KBPS: RangeInclusive<u32> = 6..=510;

/// A frame and its table-of-contents byte, which is the longest a 20 ms packet can be; longer ones
/// are kept to it, so that every packet fits a datagram. It is 85 kb/s at 120 ms.
const MAX_PACKET_BYTES: usize = MAX_FRAME_BYTES + 1;

/// What a pause is of before there was a packet: 20 ms of wideband voice (RFC 6716 §3.1).
const FIRST_TOC: u8 = 9 << 3;

/// What the encoder should be good at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Application {
    /// Speech that can be understood, also at low bitrates and with losses.
    #[default]
    Voip,
    /// Sound as close to the original as the bitrate allows. In-band FEC is rarer.
    Audio,
}

/// How an encoder is set up. libopus's own DTX stays off: it takes a steady tone for noise and
/// stops sending it. Whoever sends silence knows it, see [`AudioEncoder::pause`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpusEncoderConfig {
    /// Channels of what is encoded.
    pub channels: Channels,
    /// Target bitrate in kb/s, 6 to 510; the rate of each packet varies around it.
    pub bitrate_kbps: u32,
    /// Effort, 0 to 10. Default 5: a fifth cheaper than 9 and 10.
    pub complexity: u8,
    /// Percent of packets that the receiver is expected to lose, 0 to 100. Above 0 the encoder
    /// may add in-band FEC, at the expense of quality without loss. libopus does not bother for
    /// less than about 6 at 32 kb/s; [`super::Packet::has_fec`] tells what it did.
    pub expected_loss_percent: u8,
    /// What the encoder should be good at.
    pub application: Application,
}

impl OpusEncoderConfig {
    /// Speech at `bitrate_kbps`, complexity 5, no loss expected.
    #[must_use]
    pub const fn new(channels: Channels, bitrate_kbps: u32) -> Self {
        Self {
            channels,
            bitrate_kbps,
            complexity: 5,
            expected_loss_percent: 0,
            application: Application::Voip,
        }
    }

    fn check(&self) -> Result<(), OpusConfigError> {
        if !BITRATE_RANGE_KBPS.contains(&self.bitrate_kbps) {
            return Err(OpusConfigError::Bitrate(self.bitrate_kbps));
        }
        if self.complexity > 10 {
            return Err(OpusConfigError::Complexity(self.complexity));
        }
        if self.expected_loss_percent > 100 {
            return Err(OpusConfigError::ExpectedLoss(self.expected_loss_percent));
        }
        Ok(())
    }
}

/// Why an encoder could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpusConfigError {
    /// A bitrate outside 6 to 510 kb/s.
    #[error("bitrate_kbps is {0}, expected 6 to 510")]
    Bitrate(u32),
    /// A complexity above 10.
    #[error("complexity is {0}, expected 0 to 10")]
    Complexity(u8),
    /// More than all packets lost.
    #[error("expected_loss_percent is {0}, expected 0 to 100")]
    ExpectedLoss(u8),
    /// libopus refused.
    #[error("opus encoder refused: {0}")]
    Refused(String),
}

/// An encoder. A fork of it is a copy of its state: about 50 kB, and no more work than that.
pub struct OpusEncoder {
    raw: RawEncoder,
    config: OpusEncoderConfig,
    lookahead: usize,
    /// The first byte of the last packet.
    toc: u8,
}

impl OpusEncoder {
    /// Opens an encoder.
    ///
    /// # Errors
    ///
    /// Any [`OpusConfigError`].
    pub fn new(config: OpusEncoderConfig) -> Result<Self, OpusConfigError> {
        config.check()?;
        open(config).map_err(|error| OpusConfigError::Refused(error.to_string()))
    }

    /// Samples per channel by which the decoded sound lags behind what was encoded: what an Ogg
    /// or WebM file calls pre-skip. 312 for both applications.
    #[must_use]
    pub const fn lookahead(&self) -> usize {
        self.lookahead
    }
}

fn open(config: OpusEncoderConfig) -> Result<OpusEncoder, Refused> {
    let application = match config.application {
        Application::Voip => opusic_sys::OPUS_APPLICATION_VOIP,
        Application::Audio => opusic_sys::OPUS_APPLICATION_AUDIO,
    };
    let mut raw = RawEncoder::new(config.channels, application)?;
    raw.set(bitrate(config.bitrate_kbps))?;
    raw.set(Setting::Complexity(config.complexity.into()))?;
    expect_loss(&mut raw, config.expected_loss_percent)?;
    let lookahead = raw.lookahead()?;
    Ok(OpusEncoder {
        raw,
        config,
        lookahead,
        toc: FIRST_TOC,
    })
}

fn bitrate(kbps: u32) -> Setting {
    Setting::BitsPerSecond(i32::try_from(kbps.saturating_mul(1_000)).unwrap_or(i32::MAX))
}

/// In-band FEC is off while no loss is expected, so that it costs nothing then.
fn expect_loss(raw: &mut RawEncoder, percent: u8) -> Result<(), Refused> {
    raw.set(Setting::InbandFec(percent > 0))?;
    raw.set(Setting::PacketLossPercent(percent.into()))
}

impl AudioEncoder for OpusEncoder {
    fn encode(&mut self, pcm: &[i16], packet: &mut Vec<u8>) -> Result<(), AudioCodecError> {
        packet.clear();
        let tick = TICK_SAMPLES * self.config.channels.count();
        if pcm.is_empty() || !pcm.len().is_multiple_of(tick) || pcm.len() > tick * MAX_PACKET_TICKS
        {
            let got = pcm.len();
            return Err(AudioCodecError::Codec(format!(
                "{got} samples, expected 1 to {MAX_PACKET_TICKS} times {tick}"
            )));
        }
        packet.resize(MAX_PACKET_BYTES, 0);
        match self.raw.encode(pcm, packet) {
            Ok(bytes) => {
                packet.truncate(bytes);
                self.toc = packet.first().copied().unwrap_or(self.toc);
                Ok(())
            }
            Err(error) => {
                packet.clear();
                Err(codec(error))
            }
        }
    }

    fn fork(&self) -> Box<dyn AudioEncoder> {
        Box::new(Self {
            raw: self.raw.clone(),
            ..*self
        })
    }

    fn set_bitrate(&mut self, kbps: u32) -> Result<(), AudioCodecError> {
        if !BITRATE_RANGE_KBPS.contains(&kbps) {
            return Err(codec(OpusConfigError::Bitrate(kbps)));
        }
        self.raw.set(bitrate(kbps)).map_err(codec)?;
        self.config.bitrate_kbps = kbps;
        Ok(())
    }

    fn set_expected_loss(&mut self, percent: u8) -> Result<(), AudioCodecError> {
        let percent = percent.min(100);
        expect_loss(&mut self.raw, percent).map_err(codec)?;
        self.config.expected_loss_percent = percent;
        Ok(())
    }

    /// A table-of-contents byte alone: one frame of the last packet's kind, of no bytes.
    fn pause(&mut self, packet: &mut Vec<u8>) {
        const FRAME_COUNT_CODE: u8 = 0b11;
        packet.clear();
        packet.push(self.toc & !FRAME_COUNT_CODE);
    }
}

#[expect(clippy::needless_pass_by_value, reason = "shaped for map_err")]
fn codec(error: impl ToString) -> AudioCodecError {
    AudioCodecError::Codec(error.to_string())
}

impl fmt::Debug for OpusEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpusEncoder")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
