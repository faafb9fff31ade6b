//! Chance, the same everywhere.
//!
//! `SplitMix64` (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014): a
//! 64-bit counter through a mixing function. Passes the usual test batteries, needs no tables, and
//! is integer arithmetic only.

/// A stream of random numbers that its seed determines.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

/// The counter's step: 2⁶⁴ over the golden ratio, odd.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    /// The stream of `seed`. Any value is as good as another.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// 64 random bits.
    pub const fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Uniform in [0, 1), in steps of 2⁻⁵³, so that every value is exact.
    pub fn unit(&mut self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let bits = (self.bits() >> 11) as f64;
        bits / (1u64 << 53) as f64
    }

    /// True with probability `share`; always if that is 1 or more, never if 0 or less.
    pub fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// Exponential with mean 1, by comparisons alone (von Neumann: Various techniques used in
    /// connection with random digits, 1951), since a logarithm differs between platforms: runs of
    /// falling numbers of odd length are accepted, every one refused adds 1.
    pub fn exponential(&mut self) -> f64 {
        let mut whole = 0.0;
        loop {
            let first = self.unit();
            let (mut last, mut length) = (first, 1u32);
            loop {
                let next = self.unit();
                if next >= last {
                    break;
                }
                last = next;
                length += 1;
            }
            if length % 2 == 1 {
                return whole + first;
            }
            whole += 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_reference_implementation() {
        let mut random = Random::new(1_234_567);

        let first = [random.bits(), random.bits(), random.bits()];

        assert_eq!(
            first,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn units_are_uniform_and_exponentials_have_their_mean_and_their_tail() {
        let mut random = Random::new(7);
        let count = 100_000;

        let units: Vec<f64> = (0..count).map(|_| random.unit()).collect();
        let exponentials: Vec<f64> = (0..count).map(|_| random.exponential()).collect();

        let mean = |values: &[f64]| values.iter().sum::<f64>() / f64::from(count);
        let beyond = |values: &[f64], limit: f64| {
            values.iter().filter(|value| **value > limit).count() as f64 / f64::from(count)
        };
        assert!(units.iter().all(|unit| (0.0..1.0).contains(unit)));
        assert!((mean(&units) - 0.5).abs() < 0.01);
        assert!((beyond(&units, 0.9) - 0.1).abs() < 0.01);
        assert!((mean(&exponentials) - 1.0).abs() < 0.02);
        // e⁻³.
        assert!((beyond(&exponentials, 3.0) - 0.0498).abs() < 0.005);
    }
}
