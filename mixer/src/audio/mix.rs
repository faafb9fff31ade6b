//! The sum of everybody, and what is left of it for one listener.
//!
//! Plain integers: at most [`MAX_CONTRIBUTIONS`] contributions of 16 bits cannot leave 32 bits, so full
//! mix less own equals the sum of the others to the last bit.

/// The most contributions one mix can take; a room has far fewer.
pub(crate) const MAX_CONTRIBUTIONS: usize = 4_096;

/// The sum of one tick's contributions, sample by sample.
#[derive(Debug)]
pub(crate) struct FullMix {
    sums: Vec<i32>,
}

impl FullMix {
    /// A mix of ticks of `len` interleaved samples.
    pub(crate) fn new(len: usize) -> Self {
        Self { sums: vec![0; len] }
    }

    /// Forgets the tick before.
    pub(crate) fn clear(&mut self) {
        self.sums.fill(0);
    }

    /// Adds one contribution, as long as the tick.
    pub(crate) fn add(&mut self, contribution: &[i16]) {
        debug_assert_eq!(contribution.len(), self.sums.len());
        for (sum, &sample) in self.sums.iter_mut().zip(contribution) {
            *sum += i32::from(sample);
        }
    }

    /// Everybody.
    pub(crate) fn sums(&self) -> &[i32] {
        &self.sums
    }

    /// Writes everybody but `own`, which must have been added, to `others`.
    pub(crate) fn minus(&self, own: &[i16], others: &mut [i32]) {
        debug_assert_eq!(own.len(), others.len());
        for ((other, &sum), &own) in others.iter_mut().zip(&self.sums).zip(own) {
            *other = sum - i32::from(own);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn full_mix_less_own_is_the_sum_of_the_others_exactly(
            contributions in prop::collection::vec(
                prop::collection::vec(any::<i16>(), 16), 1..30,
            )
        ) {
            let mut mix = FullMix::new(16);
            for contribution in &contributions {
                mix.add(contribution);
            }

            for (own, contribution) in contributions.iter().enumerate() {
                let mut others = [0; 16];
                mix.minus(contribution, &mut others);

                for (at, &heard) in others.iter().enumerate() {
                    let expected: i32 = contributions
                        .iter()
                        .enumerate()
                        .filter(|&(other, _)| other != own)
                        .map(|(_, samples)| i32::from(samples[at]))
                        .sum();
                    prop_assert_eq!(heard, expected);
                }
            }
        }
    }

    #[test]
    fn the_most_contributions_at_full_scale_stay_within_32_bits() {
        let mut mix = FullMix::new(2);

        for _ in 0..MAX_CONTRIBUTIONS {
            mix.add(&[i16::MIN, i16::MAX]);
        }

        assert_eq!(mix.sums(), [-32_768 * 4_096, 32_767 * 4_096]);
    }

    #[test]
    fn a_cleared_mix_is_silent() {
        let mut mix = FullMix::new(3);
        mix.add(&[1, 2, 3]);

        mix.clear();

        assert_eq!(mix.sums(), [0, 0, 0]);
    }
}
