//! Plays a bit faster or slower without changing the pitch: waveform similarity overlap-add.
//!
//! Verhelst, Roelands: An overlap-add technique based on waveform similarity (WSOLA) for high
//! quality time-scale modification of speech, ICASSP 1993. Voiced sound repeats itself every few
//! milliseconds. To shorten, one finds a lag at which the waveform looks like itself, and fades
//! from the one place over to the other, leaving out what lies between; to lengthen, one fades
//! back and plays the repeat once more. One call makes one such splice.
//!
//! Contract: the samples outside the splice are untouched, all channels are spliced at the same
//! place, and nothing is done where the waveform is not similar enough. Same samples, same splice,
//! on every machine: the products are integers, and only the last division is not.
//!
//! Bounds: a splice is [`SHORTEST_LAG`] to [`LONGEST_LAG`] samples per channel; a call looks at
//! [`PLACES`] places, so its cost is bounded, and allocates only what `pcm` lacks.

use std::ops::RangeInclusive;

use crate::audio::Level;

/// Lags that a splice can have: 2.5 to 12.5 ms, which holds a period of any voice.
pub(crate) const SHORTEST_LAG: usize = 120;
pub(crate) const LONGEST_LAG: usize = 600;

/// What is compared, and faded over: 7.5 ms.
pub(crate) const OVERLAP: usize = 360;

/// Where splices are tried, at most, a quarter of a tick apart.
const PLACES: usize = 4;
const PLACE_STEP: usize = 240;

/// The search is made on every fourth sample first.
const COARSE: usize = 4;

/// Sound quieter than this many dB below overload can be spliced anywhere.
const QUIET_MINUS_DBOV: u8 = 55;

/// How similar the waveform must be to itself, as a correlation coefficient.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) struct Similarity(pub(crate) f64);

/// A place and a lag.
#[derive(Clone, Copy, Debug)]
struct Splice {
    place: usize,
    lag: usize,
    similarity: Similarity,
}

/// Shortens `pcm` by at most `at_most` samples per channel, if it is at least `least` similar to
/// itself somewhere. Returns by how many.
pub(crate) fn shorten(
    pcm: &mut Vec<i16>,
    channels: usize,
    at_most: usize,
    least: Similarity,
) -> Option<usize> {
    let frames = pcm.len() / channels;
    let longest = at_most.min(LONGEST_LAG).min(frames.checked_sub(OVERLAP)?);
    let lags = SHORTEST_LAG..=longest;
    let places = 0..=frames - OVERLAP - longest;
    let splice = find(pcm, channels, places, &lags, least)?;
    let (from, to) = (splice.place, splice.place + splice.lag);
    for frame in 0..OVERLAP {
        for channel in 0..channels {
            let leaving = pcm[(from + frame) * channels + channel];
            let coming = pcm[(to + frame) * channels + channel];
            pcm[(to + frame) * channels + channel] = fade(leaving, coming, frame);
        }
    }
    pcm.drain(from * channels..to * channels);
    Some(splice.lag)
}

/// Lengthens `pcm` by a lag, if it is at least `least` similar to itself somewhere. Returns by how
/// many samples per channel.
pub(crate) fn lengthen(pcm: &mut Vec<i16>, channels: usize, least: Similarity) -> Option<usize> {
    let frames = pcm.len() / channels;
    let longest = LONGEST_LAG.min(frames.checked_sub(OVERLAP)?);
    let lags = SHORTEST_LAG..=longest;
    let places = 0..=frames - OVERLAP - longest;
    let splice = find(pcm, channels, places, &lags, least)?;
    // Room for the repeat, then the fade back to where it begins.
    let (from, to) = (splice.place + splice.lag, splice.place);
    let len = pcm.len();
    pcm.resize(len + splice.lag * channels, 0);
    pcm.copy_within(to * channels..len, from * channels);
    for frame in 0..OVERLAP {
        for channel in 0..channels {
            // What stood at `from` has moved on by the lag.
            let leaving = pcm[(from + splice.lag + frame) * channels + channel];
            let coming = pcm[(from + frame) * channels + channel];
            pcm[(from + frame) * channels + channel] = fade(leaving, coming, frame);
        }
    }
    Some(splice.lag)
}

/// Fades over linearly: all of `leaving` before the first of [`OVERLAP`] frames, all of `coming`
/// after the last.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a mean of two samples is within them"
)]
fn fade(leaving: i16, coming: i16, frame: usize) -> i16 {
    let weight = frame as i32 + 1;
    let whole = OVERLAP as i32 + 1;
    ((i32::from(leaving) * (whole - weight) + i32::from(coming) * weight + whole / 2)
        .div_euclid(whole)) as i16
}

