//! What one participant hears: everybody else, limited and encoded.

use codecs::audio::{AudioCodecError, AudioEncoder, TICK_SAMPLES};

use crate::audio::AudioConfig;
use crate::audio::limiter::Limiter;
use crate::audio::mix::FullMix;

/// An encoder and the limiter before it. Its packets go to a place of the caller's.
#[derive(Debug)]
pub(crate) struct Output {
    encoder: Box<dyn AudioEncoder>,
    limiter: Limiter,
    others: Vec<i32>,
    pcm: Vec<i16>,
}

impl Output {
    pub(crate) fn new(encoder: Box<dyn AudioEncoder>, config: &AudioConfig) -> Self {
        let len = TICK_SAMPLES * config.channels.count();
        Self {
            encoder,
            limiter: Limiter::new(config.channels),
            others: vec![0; len],
            pcm: vec![0; len],
        }
    }

    /// Prepares the encoder for a network that loses `percent` of the packets.
    ///
    /// # Errors
    ///
    /// What the encoder says; it goes on as before then.
    pub(crate) fn expect_loss(&mut self, percent: u8) -> Result<(), AudioCodecError> {
        self.encoder.set_expected_loss(percent)
    }

    /// Encodes `mix` less `own`, if there is such a contribution in it, into `payload`.
    ///
    /// # Errors
    ///
    /// What the encoder says; `payload` is empty then.
    pub(crate) fn encode(
        &mut self,
        mix: &FullMix,
        own: Option<&[i16]>,
        payload: &mut Vec<u8>,
    ) -> Result<(), AudioCodecError> {
        match own {
            Some(own) => {
                mix.minus(own, &mut self.others);
                self.limiter.limit(&self.others, &mut self.pcm);
            }
            None => self.limiter.limit(mix.sums(), &mut self.pcm),
        }
        self.encoder
            .encode(&self.pcm, payload)
            .inspect_err(|_| payload.clear())
    }
}
