//! The live encoder: one 20 ms packet per tick.

use std::fmt;
use std::ops::RangeInclusive;

use super::packet::MAX_FRAME_BYTES;
use crate::audio::{AudioCodecError, AudioEncoder, Channels, SAMPLE_RATE_HZ, TICK_SAMPLES};

/// What libopus accepts, in kb/s (RFC 6716 §2.1.1).
const BITRATE_RANGE_KBPS: RangeInclusive<u32> = 6..=510;

/// A 20 ms packet is one frame and its table-of-contents byte.
const MAX_PACKET_BYTES: usize = MAX_FRAME_BYTES + 1;

/// What the encoder should be good at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Application {
    /// Speech that can be understood, also at low bitrates and with losses.
    #[default]
    Voip,
    /// Sound as close to the original as the bitrate allows. In-band FEC is rarer.
    Audio,
}

/// How an encoder is set up. DTX is off: whoever sends silence knows it and need not encode it.
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

/// An encoder for one output.
pub struct OpusEncoder {
    encoder: ::opus::Encoder,
    config: OpusEncoderConfig,
    lookahead: usize,
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

fn open(config: OpusEncoderConfig) -> Result<OpusEncoder, ::opus::Error> {
    let application = match config.application {
        Application::Voip => ::opus::Application::Voip,
        Application::Audio => ::opus::Application::Audio,
    };
    let mut encoder =
        ::opus::Encoder::new(SAMPLE_RATE_HZ, channels_of(config.channels), application)?;
    let bits_per_second = i32::try_from(config.bitrate_kbps * 1_000).unwrap_or(i32::MAX);
    encoder.set_bitrate(::opus::Bitrate::Bits(bits_per_second))?;
    encoder.set_complexity(i32::from(config.complexity))?;
    expect_loss(&mut encoder, config.expected_loss_percent)?;
    encoder.set_dtx(false)?;
    let lookahead = usize::try_from(encoder.get_lookahead()?).unwrap_or_default();
    Ok(OpusEncoder {
        encoder,
        config,
        lookahead,
    })
}

/// In-band FEC is off while no loss is expected, so that it costs nothing then.
fn expect_loss(encoder: &mut ::opus::Encoder, percent: u8) -> Result<(), ::opus::Error> {
    encoder.set_inband_fec(percent > 0)?;
    encoder.set_packet_loss_perc(i32::from(percent))
}

pub(super) const fn channels_of(channels: Channels) -> ::opus::Channels {
    match channels {
        Channels::Mono => ::opus::Channels::Mono,
        Channels::Stereo => ::opus::Channels::Stereo,
    }
}

impl AudioEncoder for OpusEncoder {
    fn encode(&mut self, pcm: &[i16], packet: &mut Vec<u8>) -> Result<(), AudioCodecError> {
        packet.clear();
        let expected = TICK_SAMPLES * self.config.channels.count();
        if pcm.len() != expected {
            let got = pcm.len();
            return Err(AudioCodecError::Codec(format!(
                "{got} samples, expected {expected}"
            )));
        }
        packet.resize(MAX_PACKET_BYTES, 0);
        match self.encoder.encode(pcm, packet) {
            Ok(bytes) => {
                packet.truncate(bytes);
                Ok(())
            }
            Err(error) => {
                packet.clear();
                Err(AudioCodecError::Codec(error.to_string()))
            }
        }
    }

    fn set_expected_loss(&mut self, percent: u8) -> Result<(), AudioCodecError> {
        let percent = percent.min(100);
        expect_loss(&mut self.encoder, percent)
            .map_err(|error| AudioCodecError::Codec(error.to_string()))?;
        self.config.expected_loss_percent = percent;
        Ok(())
    }
}

impl fmt::Debug for OpusEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpusEncoder")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
