//! The loss, and how much of it is congestion.
//!
//! Measured over the last [`WINDOW`], at least [`ENOUGH`] packets. A radio loses some whatever one
//! sends; that share is learnt: loss that stays although we have come down is not ours, and what
//! remains in good times is the floor. Only what exceeds it counts (the draft takes all loss for
//! congestion, draft-ietf-rmcat-gcc-02 §6: at 15 % of random loss it ends at nothing).
//!
//! Constant in size.

use std::collections::VecDeque;
use std::time::Duration;

/// How long a packet counts: what a report of loss covers (RFC 3550 §6.4.1, at a report a second).
const WINDOW: Duration = Duration::from_secs(1);

/// Or until there are this many after it: 2 % of fewer is no packet at all.
const ENOUGH: u32 = 50;

/// The slots that are kept of either.
const SLOT: Duration = Duration::from_millis(100);
const SLOTS: usize = 40;

/// Loss that is never held against the path: 2 % as in the draft, where it still grows.
const ALWAYS: f64 = 0.02;

/// The most that is believed to be the path's own: half more than what audio prepares for.
const MOST: f64 = 0.3;

/// What was lost lately.
#[derive(Debug)]
pub(super) struct Loss {
    slots: VecDeque<Slot>,
    inherent: f64,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    began: Duration,
    packets: u32,
    lost: u32,
}

impl Default for Loss {
    fn default() -> Self {
        Self {
            slots: VecDeque::with_capacity(SLOTS + 1),
            inherent: ALWAYS,
        }
    }
}

impl Loss {
    /// A packet that left at `departure` arrived or was `lost`.
    pub(super) fn count(&mut self, departure: Duration, lost: u32) {
        match self.slots.back_mut() {
            Some(slot) if departure.saturating_sub(slot.began) < SLOT => {
                slot.packets += 1;
                slot.lost += lost;
            }
            _ => self.slots.push_back(Slot {
                began: departure,
                packets: 1,
                lost,
            }),
        }
        let packets: u32 = self.slots.iter().map(|slot| slot.packets).sum();
        let first = self
            .slots
            .front()
            .map_or((0, departure), |slot| (slot.packets, slot.began));
        let old = departure.saturating_sub(first.1) > WINDOW;
        if self.slots.len() > SLOTS || (old && packets - first.0 >= ENOUGH) {
            self.slots.pop_front();
        }
    }

    /// Begins anew with what was lost lately, not with what the path always loses.
    pub(super) fn forget(&mut self) {
        self.slots.clear();
    }

    /// The share lost, 0 to 1.
    pub(super) fn share(&self) -> f64 {
        let packets: u32 = self.slots.iter().map(|slot| slot.packets).sum();
        let lost: u32 = self.slots.iter().map(|slot| slot.lost).sum();
        if packets < ENOUGH / 2 {
            return 0.0;
        }
        f64::from(lost) / f64::from(packets)
    }

    /// What of it is more than the path always loses.
    pub(super) fn excess(&self) -> f64 {
        (self.share() - self.inherent).max(0.0)
    }

    /// The share the path always loses.
    pub(super) fn inherent(&self) -> f64 {
        self.inherent
    }

    /// Sending less did not help: what is lost now is the path's own.
    pub(super) fn accept(&mut self) {
        self.inherent = self.share().clamp(ALWAYS, MOST);
    }

    /// Follows a path that has become better, `elapsed` after the last call.
    pub(super) fn relax(&mut self, elapsed: Duration) {
        let share = self.share().max(ALWAYS);
        if share < self.inherent {
            let step = (elapsed.as_secs_f64() / 10.0).min(1.0);
            self.inherent += (share - self.inherent) * step;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `count` packets, one every 20 ms from `from` on, of which each `every`th is lost.
    fn count(loss: &mut Loss, from: u64, count: u64, every: u64) {
        for n in 0..count {
            let departure = Duration::from_millis(from + 20 * n);
            loss.count(departure, u32::from(n % every == 0));
        }
    }

    #[test]
    fn two_percent_are_never_held_against_the_path() {
        let mut loss = Loss::default();

        count(&mut loss, 0, 200, 50);

        assert!((0.01..0.03).contains(&loss.share()), "{}", loss.share());
        assert!(loss.excess() < 0.01);
    }

    #[test]
    fn loss_is_that_of_the_last_second_or_of_fifty_packets() {
        let mut loss = Loss::default();
        count(&mut loss, 0, 200, 5);
        assert!(loss.excess() > 0.15);

        count(&mut loss, 4_000, 100, 1_000);

        assert!(loss.share() < 0.03, "{}", loss.share());
    }

    #[test]
    fn loss_that_is_the_paths_own_counts_no_more_until_the_path_is_better() {
        let mut loss = Loss::default();
        count(&mut loss, 0, 200, 5);

        loss.accept();
        assert!(loss.excess() < 0.01 && loss.inherent() > 0.15);
        count(&mut loss, 4_000, 200, 1_000);
        for _ in 0..60 {
            loss.relax(Duration::from_secs(1));
        }

        assert!(loss.inherent() < 0.03, "{}", loss.inherent());
    }
}
