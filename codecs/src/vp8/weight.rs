//! Which delta frames weigh more than they are worth.
//!
//! A picture that has nothing to do with the one before (a slide, a window brought to the front, a
//! participant whose video comes back) is predicted badly, and libvpx, which chose the quantizer before
//! it knew, makes a delta frame of several times a keyframe's weight. On a link that just carries the
//! bitrate all that follows waits for it. The same picture as a keyframe is aimed at the bitrate.

use crate::video::VIDEO_CLOCK_HZ;

/// A delta frame is too heavy beyond so many of the latest keyframe.
const KEYFRAMES: usize = 2;

/// It never is within this share of a second at the encoder's bitrate: an eighth.
const PER_SECOND: usize = 8;

/// The least time between two frames made anew, in ticks of 90 kHz: a second. What flickers takes
/// hardly more of the processor than what does not.
const PAUSE: u64 = VIDEO_CLOCK_HZ as u64;

/// Follows what an encoder makes.
#[derive(Debug, Default)]
pub(super) struct Weight {
    key_bytes: usize,
    remade_at: Option<u64>,
}

impl Weight {
    /// A keyframe has come out.
    pub(super) const fn keyframe(&mut self, bytes: usize) {
        self.key_bytes = bytes;
    }

    /// Whether a delta frame of `bytes`, at `timestamp` in ticks of 90 kHz, is better made anew as a
    /// keyframe. Then it counts as made anew.
    pub(super) fn is_too_much(&mut self, bytes: usize, timestamp: u64, bitrate_kbps: u32) -> bool {
        let bitrate = usize::try_from(bitrate_kbps).unwrap_or(usize::MAX);
        let share = bitrate.saturating_mul(1_000 / 8) / PER_SECOND;
        let rested = self
            .remade_at
            .is_none_or(|at| timestamp.saturating_sub(at) >= PAUSE);
        let heavy = bytes > share && bytes > self.key_bytes.saturating_mul(KEYFRAMES);
        if heavy && rested {
            self.remade_at = Some(timestamp);
        }
        heavy && rested
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delta_frame_is_too_heavy_beyond_two_keyframes_and_an_eighth_of_a_second() {
        // An eighth of a second at 320 kb/s is 5,000 bytes.
        for (key_bytes, bytes, too_much) in [
            (1_000, 5_000, false),
            (1_000, 5_001, true),
            (4_000, 8_000, false),
            (4_000, 8_001, true),
        ] {
            let mut weight = Weight::default();
            weight.keyframe(key_bytes);

            assert_eq!(weight.is_too_much(bytes, 0, 320), too_much, "{bytes}");
        }
    }

    #[test]
    fn what_flickers_is_made_anew_once_a_second() {
        let mut weight = Weight::default();
        weight.keyframe(1_000);

        let remade = (0..90).filter(|n| weight.is_too_much(20_000, n * 3_000, 320));

        assert_eq!(remade.count(), 3);
    }
}
