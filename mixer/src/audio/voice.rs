//! Appends pieces of one track's sound, each from its decoder or, where that fails, silence.
//!
//! Every call appends exactly what it promises, whatever the decoder does: a piece that is refused
//! becomes a piece of the same length from the next simpler source.

use codecs::audio::{AudioCodecError, AudioDecoder, MAX_PACKET_SAMPLES};

use crate::audio::AudioCounters;
use crate::audio::fade::{Fade, TAIL_SAMPLES};
use crate::audio::jitter::SHORTEST_SAMPLES;

/// An Opus packet of at most two bytes says that the sender is silent (DTX, RFC 6716 §2.1.9): it
/// holds no frame. What a decoder makes of it is comfort noise, which in a mix of many would pulse.
const LONGEST_SILENT_BYTES: usize = 2;

/// One track's decoder with all it needs to append to `pcm`. Lengths are samples per channel.
#[derive(Debug)]
pub(crate) struct Voice<'a> {
    pub(crate) decoder: &'a mut dyn AudioDecoder,
    pub(crate) fade: &'a mut Fade,
    pub(crate) channels: usize,
    pub(crate) pcm: &'a mut Vec<i16>,
    pub(crate) counters: &'a mut AudioCounters,
}

impl Voice<'_> {
    /// Appends what `packet` holds. If the decoder refuses it, counts that, and appends `instead`
    /// samples of concealment. Returns what was appended.
    pub(crate) fn decode(&mut self, packet: &[u8], instead: usize) -> usize {
        let begin = self.pcm.len();
        let result = self.decoder.decode(packet, self.pcm);
        let samples = self.keep_whole(begin, &result, MAX_PACKET_SAMPLES);
        if samples == 0 {
            self.counters.corrupt += 1;
            self.conceal(instead);
            return instead;
        }
        if packet.len() <= LONGEST_SILENT_BYTES {
            self.fade.tail(&mut self.pcm[begin..]);
        } else {
            self.fade.sent(&mut self.pcm[begin..]);
        }
        samples
    }

    /// Appends `samples` in place of the packet before `next`: its copy, if `next` carries one.
    pub(crate) fn recover(&mut self, next: &[u8], samples: usize) {
        if !self.decoder.carries_copy(next) {
            self.conceal(samples);
            return;
        }
        let begin = self.pcm.len();
        let result = self.decoder.recover(next, samples, self.pcm);
        let recovered = self.keep_whole(begin, &result, samples);
        self.counters.recovered += recovered as u64;
        self.fade.sent(&mut self.pcm[begin..]);
        self.conceal(samples - recovered);
    }

    /// Appends `samples` of synthesized sound, fading if it has been going on for long.
    pub(crate) fn conceal(&mut self, samples: usize) {
        let begin = self.pcm.len();
        if !self.fade.is_silent() {
            self.synthesize(samples);
        }
        self.pcm.resize(begin + samples * self.channels, 0);
        self.fade.concealed(&mut self.pcm[begin..]);
    }

    /// Appends `samples` of silence, led into by a short synthesized tail.
    pub(crate) fn fall_silent(&mut self, samples: usize) {
        let begin = self.pcm.len();
        if !self.fade.is_silent() {
            self.synthesize(samples.min(TAIL_SAMPLES));
            self.fade.tail(&mut self.pcm[begin..]);
        }
        self.pcm.resize(begin + samples * self.channels, 0);
    }

    /// Appends up to `samples` from the decoder's concealment.
    fn synthesize(&mut self, samples: usize) {
        let begin = self.pcm.len();
        let whole = samples / SHORTEST_SAMPLES * SHORTEST_SAMPLES;
        if whole == 0 {
            return;
        }
        let result = self.decoder.conceal(whole, self.pcm);
        let synthesized = self.keep_whole(begin, &result, whole);
        if synthesized == 0 {
            self.counters.decoder_failures += 1;
        }
        self.counters.concealed += synthesized as u64;
    }

    /// Holds a decoder to its contract: nothing on error, whole samples, no more than `most`.
    fn keep_whole(
        &mut self,
        begin: usize,
        result: &Result<usize, AudioCodecError>,
        most: usize,
    ) -> usize {
        let appended = self.pcm.len().saturating_sub(begin) / self.channels;
        let samples = result.as_ref().map_or(0, |_| appended.min(most));
        self.pcm.resize(begin + samples * self.channels, 0);
        samples
    }
}
