//! What the mixer knows of an audio codec: two traits and the units they share.
//!
//! Samples are signed 16 bit, 48 kHz, interleaved when there are two channels. A count of samples
//! is always *per channel*.

use std::fmt;

/// Samples per second, per channel, everywhere in the house.
pub const SAMPLE_RATE_HZ: u32 = 48_000;

/// Samples per channel in one 20 ms tick.
pub const TICK_SAMPLES: usize = 960;

/// The longest Opus packet: 120 ms (RFC 6716 §2.1.4), in samples per channel.
pub const MAX_PACKET_SAMPLES: usize = 5_760;

/// How many channels a stream of samples interleaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// One channel.
    Mono,
    /// Left and right, interleaved.
    Stereo,
}

impl Channels {
    /// 1 or 2.
    #[must_use]
    pub const fn count(self) -> usize {
        match self {
            Self::Mono => 1,
            Self::Stereo => 2,
        }
    }
}

/// Why a packet or a tick could not be coded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AudioCodecError {
    /// The packet is not a packet of this codec.
    #[error("corrupt audio packet: {0}")]
    Corrupt(String),
    /// The codec refused for a reason of its own (memory, a setting out of range).
    #[error("audio codec failed: {0}")]
    Codec(String),
}

/// Turns packets into samples. One decoder serves one track, in playout order.
///
/// Every method *appends* its samples (interleaved) to `pcm` and returns how many it appended per
/// channel, at most [`MAX_PACKET_SAMPLES`].
pub trait AudioDecoder: Send + fmt::Debug {
    /// Decodes one packet.
    ///
    /// # Errors
    ///
    /// [`AudioCodecError::Corrupt`] if the packet cannot be decoded; nothing is appended then.
    fn decode(&mut self, packet: &[u8], pcm: &mut Vec<i16>) -> Result<usize, AudioCodecError>;

    /// Whether `packet` carries a copy of the packet before it, for [`AudioDecoder::recover`], told
    /// without decoding it. A codec without such copies need not say so.
    fn carries_copy(&self, _packet: &[u8]) -> bool {
        false
    }

    /// Decodes the in-band FEC copy that `next` carries of the lost packet before it, as exactly
    /// `samples` per channel. Where `next` carries none, this is concealment.
    ///
    /// # Errors
    ///
    /// [`AudioCodecError::Corrupt`] if `next` cannot be decoded; nothing is appended then.
    fn recover(
        &mut self,
        next: &[u8],
        samples: usize,
        pcm: &mut Vec<i16>,
    ) -> Result<usize, AudioCodecError>;

    /// Synthesizes `samples` per channel (a multiple of 120, that is 2.5 ms) in place of a lost
    /// packet.
    ///
    /// # Errors
    ///
    /// [`AudioCodecError::Codec`] if the codec refuses; nothing is appended then.
    fn conceal(&mut self, samples: usize, pcm: &mut Vec<i16>) -> Result<usize, AudioCodecError>;
}

/// The most ticks in one packet: 120 ms.
pub const MAX_PACKET_TICKS: usize = MAX_PACKET_SAMPLES / TICK_SAMPLES;

/// Turns ticks into packets, in the order of their time.
///
/// The settings may change between any two packets. Those that a codec does not have it accepts
/// and ignores, which is what the methods do unless they are overridden.
pub trait AudioEncoder: Send + fmt::Debug {
    /// Encodes 1 to [`MAX_PACKET_TICKS`] whole ticks of [`TICK_SAMPLES`] per channel as one
    /// packet, which replaces what was in `packet`.
    ///
    /// # Errors
    ///
    /// [`AudioCodecError::Codec`] if the codec refuses; `packet` is empty then.
    fn encode(&mut self, pcm: &[i16], packet: &mut Vec<u8>) -> Result<(), AudioCodecError>;

    /// Another encoder in exactly this state: given the same samples and settings, both make the
    /// same packets from here on. So whoever has listened to this one can go on with that one.
    fn fork(&self) -> Box<dyn AudioEncoder>;

    /// Aims at `kbps`, in kb/s.
    ///
    /// # Errors
    ///
    /// [`AudioCodecError::Codec`] if the codec refuses; it goes on as before then.
    fn set_bitrate(&mut self, kbps: u32) -> Result<(), AudioCodecError> {
        let _ = kbps;
        Ok(())
    }

    /// Prepares the following packets for a network that loses `percent` of them, 0 to 100; above
    /// 100 counts as 100.
    ///
    /// # Errors
    ///
    /// [`AudioCodecError::Codec`] if the codec refuses; it goes on as before then.
    fn set_expected_loss(&mut self, percent: u8) -> Result<(), AudioCodecError> {
        let _ = percent;
        Ok(())
    }

    /// Puts into `packet` one that says: from here on there is silence, and nothing will be sent
    /// (DTX, RFC 6716 §2.1.9). The encoder's state stays what it is; it is to have settled in silence
    /// before. Of a codec without such packets it is empty.
    fn pause(&mut self, packet: &mut Vec<u8>) {
        packet.clear();
    }
}
