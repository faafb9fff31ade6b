//! The live decoder: packets, their FEC copies, and concealment where there is neither.

use std::fmt;

use super::packet::Packet;
use crate::audio::{AudioCodecError, AudioDecoder, Channels, MAX_PACKET_SAMPLES, SAMPLE_RATE_HZ};

/// libopus conceals and recovers in steps of 2.5 ms.
const STEP_SAMPLES: usize = 120;

/// A decoder for one track. It gives the channels it was made for, whatever a packet has.
pub struct OpusDecoder {
    decoder: ::opus::Decoder,
    channels: Channels,
}

/// What libopus is to make samples of.
#[derive(Clone, Copy)]
enum Input<'a> {
    Packet(&'a [u8]),
    FecOf(&'a [u8]),
    Nothing,
}

impl OpusDecoder {
    /// Opens a decoder that gives `channels`.
    ///
    /// # Errors
    ///
    /// [`AudioCodecError::Codec`] if libopus does not open one, which takes being out of memory.
    pub fn new(channels: Channels) -> Result<Self, AudioCodecError> {
        let decoder = ::opus::Decoder::new(SAMPLE_RATE_HZ, channels_of(channels))
            .map_err(|error| AudioCodecError::Codec(error.to_string()))?;
        Ok(Self { decoder, channels })
    }

    /// Appends at most `samples` per channel to `pcm`, or nothing at all.
    fn append(
        &mut self,
        input: Input<'_>,
        samples: usize,
        pcm: &mut Vec<i16>,
    ) -> Result<usize, ::opus::Error> {
        let channels = self.channels.count();
        let start = pcm.len();
        pcm.resize(start + samples * channels, 0);
        let room = &mut pcm[start..];
        let decoded = match input {
            Input::Packet(packet) => self.decoder.decode(packet, room, false),
            Input::FecOf(packet) => self.decoder.decode(packet, room, true),
            Input::Nothing => self.decoder.decode(&[], room, false),
        };
        pcm.truncate(start + decoded.as_ref().map_or(0, |samples| samples * channels));
        decoded
    }
}

impl AudioDecoder for OpusDecoder {
    fn decode(&mut self, packet: &[u8], pcm: &mut Vec<i16>) -> Result<usize, AudioCodecError> {
        let samples = Packet::parse(packet).map_err(corrupt)?.samples();
        self.append(Input::Packet(packet), samples, pcm)
            .map_err(corrupt)
    }

    fn carries_copy(&self, packet: &[u8]) -> bool {
        Packet::parse(packet).is_ok_and(|packet| packet.has_fec())
    }

    /// # Errors
    ///
    /// As the trait says, and [`AudioCodecError::Codec`] unless `samples` is a multiple of 120
    /// up to 5 760.
    fn recover(
        &mut self,
        next: &[u8],
        samples: usize,
        pcm: &mut Vec<i16>,
    ) -> Result<usize, AudioCodecError> {
        check_steps(samples)?;
        Packet::parse(next).map_err(corrupt)?;
        self.append(Input::FecOf(next), samples, pcm)
            .map_err(corrupt)
    }

    /// # Errors
    ///
    /// As the trait says; `samples` is a multiple of 120 up to 5 760.
    fn conceal(&mut self, samples: usize, pcm: &mut Vec<i16>) -> Result<usize, AudioCodecError> {
        check_steps(samples)?;
        self.append(Input::Nothing, samples, pcm)
            .map_err(|error| AudioCodecError::Codec(error.to_string()))
    }
}

const fn channels_of(channels: Channels) -> ::opus::Channels {
    match channels {
        Channels::Mono => ::opus::Channels::Mono,
        Channels::Stereo => ::opus::Channels::Stereo,
    }
}

fn check_steps(samples: usize) -> Result<(), AudioCodecError> {
    if samples == 0 || samples > MAX_PACKET_SAMPLES || !samples.is_multiple_of(STEP_SAMPLES) {
        return Err(AudioCodecError::Codec(format!(
            "{samples} samples, expected a multiple of {STEP_SAMPLES} up to {MAX_PACKET_SAMPLES}"
        )));
    }
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "shaped for map_err")]
fn corrupt(error: impl ToString) -> AudioCodecError {
    AudioCodecError::Corrupt(error.to_string())
}

impl fmt::Debug for OpusDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpusDecoder")
            .field("channels", &self.channels)
            .finish_non_exhaustive()
    }
}
