//! Keeps a sum of many voices within 16 bits without clipping it.
//!
//! One limiter serves one encode, tick after tick. While the sums fit and nothing was limited
//! lately, every sample passes unchanged. Where they do not, the gain sinks before the peak as far
//! as the tick allows, holds for [`HOLD_BLOCKS`], then recovers in about 200 ms. All channels share
//! one gain, so the stereo image stays where it is.
//!
//! The gain is set at the borders of blocks of [`BLOCK_SAMPLES`] and runs straight in between. A
//! border takes the lower of the needs on both sides, so a straight line never exceeds what its
//! block allows. Only the first block of a tick may start too high, when a peak begins right there;
//! its samples are held at full scale one by one, which flattens a peak but never jumps. So no
//! sample waits for the next tick, and none ever wraps.

use codecs::audio::Channels;

/// Gain changes direction only at multiples of this: 2.5 ms, in samples per channel.
const BLOCK_SAMPLES: usize = 120;

/// How long the gain stays down after the last peak: 20 ms, a period of 50 Hz, lest it follow the
/// waveform of a low voice.
const HOLD_BLOCKS: u32 = 8;

/// 1.0.
const UNITY: u32 = 1 << GAIN_BITS;
const GAIN_BITS: u32 = 30;

/// A sixteenth of the distance to 1.0 per block is a time constant of 40 ms.
const RELEASE_SHIFT: u32 = 4;

/// The last stretch of the release is straight, so that it ends.
const SMALLEST_RELEASE: u32 = UNITY >> 11;

/// The largest magnitude of 16 bits; see [`magnitude`].
const FULL_SCALE: u32 = 32_767;

/// Turns ticks of sums into ticks of 16-bit samples.
#[derive(Clone, Debug)]
pub(crate) struct Limiter {
    /// Samples of one block over all channels.
    block_len: usize,
    /// Gain after the last sample so far.
    gain: u32,
    /// Blocks until the release may go on.
    hold: u32,
}

impl Limiter {
    pub(crate) fn new(channels: Channels) -> Self {
        Self {
            block_len: BLOCK_SAMPLES * channels.count(),
            gain: UNITY,
            hold: 0,
        }
    }

    /// Limits one tick, of any whole number of blocks. `sums` and `pcm` are equally long.
    pub(crate) fn limit(&mut self, sums: &[i32], pcm: &mut [i16]) {
        debug_assert_eq!(sums.len(), pcm.len());
        if self.gain == UNITY && peak(sums) <= FULL_SCALE {
            for (sample, &sum) in pcm.iter_mut().zip(sums) {
                *sample = to_sample(i64::from(sum));
            }
            return;
        }
        let mut blocks = sums.chunks(self.block_len).peekable();
        let mut need = blocks.peek().map_or(UNITY, |first| allowed(peak(first)));
        for pcm in pcm.chunks_mut(self.block_len) {
            let Some(block) = blocks.next() else { break };
            let next_need = blocks.peek().map_or(UNITY, |next| allowed(peak(next)));
            let ceiling = need.min(next_need);
            let end = self.released().min(ceiling);
            if ceiling <= end && ceiling < UNITY {
                self.hold = HOLD_BLOCKS;
            } else {
                self.hold = self.hold.saturating_sub(1);
            }
            apply(block, pcm, self.gain, end);
            self.gain = end;
            need = next_need;
        }
    }

    /// The gain one block on, were there no peak.
    fn released(&self) -> u32 {
        if self.hold > 0 {
            return self.gain;
        }
        let step = ((UNITY - self.gain) >> RELEASE_SHIFT).max(SMALLEST_RELEASE);
        (self.gain + step).min(UNITY)
    }
}

/// Multiplies `block` by a gain that runs straight from `start` to `end`.
fn apply(block: &[i32], pcm: &mut [i16], start: u32, end: u32) {
    let step = (i64::from(end) - i64::from(start)) / block.len().max(1) as i64;
    let mut gain = i64::from(start);
    for (sample, &sum) in pcm.iter_mut().zip(block) {
        let magnitude = magnitude(sum);
        let allowed = if magnitude > FULL_SCALE {
            gain.min(i64::from(allowed(magnitude)))
        } else {
            gain
        };
        *sample = to_sample((i64::from(sum) * allowed + i64::from(UNITY / 2)) >> GAIN_BITS);
        gain += step;
    }
}