/// The most similar splice; in quiet, the longest.
fn find(
    pcm: &[i16],
    channels: usize,
    places: RangeInclusive<usize>,
    lags: &RangeInclusive<usize>,
    least: Similarity,
) -> Option<Splice> {
    if lags.is_empty() {
        return None;
    }
    let mut best: Option<Splice> = None;
    for place in places.step_by(PLACE_STEP).take(PLACES) {
        let splice = best_lag(pcm, channels, place, lags);
        if best.is_none_or(|best| splice.similarity > best.similarity) {
            best = Some(splice);
        }
    }
    best.filter(|splice| splice.similarity >= least)
}

/// The lag at which the waveform at `place` is most similar to itself.
fn best_lag(pcm: &[i16], channels: usize, place: usize, lags: &RangeInclusive<usize>) -> Splice {
    let longest = *lags.end();
    let looked_at = &pcm[place * channels..(place + longest + OVERLAP) * channels];
    if Level::of(looked_at).minus_dbov() >= QUIET_MINUS_DBOV {
        return Splice {
            place,
            lag: longest,
            similarity: Similarity(1.0),
        };
    }
    let coarse = Mono::new(looked_at, channels);
    let rough = lags
        .clone()
        .step_by(COARSE)
        .map(|lag| (lag, coarse.similarity(lag / COARSE)))
        .fold(
            (longest, -2.0),
            |best, next| {
                if next.1 > best.1 { next } else { best }
            },
        )
        .0;
    let near =
        rough.saturating_sub(COARSE - 1).max(*lags.start())..=(rough + COARSE - 1).min(longest);
    let (lag, similarity) = near
        .map(|lag| (lag, similarity(looked_at, channels, lag)))
        .fold(
            (rough, -2.0),
            |best, next| {
                if next.1 > best.1 { next } else { best }
            },
        );
    Splice {
        place,
        lag,
        similarity: Similarity(similarity),
    }
}

/// All channels summed, every [`COARSE`] frames into one, scaled so that sums of products fit into
/// 32 bits, which processors do several of at once.
struct Mono {
    samples: [i16; (LONGEST_LAG + OVERLAP) / COARSE],
    /// Of the first part, to which the others are compared.
    energy: i32,
}

/// 90 products of 11 bits by 11 bits stay below 2³¹.
const MONO_BITS: u32 = 11;

impl Mono {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the shift leaves 11 bits and the sign"
    )]
    fn new(pcm: &[i16], channels: usize) -> Self {
        let mut sums = [0i32; (LONGEST_LAG + OVERLAP) / COARSE];
        for (sum, frames) in sums.iter_mut().zip(pcm.chunks(COARSE * channels)) {
            *sum = frames.iter().map(|&sample| i32::from(sample)).sum();
        }
        let loudest = sums.iter().fold(0, |most, sum| most | sum.unsigned_abs());
        let shift = (u32::BITS - loudest.leading_zeros()).saturating_sub(MONO_BITS);
        let samples = sums.map(|sum| (sum >> shift) as i16);
        let here = &samples[..OVERLAP / COARSE];
        Self {
            samples,
            energy: product(here, here),
        }
    }

    fn similarity(&self, lag: usize) -> f64 {
        let overlap = OVERLAP / COARSE;
        let here = &self.samples[..overlap];
        let there = &self.samples[lag..lag + overlap];
        coefficient(
            i64::from(product(here, there)),
            i64::from(self.energy),
            i64::from(product(there, there)),
        )
    }
}

fn product(here: &[i16], there: &[i16]) -> i32 {
    here.iter()
        .zip(there)
        .map(|(&here, &there)| i32::from(here) * i32::from(there))
        .sum()
}

fn similarity(pcm: &[i16], channels: usize, lag: usize) -> f64 {
    let here = &pcm[..OVERLAP * channels];
    let there = &pcm[lag * channels..(lag + OVERLAP) * channels];
    let product = |a: &[i16], b: &[i16]| {
        let products = a.iter().zip(b).map(|(&a, &b)| i32::from(a) * i32::from(b));
        products.map(i64::from).sum::<i64>()
    };
    coefficient(
        product(here, there),
        product(here, here),
        product(there, there),
    )
}

/// The correlation coefficient, from the sums of products with each other and with themselves, −1
/// to 1; 1 for silence beside silence.
#[expect(
    clippy::cast_precision_loss,
    reason = "rounding the same way everywhere is all that matters"
)]
fn coefficient(cross: i64, here: i64, there: i64) -> f64 {
    if here == 0 && there == 0 {
        return 1.0;
    }
    let scale = (here as f64).sqrt() * (there as f64).sqrt();
    if scale == 0.0 {
        0.0
    } else {
        cross as f64 / scale
    }
}

#[cfg(test)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "numbers written down in tests are small"
)]
mod tests {
    use std::f64::consts::TAU;

    use proptest::prelude::*;

    use super::*;

    const STRICT: Similarity = Similarity(0.9);

