//! A decoder without a codec: a packet is its samples, 16 bits each, little endian.

use bytes::Bytes;
use codecs::audio::{AudioCodecError, AudioDecoder, Channels};

/// Every sample that the decoder synthesizes.
pub(crate) const CONCEALED: i16 = 1_000;

/// Every sample that the decoder finds in the packet after a lost one.
pub(crate) const RECOVERED: i16 = 2_000;

/// Packets of whole samples are intact, all others corrupt.
#[derive(Debug)]
pub(crate) struct PcmDecoder(pub(crate) Channels);

impl AudioDecoder for PcmDecoder {
    fn decode(&mut self, packet: &[u8], pcm: &mut Vec<i16>) -> Result<usize, AudioCodecError> {
        let sample_bytes = 2 * self.0.count();
        if packet.is_empty() || !packet.len().is_multiple_of(sample_bytes) {
            return Err(AudioCodecError::Corrupt("a broken sample".into()));
        }
        pcm.extend(
            packet
                .chunks_exact(2)
                .map(|pair| i16::from_le_bytes([pair[0], pair[1]])),
        );
        Ok(packet.len() / sample_bytes)
    }

    fn carries_copy(&self, packet: &[u8]) -> bool {
        !packet.is_empty()
    }

    fn recover(
        &mut self,
        _next: &[u8],
        samples: usize,
        pcm: &mut Vec<i16>,
    ) -> Result<usize, AudioCodecError> {
        pcm.resize(pcm.len() + samples * self.0.count(), RECOVERED);
        Ok(samples)
    }

    fn conceal(&mut self, samples: usize, pcm: &mut Vec<i16>) -> Result<usize, AudioCodecError> {
        pcm.resize(pcm.len() + samples * self.0.count(), CONCEALED);
        Ok(samples)
    }
}

/// The packet of `samples`.
pub(crate) fn packet(samples: &[i16]) -> Bytes {
    samples
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect()
}