/// The largest gain that keeps `peak` within full scale.
fn allowed(peak: u32) -> u32 {
    if peak <= FULL_SCALE {
        return UNITY;
    }
    // Below UNITY because the peak is above full scale.
    u32::try_from((u64::from(FULL_SCALE) << GAIN_BITS) / u64::from(peak)).unwrap_or(UNITY)
}

fn peak(sums: &[i32]) -> u32 {
    sums.iter().copied().map(magnitude).max().unwrap_or(0)
}

/// 0 to 32 767 for what fits in 16 bits, more for what does not: −32 768 fits, so negative values
/// count from −1.
fn magnitude(sum: i32) -> u32 {
    (sum ^ (sum >> 31)).unsigned_abs()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "clamped to the range of the target on the same line"
)]
fn to_sample(value: i64) -> i16 {
    value.clamp(i64::from(i16::MIN), i64::from(i16::MAX)) as i16
}

#[cfg(test)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "numbers written down in tests are small"
)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TICK: usize = 960;

    #[test]
    fn sums_within_16_bits_pass_unchanged() {
        let sums: Vec<i32> = (i32::from(i16::MIN)..=i32::from(i16::MAX)).collect();
        let mut limiter = Limiter::new(Channels::Mono);

        for tick in sums.chunks(TICK) {
            let pcm = limited(&mut limiter, tick);

            assert!(
                tick.iter()
                    .zip(&pcm)
                    .all(|(&sum, &pcm)| sum == i32::from(pcm))
            );
        }
    }

    #[test]
    fn a_peak_in_mid_tick_is_met_with_the_gain_already_down() {
        let mut sums = sine(20_000, 440, 0..TICK);
        for sum in &mut sums[480..600] {
            *sum *= 3;
        }
        let mut limiter = Limiter::new(Channels::Mono);

        let pcm = limited(&mut limiter, &sums);

        // Two blocks before the peak nothing has changed; in the peak nothing is flat: no two
        // neighbors of a rising sine stand at full scale.
        assert!((0..360).all(|at| i32::from(pcm[at]) == sums[at]));
        assert!(
            pcm[480..600]
                .windows(2)
                .all(|pair| pair[0] != pair[1] || pair[0].abs() < 32_700)
        );
    }

    #[test]
    fn a_loud_start_of_a_tick_flattens_but_does_not_jump() {
        let mut limiter = Limiter::new(Channels::Mono);
        let before = limited(&mut limiter, &sine(30_000, 200, 0..TICK));
        // The same sine, its amplitude growing threefold over 5 ms right from the border.
        let loud: Vec<i32> = sine(30_000, 200, TICK..2 * TICK)
            .iter()
            .enumerate()
            .map(|(at, &sum)| sum + sum * 2 * at.min(240) as i32 / 240)
            .collect();

        let after = limited(&mut limiter, &loud);

        let steepest_input = loud.windows(2).map(|p| (p[1] - p[0]).abs()).max().unwrap();
        let joined: Vec<i16> = before.iter().chain(&after).copied().collect();
        let steepest = joined
            .windows(2)
            .map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs())
            .max()
            .unwrap();
        assert!(steepest <= steepest_input, "{steepest} > {steepest_input}");
    }

    #[test]
    fn a_steady_loud_tone_stays_a_clean_tone() {
        for frequency_hz in [50, 80, 440, 997, 4_000] {
            let mut limiter = Limiter::new(Channels::Mono);
            let mut error = 0.0;
            let mut power = 0.0;

            for tick in 0..50 {
                let sums = sine(60_000, frequency_hz, tick * TICK..(tick + 1) * TICK);
                let pcm = limited(&mut limiter, &sums);
                // The first peaks have set the gain by then.
                for (&sum, &sample) in sums.iter().zip(&pcm).filter(|_| tick >= 2) {
                    let clean = f64::from(sum) * 32_767.0 / 60_000.0;
                    error += (f64::from(sample) - clean).powi(2);
                    power += clean.powi(2);
                }
            }

            let distortion_db = 10.0 * (error / power).log10();
            assert!(
                distortion_db < -50.0,
                "{frequency_hz} Hz: {distortion_db} dB"
            );
        }
    }

    #[test]
    fn the_gain_is_back_to_one_within_a_quarter_of_a_second() {
        let mut limiter = Limiter::new(Channels::Mono);
        limited(&mut limiter, &sine(65_534, 440, 0..TICK));

        let quiet: Vec<i32> = vec![10_000; TICK];
        let ticks_to_unity = (1..50)
            .find(|_| {
                limited(&mut limiter, &quiet)
                    .iter()
                    .all(|&sample| sample == 10_000)
            })
            .unwrap();

        assert!((6..=13).contains(&ticks_to_unity), "{ticks_to_unity}");
    }

    #[test]
    fn the_release_is_smooth() {
        let mut limiter = Limiter::new(Channels::Mono);
        limited(&mut limiter, &vec![65_534; TICK]);
        let mut last = 8_192;

        for _ in 0..20 {
            for sample in limited(&mut limiter, &vec![16_384; TICK]) {
                // A sixteenth of the way per 120 samples: at most 4.3 per sample.
                assert!((-1..=5).contains(&(i32::from(sample) - last)));
                last = i32::from(sample);
            }
        }

        assert_eq!(last, 16_384);
    }

    #[test]
    fn both_channels_get_the_gain_of_the_louder() {
        let mut limiter = Limiter::new(Channels::Stereo);
        let sums: Vec<i32> = [65_534, 1_000].repeat(TICK);

        let pcm = limited(&mut limiter, &sums);

        // From the second block on the gain is the same for both; in the first, the loud channel
        // alone is held at full scale while the gain comes down.
        for frame in pcm[2 * BLOCK_SAMPLES..].chunks(2) {
            assert_eq!(frame, [32_767, 500]);
        }
    }

    proptest! {
        #[test]
        fn no_sum_whatever_leaves_16_bits_or_changes_sign(
            ticks in prop::collection::vec(
                prop::collection::vec(-134_217_728i32..=134_217_727, 240), 1..8,
            )
        ) {
            let mut limiter = Limiter::new(Channels::Mono);

            for sums in &ticks {
                for (&sum, sample) in sums.iter().zip(limited(&mut limiter, sums)) {
                    // Wrapping would change the sign; rounding may bring it to zero.
                    prop_assert!(i64::from(sum) * i64::from(sample) >= 0);
                    prop_assert!(i32::from(sample).abs() <= sum.abs());
                }
            }
        }

        #[test]
        fn limiting_never_makes_the_output_clip_where_the_gain_alone_decides(
            sums in prop::collection::vec(-300_000i32..=300_000, 480)
        ) {
            let mut limiter = Limiter::new(Channels::Mono);

            let pcm = limited(&mut limiter, &sums);

            // From the second block on the gain at every border is low enough, so the straight
            // line of gains decides alone and the output is the input times one slope.
            for (block_sums, block) in sums.chunks(120).zip(pcm.chunks(120)).skip(1) {
                let needed = allowed(peak(block_sums));
                for (&sum, &sample) in block_sums.iter().zip(block) {
                    let most = ((i64::from(sum.abs()) * i64::from(needed)) >> GAIN_BITS) + 1;
                    prop_assert!(i64::from(sample).abs() <= most);
                }
            }
        }
    }

    fn limited(limiter: &mut Limiter, sums: &[i32]) -> Vec<i16> {
        let mut pcm = vec![0; sums.len()];
        limiter.limit(sums, &mut pcm);
        pcm
    }

    fn sine(amplitude: i32, frequency_hz: usize, samples: std::ops::Range<usize>) -> Vec<i32> {
        samples
            .map(|at| {
                let phase = (at * frequency_hz) as f64 / 48_000.0 * std::f64::consts::TAU;
                (f64::from(amplitude) * phase.sin()).round() as i32
            })
            .collect()
    }
}