    fn tone(hz: f64, frames: usize) -> Vec<i16> {
        (0..frames)
            .map(|at| ((at as f64 * hz / 48_000.0 * TAU).sin() * 10_000.0) as i16)
            .collect()
    }

    /// The largest step from one sample to the next.
    fn steepest(pcm: &[i16]) -> i32 {
        pcm.windows(2)
            .map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs())
            .max()
            .unwrap_or(0)
    }

    #[test]
    fn a_tone_stays_a_tone_without_a_step() {
        for hz in [80.0, 123.0, 210.0, 333.3, 1_000.0, 3_456.7] {
            let original = tone(hz, 1_920);
            let mut shorter = original.clone();
            let mut longer = original.clone();

            let less = shorten(&mut shorter, 1, LONGEST_LAG, STRICT).unwrap();
            let more = lengthen(&mut longer, 1, STRICT).unwrap();

            assert_eq!(shorter.len() + less, 1_920, "{hz}");
            assert_eq!(longer.len(), 1_920 + more, "{hz}");
            let steepest_before = steepest(&original);
            assert!(steepest(&shorter) <= steepest_before * 11 / 10 + 2, "{hz}");
            assert!(steepest(&longer) <= steepest_before * 11 / 10 + 2, "{hz}");
            // A splice near a whole number of periods: what follows is in step with what was.
            let periods = less as f64 * hz / 48_000.0;
            assert!((periods - periods.round()).abs() < 0.08, "{hz} {less}");
        }
    }

    #[test]
    fn a_tone_with_a_whole_number_of_samples_per_period_is_spliced_to_the_bit() {
        let wave: Vec<i16> = tone(200.0, 240).repeat(12);
        let mut shorter = wave[..1_920].to_vec();
        let mut longer = wave[..960].to_vec();

        let less = shorten(&mut shorter, 1, LONGEST_LAG, STRICT).unwrap();
        let more = lengthen(&mut longer, 1, STRICT).unwrap();

        assert_eq!(shorter, wave[..1_920 - less]);
        assert_eq!(longer, wave[..960 + more]);
    }

    #[test]
    fn channels_are_spliced_together_and_do_not_mix() {
        let left = tone(200.0, 1_920);
        let mut pcm: Vec<i16> = left
            .iter()
            .flat_map(|&sample| [sample, -sample / 2])
            .collect();

        let less = shorten(&mut pcm, 2, LONGEST_LAG, STRICT).unwrap();

        assert_eq!(pcm.len(), 2 * (1_920 - less));
        assert!(
            pcm.chunks(2)
                .all(|frame| (frame[1] + frame[0] / 2).abs() <= 1)
        );
    }

    #[test]
    fn sound_that_never_repeats_is_left_alone_unless_pressed() {
        // A pulse that gets longer all the time.
        let original: Vec<i16> = (0..960)
            .map(|at: i32| {
                if (at * at / 7_000) % 2 == 0 {
                    9_000
                } else {
                    -9_000
                }
            })
            .collect();
        let mut pcm = original.clone();

        assert_eq!(shorten(&mut pcm, 1, 500, Similarity(0.999)), None);
        assert_eq!(pcm, original);
        assert!(shorten(&mut pcm, 1, 500, Similarity(-1.0)).is_some());
    }

    #[test]
    fn silence_is_shortened_by_as_much_as_one_likes() {
        let mut pcm = vec![0; 1_920];

        assert_eq!(shorten(&mut pcm, 1, 333, STRICT), Some(333));
    }

    #[test]
    fn too_little_sound_or_too_little_to_leave_out_is_left_alone() {
        assert_eq!(shorten(&mut vec![0; 400], 1, 500, STRICT), None);
        assert_eq!(shorten(&mut vec![0; 1_920], 1, 119, STRICT), None);
        assert_eq!(lengthen(&mut vec![0; 300], 1, STRICT), None);
    }

    proptest! {
        #[test]
        fn whatever_the_sound_lengths_add_up_and_no_sample_is_louder(
            pcm in prop::collection::vec(any::<i16>(), 0..2_000), at_most in 0..2_000usize
        ) {
            let most = pcm.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
            let (mut shorter, mut longer) = (pcm.clone(), pcm.clone());

            let less = shorten(&mut shorter, 1, at_most, Similarity(-1.0)).unwrap_or(0);
            let more = lengthen(&mut longer, 1, Similarity(-1.0)).unwrap_or(0);

            prop_assert!(less <= at_most.min(LONGEST_LAG) && more <= LONGEST_LAG);
            prop_assert_eq!(shorter.len() + less, pcm.len());
            prop_assert_eq!(longer.len(), pcm.len() + more);
            for sample in shorter.iter().chain(&longer) {
                prop_assert!(sample.unsigned_abs() <= most);
            }
        }
    }
}
