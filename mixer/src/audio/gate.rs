//! Makes a track that is nearly silent exactly silent.
//!
//! A microphone in a quiet room never gives zeros, and whoever contributes anything hears an encode
//! of their own. So a track that has been quieter than a threshold for [`HOLD_TICKS`] contributes
//! nothing until it is louder again: it fades out over one tick, and comes back within 5 ms, in
//! the very tick that is loud enough. What is above the threshold passes unchanged.

use codecs::audio::Channels;

use crate::audio::Level;

/// How long a track stays heard after it has become quiet: 500 ms, longer than the pauses within a
/// sentence, lest breath and room come and go between words.
const HOLD_TICKS: u32 = 25;

/// Coming back: 5 ms, in samples per channel.
const RISE_SAMPLES: usize = 240;

/// One track's gate.
#[derive(Debug)]
pub(crate) struct Gate {
    channels: usize,
    /// The quietest level, in −dBov, that keeps it open; `None` leaves it so.
    minus_dbov: Option<u8>,
    quiet_ticks: u32,
}

impl Gate {
    /// A gate that begins closed, if it ever closes.
    pub(crate) fn new(channels: Channels, minus_dbov: Option<u8>) -> Self {
        Self {
            channels: channels.count(),
            minus_dbov,
            quiet_ticks: HOLD_TICKS,
        }
    }

    /// Treats one tick, of `level`.
    pub(crate) fn pass(&mut self, level: Level, pcm: &mut [i16]) {
        let Some(minus_dbov) = self.minus_dbov else {
            return;
        };
        let was_closed = self.quiet_ticks >= HOLD_TICKS;
        if level.minus_dbov() <= minus_dbov {
            self.quiet_ticks = 0;
            if was_closed {
                self.ramp(pcm, RISE_SAMPLES, |at| at);
            }
            return;
        }
        self.quiet_ticks = self.quiet_ticks.saturating_add(1);
        if was_closed {
            pcm.fill(0);
        } else if self.quiet_ticks >= HOLD_TICKS {
            let samples = pcm.len() / self.channels;
            self.ramp(pcm, samples, |at| samples - 1 - at);
        }
    }

    /// Scales the first `samples` per channel by `gain` of their position, in parts of `samples`.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a gain below one keeps 16 bits in 16 bits"
    )]
    fn ramp(&self, pcm: &mut [i16], samples: usize, gain: impl Fn(usize) -> usize) {
        for (at, frame) in pcm.chunks_mut(self.channels).take(samples).enumerate() {
            for sample in frame {
                *sample = (i64::from(*sample) * gain(at) as i64 / samples as i64) as i16;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: usize = 960;

    fn pass(gate: &mut Gate, sample: i16) -> Vec<i16> {
        let mut pcm = vec![sample; TICK];
        gate.pass(Level::of(&pcm), &mut pcm);
        pcm
    }

    #[test]
    fn quiet_ticks_fade_to_nothing_after_half_a_second_and_not_before() {
        let mut gate = Gate::new(Channels::Mono, Some(60));
        pass(&mut gate, 5_000);

        // 20 is −64 dBov.
        let ticks: Vec<_> = (0..27).map(|_| pass(&mut gate, 20)).collect();

        assert!(ticks[..24].iter().all(|pcm| *pcm == [20; TICK]));
        assert!(ticks[24].is_sorted_by(|a, b| a >= b) && ticks[24][TICK - 1] == 0);
        assert!(ticks[25..].iter().all(|pcm| *pcm == [0; TICK]));
    }

    #[test]
    fn a_loud_tick_is_heard_itself_but_for_a_rise_of_five_milliseconds() {
        let mut gate = Gate::new(Channels::Mono, Some(60));
        assert_eq!(pass(&mut gate, 20), [0; TICK]);

        let pcm = pass(&mut gate, 2_400);

        assert!(pcm[..240].iter().zip(0..).all(|(&s, at)| s == at * 10));
        assert_eq!(pcm[240..], [2_400; TICK - 240]);
        assert_eq!(pass(&mut gate, -2_400), [-2_400; TICK]);
    }

    #[test]
    fn short_pauses_and_whatever_is_loud_enough_pass_unchanged() {
        let mut gate = Gate::new(Channels::Mono, Some(60));
        pass(&mut gate, 5_000);

        // 33 is −60 dBov.
        for sample in [20, 0, 33].repeat(100) {
            assert_eq!(pass(&mut gate, sample), [sample; TICK]);
        }
    }

    #[test]
    fn without_a_threshold_everything_passes() {
        let mut gate = Gate::new(Channels::Mono, None);

        for sample in [1; 100] {
            assert_eq!(pass(&mut gate, sample), [sample; TICK]);
        }
    }
}
