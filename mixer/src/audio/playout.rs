//! Turns one live track's packets into one tick of samples at a time.
//!
//! Asks the [`JitterBuffer`] what is due until the tick is full, decodes, conceals, fades, and
//! stretches where the delay is not what it should be. What a long packet has too much stays for
//! the ticks to come, as does what was decoded early in order to shorten it. The work per tick is
//! bounded by its length, however much has come: every piece is at least 2.5 ms, and of them
//! there are as many as a tick and two splices take.

use std::time::Duration;

use codecs::audio::{AudioDecoder, MAX_PACKET_SAMPLES, TICK_SAMPLES};
use codecs::rtp::SeqNo;

use crate::RoomTime;
use crate::audio::fade::Fade;
use crate::audio::jitter::{Change, Copies, Due, Haste, JitterBuffer};
use crate::audio::stretch::{self, LONGEST_LAG, OVERLAP, SHORTEST_LAG, Similarity};
use crate::audio::voice::Voice;
use crate::audio::{AudioConfig, AudioCounters, AudioPacket, PlayoutDelay};

/// What a splice takes besides the tick.
const SPLICE_SAMPLES: usize = LONGEST_LAG + OVERLAP;

/// A jitter buffer and what has been decoded from it.
#[derive(Debug)]
pub(crate) struct Playout {
    jitter: JitterBuffer,
    fade: Fade,
    channels: usize,
    /// Interleaved samples decoded and not played yet.
    decoded: Vec<i16>,
    /// Ticks since the last splice.
    since_splice: u32,
    /// Ticks in a row for which a splice was wanted and none was found.
    wanted: u32,
    /// The last tick.
    now: RoomTime,
}

impl Playout {
    pub(crate) fn new(config: &AudioConfig) -> Self {
        let channels = config.channels.count();
        let most = TICK_SAMPLES + SPLICE_SAMPLES + MAX_PACKET_SAMPLES + LONGEST_LAG;
        Self {
            jitter: JitterBuffer::new(config),
            fade: Fade::new(config.channels),
            channels,
            decoded: Vec::with_capacity(most * channels),
            since_splice: 0,
            wanted: 0,
            now: RoomTime::START,
        }
    }

    /// Takes in one packet.
    pub(crate) fn insert(&mut self, packet: AudioPacket, counters: &mut AudioCounters) {
        self.jitter.insert(packet, counters);
    }

    /// Takes note of how long a packet takes to the sender and back.
    pub(crate) fn set_round_trip(&mut self, round_trip: Duration) {
        self.jitter.set_round_trip(round_trip);
    }

    /// Keeps sound back for at least `delay`.
    pub(crate) fn set_least_delay(&mut self, delay: Duration) {
        self.jitter.set_least_delay(delay);
    }

    /// The delay after the last tick.
    pub(crate) fn delay(&self) -> PlayoutDelay {
        self.jitter.playout_delay(self.now, self.ahead())
    }

    /// Names the packets worth asking for after the last tick.
    pub(crate) fn ask(&mut self, ask: impl FnMut(SeqNo)) {
        let ahead = self.ahead();
        self.jitter.ask(self.now, ahead, ask);
    }

    /// Fills `tick`, interleaved, with what is due at `now`; zeros where nothing is.
    pub(crate) fn play(
        &mut self,
        now: RoomTime,
        decoder: &mut dyn AudioDecoder,
        tick: &mut [i16],
        counters: &mut AudioCounters,
    ) {
        self.now = now;
        self.since_splice = self.since_splice.saturating_add(1);
        let change = self.jitter.change(now, self.ahead());
        while self.decoded.len() < tick.len() {
            self.append(tick.len(), decoder, counters);
        }
        match change {
            Change::Shorten { at_most, haste } if self.may_splice(haste) => {
                self.shorten(at_most, haste, decoder, counters);
            }
            Change::Lengthen { haste } if self.may_splice(haste) => {
                self.lengthen(haste, counters);
            }
            Change::Keep => self.wanted = 0,
            Change::Shorten { .. } | Change::Lengthen { .. } => {}
        }
        tick.copy_from_slice(&self.decoded[..tick.len()]);
        self.decoded.drain(..tick.len());
    }

