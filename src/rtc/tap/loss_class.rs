//! How much in-band FEC a listener's audio needs, from the loss its receiver reports.
//!
//! Three classes, so that listeners can share encodes and settings do not wander. Opus answers an
//! expected loss of a few percent with no FEC at all, so any lasting loss means class ten. Up is
//! quick, since each lost packet is heard; down takes a while, since loss comes in phases. Time is
//! an argument.

use std::time::{Duration, Instant};

use mixer::audio::LossClass;

/// A report weighs as much as the time it covers, up to this.
const WINDOW: Duration = Duration::from_secs(5);

/// Smoothed loss, in percent, from which on a class is entered, and below which it is left.
const ENTER_TEN: f32 = 1.0;
const LEAVE_TEN: f32 = 0.3;
const ENTER_TWENTY: f32 = 12.0;
const LEAVE_TWENTY: f32 = 8.0;

/// For how long the loss must have been below the limit before a class is left.
const HOLD: Duration = Duration::from_secs(10);

/// Watches one listener.
#[derive(Debug, Default)]
pub(super) struct LossWatch {
    class: LossClass,
    /// Smoothed, in percent.
    loss: f32,
    last_report: Option<Instant>,
    /// When the present class was last needed.
    needed: Option<Instant>,
}

impl LossWatch {
    /// A report arrives at `now`: since the one before, `fraction_lost` 256ths were lost. Gives the
    /// class from now on.
    pub(super) fn report(&mut self, fraction_lost: u8, now: Instant) -> LossClass {
        let covered = self
            .last_report
            .map_or(WINDOW, |last| now.saturating_duration_since(last));
        self.last_report = Some(now);
        let weight = covered.min(WINDOW).as_secs_f32() / WINDOW.as_secs_f32();
        self.loss += (f32::from(fraction_lost) * 100.0 / 256.0 - self.loss) * weight;

        let entered = match self.loss {
            loss if loss >= ENTER_TWENTY => LossClass::Twenty,
            loss if loss >= ENTER_TEN => LossClass::Ten,
            _ => LossClass::None,
        };
        let still_needed = match self.class {
            LossClass::None => true,
            LossClass::Ten => self.loss >= LEAVE_TEN,
            LossClass::Twenty => self.loss >= LEAVE_TWENTY,
        };
        if entered > self.class {
            self.class = entered;
            self.needed = Some(now);
        } else if still_needed {
            self.needed = Some(now);
        } else if self
            .needed
            .is_none_or(|needed| now.saturating_duration_since(needed) >= HOLD)
        {
            self.class = if self.loss >= LEAVE_TEN {
                LossClass::Ten
            } else {
                LossClass::None
            };
            self.needed = Some(now);
        }
        self.class
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reports a second apart: percent lost, for so many seconds; the classes they give.
    fn classes(phases: &[(u8, usize)]) -> Vec<LossClass> {
        let start = Instant::now();
        let mut watch = LossWatch::default();
        let losses = phases
            .iter()
            .flat_map(|(percent, seconds)| std::iter::repeat_n(*percent, *seconds));
        losses
            .zip(0_u64..)
            .map(|(percent, second)| {
                let fraction = u8::try_from(u32::from(percent) * 256 / 100).unwrap();
                watch.report(fraction, start + Duration::from_secs(second))
            })
            .collect()
    }

    #[test]
    fn lasting_loss_brings_a_class_at_once_and_a_single_packet_does_not() {
        assert_eq!(classes(&[(0, 5), (2, 1), (0, 9)]), [LossClass::None; 15]);
        let five_percent = classes(&[(0, 1), (6, 10)]);
        assert_eq!(five_percent[1], LossClass::Ten);
        assert_eq!(five_percent[10], LossClass::Ten);
        let thirty_percent = classes(&[(0, 1), (30, 4)]);
        assert_eq!(thirty_percent[1], LossClass::Ten);
        assert_eq!(thirty_percent[4], LossClass::Twenty);
    }

    #[test]
    fn a_class_is_left_only_after_a_while_without_its_loss() {
        let seconds_in =
            |class, classes: &[LossClass]| classes.iter().filter(|c| **c == class).count();

        let classes = classes(&[(25, 20), (0, 60)]);

        assert_eq!(classes.last(), Some(&LossClass::None));
        let after = &classes[20..];
        // Smoothing takes a few seconds to fall to the limit, then the hold counts.
        assert!(
            (11..=20).contains(&seconds_in(LossClass::Twenty, after)),
            "{after:?}"
        );
        assert!(
            (10..=30).contains(&seconds_in(LossClass::Ten, after)),
            "{after:?}"
        );
    }

    #[test]
    fn loss_between_the_limits_does_not_toggle_the_class() {
        let twenty = classes(&[(30, 10), (10, 30), (14, 10), (10, 30)]);
        let ten = classes(&[(10, 10), (2, 30), (11, 10), (2, 30)]);

        assert_eq!(twenty, [LossClass::Twenty; 80]);
        assert_eq!(ten, [LossClass::Ten; 80]);
    }

    proptest! {
        #[test]
        fn any_reports_give_a_loss_between_nothing_and_everything(
            reports in prop::collection::vec((any::<u8>(), 0_u64..20_000), 0..100),
        ) {
            let mut watch = LossWatch::default();
            let mut now = Instant::now();
            for (fraction_lost, pause_ms) in reports {
                now += Duration::from_millis(pause_ms);

                watch.report(fraction_lost, now);

                prop_assert!((0.0..=100.0).contains(&watch.loss));
            }
        }
    }
}
