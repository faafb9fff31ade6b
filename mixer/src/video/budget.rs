//! What one live source may cost.

use codecs::video::FrameKind;

use crate::RoomTime;

/// Bounds the pixels that a source may have decoded: so many per second, [`BURST_MS`] of it at once.
///
/// The price of a frame is known only after it was decoded, so the last one may overdraw; the next
/// waits until that is paid back.
#[derive(Debug)]
pub(crate) struct Budget {
    pixels_per_s: i64,
    most: i64,
    balance: i64,
    refilled_at: Option<RoomTime>,
}

/// Enough for what a filled gap sets free, too little to hold up everybody's tick for long.
const BURST_MS: i64 = 200;

/// A keyframe takes two to five times as long to decode as the frames between: whoever sends nothing
/// else pays for it. At the default rate, 30 of 720p a second are within what is allowed.
const KEYFRAME_WEIGHT: i64 = 4;

/// Even a tiny frame costs a call, a header, a wake-up: 320x180.
const MIN_PRICE: i64 = 57_600;

impl Budget {
    /// `pixels_per_s` and no more, in the long run.
    pub(crate) const fn new(pixels_per_s: u32) -> Self {
        let pixels_per_s = pixels_per_s as i64;
        let most = pixels_per_s * BURST_MS / 1_000;
        Self {
            pixels_per_s,
            most,
            balance: most,
            refilled_at: None,
        }
    }

    /// Whether another frame may be decoded at `now`.
    pub(crate) fn allows(&mut self, now: RoomTime) -> bool {
        let since = now.since(self.refilled_at.unwrap_or(now));
        self.refilled_at = Some(now);
        let micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
        let earned = micros.saturating_mul(self.pixels_per_s) / 1_000_000;
        self.balance = self.balance.saturating_add(earned).min(self.most);
        self.balance > 0
    }

    /// A frame of so many pixels was decoded.
    pub(crate) fn spend(&mut self, kind: FrameKind, pixels: usize) {
        let price = i64::try_from(pixels).unwrap_or(i64::MAX).max(MIN_PRICE);
        let weight = match kind {
            FrameKind::Key => KEYFRAME_WEIGHT,
            FrameKind::Delta => 1,
        };
        self.balance = self.balance.saturating_sub(price.saturating_mul(weight));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VGA: usize = 640 * 360;

    fn frames_in_ten_seconds(pixels_per_s: u32, kind: FrameKind, pixels: usize) -> u64 {
        let mut budget = Budget::new(pixels_per_s);
        let mut frames = 0;
        for ms in (0..10_000).step_by(33) {
            for _ in 0..1_000 {
                if budget.allows(RoomTime::from_ms(ms)) {
                    budget.spend(kind, pixels);
                    frames += 1;
                }
            }
        }
        frames
    }

    #[test]
    fn a_source_gets_its_rate_and_a_burst_in_advance() {
        let frames = frames_in_ten_seconds(30 * 640 * 360, FrameKind::Delta, VGA);

        assert!((303..=307).contains(&frames), "{frames} frames");
    }

    #[test]
    fn keyframes_count_for_what_they_cost() {
        let frames = frames_in_ten_seconds(4 * 30 * 640 * 360, FrameKind::Key, VGA);

        assert!((303..=307).contains(&frames), "{frames} frames");
    }

    #[test]
    fn no_size_overflows() {
        let mut budget = Budget::new(u32::MAX);

        for _ in 0..3 {
            budget.spend(FrameKind::Key, usize::MAX);
        }

        assert!(!budget.allows(RoomTime::from_ms(1_000_000_000_000)));
    }

    #[test]
    fn tiny_frames_are_not_free() {
        let frames = frames_in_ten_seconds(30 * 57_600, FrameKind::Delta, 2);

        assert!((303..=307).contains(&frames), "{frames} frames");
    }

    #[test]
    fn a_debt_is_paid_back_before_the_next_frame() {
        let mut budget = Budget::new(1_000_000);
        assert!(budget.allows(RoomTime::from_ms(0)));

        budget.spend(FrameKind::Delta, 4_000_000);

        assert!(!budget.allows(RoomTime::from_ms(3_799)));
        assert!(budget.allows(RoomTime::from_ms(3_801)));
        assert!(budget.allows(RoomTime::from_ms(1_000_000_000_000)));
    }
}