    /// Samples per channel decoded and not played yet.
    fn ahead(&self) -> usize {
        self.decoded.len() / self.channels
    }

    /// Appends the next piece; where nothing is due, silence up to `len`.
    fn append(&mut self, len: usize, decoder: &mut dyn AudioDecoder, counters: &mut AudioCounters) {
        let ahead = self.ahead();
        let begin = self.decoded.len();
        let mut voice = Voice {
            decoder,
            fade: &mut self.fade,
            channels: self.channels,
            pcm: &mut self.decoded,
            counters,
        };
        match self.jitter.take(self.now, ahead, voice.counters) {
            Due::Packet(payload) => {
                let copies = if voice.decoder.carries_copy(&payload) {
                    Copies::Carried
                } else {
                    Copies::None
                };
                let samples = voice.decode(&payload, self.jitter.packet_samples());
                self.jitter.played(samples, copies);
            }
            Due::Recover { next, samples } => voice.recover(next, samples),
            Due::Conceal { samples } => voice.conceal(samples),
            Due::Silence { samples } => voice.fall_silent(samples),
            Due::Nothing => {
                let missing = len.saturating_sub(begin) / self.channels;
                voice.fall_silent(missing);
            }
        }
    }

    /// Whether the last splice is long enough ago.
    fn may_splice(&self, haste: Haste) -> bool {
        let ticks_apart = match haste {
            Haste::Idly => 5,
            Haste::Soon => 3,
            Haste::Now => 1,
        };
        self.since_splice >= ticks_apart
    }

    /// Leaves out at most `at_most` samples. Takes packets out of the jitter buffer early if there
    /// is not enough left to fill the tick afterwards.
    fn shorten(
        &mut self,
        at_most: i64,
        haste: Haste,
        decoder: &mut dyn AudioDecoder,
        counters: &mut AudioCounters,
    ) {
        let at_most = usize::try_from(at_most).unwrap_or(0).min(LONGEST_LAG);
        if at_most < SHORTEST_LAG {
            return;
        }
        while self.ahead() < TICK_SAMPLES + SPLICE_SAMPLES && self.jitter.has_next() {
            self.append(0, decoder, counters);
        }
        let at_most = at_most.min(self.ahead().saturating_sub(TICK_SAMPLES));
        let least = similarity(haste, self.wanted);
        let lag = stretch::shorten(&mut self.decoded, self.channels, at_most, least);
        self.note_splice(lag.is_some(), haste);
        counters.accelerated += lag.unwrap_or(0) as u64;
    }

    fn lengthen(&mut self, haste: Haste, counters: &mut AudioCounters) {
        let least = similarity(haste, self.wanted);
        let lag = stretch::lengthen(&mut self.decoded, self.channels, least);
        self.note_splice(lag.is_some(), haste);
        counters.expanded += lag.unwrap_or(0) as u64;
    }

    fn note_splice(&mut self, found: bool, haste: Haste) {
        if found {
            self.since_splice = 0;
            self.wanted = 0;
        } else if haste != Haste::Idly {
            self.wanted = self.wanted.saturating_add(1);
        }
    }
}

/// What a splice must at least be like, after `wanted` ticks without one. Sound that never is alike
/// must not keep the delay from its target for ever: in the end a fade at any place will do.
const fn similarity(haste: Haste, wanted: u32) -> Similarity {
    Similarity(match (haste, wanted) {
        (Haste::Idly, _) => 0.95,
        (Haste::Soon, 0..=9) => 0.85,
        (Haste::Soon, 10..=24) | (Haste::Now, 0..=4) => 0.5,
        (Haste::Soon | Haste::Now, _) => -1.0,
    })
}

#[cfg(test)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "numbers written down in tests are small"
)]
mod tests;
