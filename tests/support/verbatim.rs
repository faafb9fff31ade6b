//! Sound that was never encoded, for what is about the mixer and not about the codec.

use codecs::audio::{AudioCodecError, AudioDecoder};

/// Takes samples out of the packet as they are.
#[derive(Debug)]
pub(crate) struct Verbatim;

impl AudioDecoder for Verbatim {
    fn decode(&mut self, packet: &[u8], pcm: &mut Vec<i16>) -> Result<usize, AudioCodecError> {
        let samples = packet.chunks_exact(2);
        pcm.extend(samples.map(|pair| i16::from_le_bytes([pair[0], pair[1]])));
        Ok(packet.len() / 2)
    }

    fn recover(
        &mut self,
        _: &[u8],
        samples: usize,
        pcm: &mut Vec<i16>,
    ) -> Result<usize, AudioCodecError> {
        self.conceal(samples, pcm)
    }

    fn conceal(&mut self, samples: usize, pcm: &mut Vec<i16>) -> Result<usize, AudioCodecError> {
        pcm.resize(pcm.len() + samples, 0);
        Ok(samples)
    }
}
