//! How loud one tick is, as RFC 6464 states it.

use std::fmt;

/// Audio level in −dBov (RFC 6464 §3): 0 is as loud as 16 bits can be (a full-scale square wave),
/// 127 is silence or anything quieter than −127 dBov. A *smaller* number is louder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(u8);

/// Fractional bits of [`log2_fixed`].
const LOG_BITS: u32 = 16;

/// 10·log10(2) in the same fixed point: decibels of power per doubling.
const DB_PER_DOUBLING: u64 = 197_283;

impl Level {
    /// Nothing to hear.
    pub const SILENT: Self = Self(127);

    /// The level of `pcm`: its root mean square over all channels. Integer arithmetic, so it is the
    /// same on every machine. Of no samples at all: [`Level::SILENT`].
    #[must_use]
    pub fn of(pcm: &[i16]) -> Self {
        let energy: u64 = pcm
            .iter()
            .map(|&sample| u64::from(sample.unsigned_abs()).pow(2))
            .sum();
        if energy == 0 {
            return Self::SILENT;
        }
        // log2 of (full scale)² · n / energy, which is never negative.
        let full = log2_fixed(pcm.len() as u64) + (30 << LOG_BITS);
        let doublings = full.saturating_sub(log2_fixed(energy));
        let db = (doublings * DB_PER_DOUBLING + (1 << (2 * LOG_BITS - 1))) >> (2 * LOG_BITS);
        Self(u8::try_from(db).map_or(127, |db| db.min(127)))
    }

    /// 0 (loudest) to 127 (silence), as it stands in an RFC 6464 header extension.
    #[must_use]
    pub const fn minus_dbov(self) -> u8 {
        self.0
    }

    #[cfg(test)]
    pub(crate) const fn from_minus_dbov(minus_dbov: u8) -> Self {
        Self(minus_dbov)
    }

    /// Decibels above −127 dBov, so that louder is more: 0 to 127.
    pub(crate) const fn loudness_db(self) -> u8 {
        127 - self.0
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "-{} dBov", self.0)
    }
}

/// log2 of `value`, which is not zero, with [`LOG_BITS`] fractional bits: the position of the
/// highest bit, then one bit per squaring of the rest.
fn log2_fixed(value: u64) -> u64 {
    let whole = value.ilog2();
    // The mantissa, from 1 up to but not including 2, with 31 fractional bits.
    let mut mantissa = if whole > 31 {
        value >> (whole - 31)
    } else {
        value << (31 - whole)
    };
    let mut log = u64::from(whole);
    for _ in 0..LOG_BITS {
        mantissa = (mantissa * mantissa) >> 31;
        log <<= 1;
        if mantissa >> 32 != 0 {
            mantissa >>= 1;
            log |= 1;
        }
    }
    log
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_and_no_samples_are_127() {
        assert_eq!(Level::of(&[0; 960]), Level::SILENT);
        assert_eq!(Level::of(&[]), Level::SILENT);
    }

    #[test]
    fn a_full_scale_square_wave_is_zero() {
        assert_eq!(Level::of(&[i16::MIN; 960]).minus_dbov(), 0);
        assert_eq!(Level::of(&[i16::MAX; 1920]).minus_dbov(), 0);
    }

    #[test]
    fn every_amplitude_gets_the_level_that_the_formula_gives() {
        for amplitude in 1..=i16::MAX {
            let exact = -20.0 * (f64::from(amplitude) / 32_768.0).log10();

            let level = f64::from(Level::of(&[amplitude, -amplitude]).minus_dbov());

            assert!(
                (level - exact).abs() < 0.502,
                "{amplitude}: {level} for {exact}"
            );
        }
    }

    #[test]
    fn one_quiet_sample_in_a_tick_is_quiet_but_not_silent() {
        let mut pcm = [0; 960];
        pcm[17] = 1;

        // 20·log10(32768) + 10·log10(960) = 90.3 + 29.8.
        assert_eq!(Level::of(&pcm).minus_dbov(), 120);
    }
}
