//! How many bytes went by in the last second.
//!
//! Counted in ten slots of 100 ms; the answer covers 900 ms to one second. Time is an argument and
//! may stand still, but not run backwards.

use std::time::{Duration, Instant};

/// The resolution.
const SLOT: Duration = Duration::from_millis(100);

/// Slots in a second.
const SLOTS: usize = 10;

/// Bytes over time. Constant in size.
#[derive(Debug, Default)]
pub(super) struct ByteRate {
    slots: [u64; SLOTS],
    /// Which slot is being filled, and since when.
    current: Option<(usize, Instant)>,
}

impl ByteRate {
    /// Counts `bytes` at `now`.
    pub(super) fn add(&mut self, bytes: u64, now: Instant) {
        let slot = self.turn(now);
        self.slots[slot] = self.slots[slot].saturating_add(bytes);
    }

    /// What was counted in the second before `now`.
    pub(super) fn last_second(&mut self, now: Instant) -> u64 {
        self.turn(now);
        self.slots
            .iter()
            .fold(0, |sum, slot| sum.saturating_add(*slot))
    }

    /// Empties the slots that `now` has moved past; says which one it is in.
    fn turn(&mut self, now: Instant) -> usize {
        let (mut slot, mut since) = *self.current.get_or_insert((0, now));
        if now.saturating_duration_since(since) >= SLOT * 10 {
            self.slots = [0; SLOTS];
            since = now;
        }
        while now.saturating_duration_since(since) >= SLOT {
            slot = (slot + 1) % SLOTS;
            self.slots[slot] = 0;
            since += SLOT;
        }
        self.current = Some((slot, since));
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_count_for_a_second_and_then_no_more() {
        let start = Instant::now();
        let mut rate = ByteRate::default();
        let rows = [
            (0, 100, 100),
            (50, 10, 110),
            (450, 5, 115),
            (999, 0, 115),
            (1_000, 1, 6),
            (1_399, 0, 6),
            (1_400, 0, 1),
            (60_000, 0, 0),
        ];

        for (at, bytes, expected) in rows {
            let now = start + Duration::from_millis(at);
            rate.add(bytes, now);

            assert_eq!(rate.last_second(now), expected, "at {at} ms");
        }
    }
}
