//! What a call came to.

use std::collections::BTreeMap;

use super::{SETTLED, UNTIL};

/// What it was like.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Milliseconds on each rung, by name.
    pub(super) rungs: BTreeMap<String, u64>,
    pub(super) changes: u32,
    /// When the rung was first another after the link had become half of what it was, in ms.
    pub(super) falls: Vec<u64>,
    pub(super) waits: Vec<u128>,
    pub(super) bits: usize,
}

impl Outcome {
    /// How much of the time it was on a rung, in percent.
    pub(super) fn share(&self, rung: &str) -> u64 {
        100 * self.rungs.get(rung).copied().unwrap_or_default() / (UNTIL - SETTLED)
    }

    /// How long packets were under way beyond the path's own delay, themselves included: the
    /// percentile, in ms.
    pub(super) fn wait(&self, percent: usize) -> u128 {
        let place = self.waits.len() * percent / 100;
        self.waits[place.min(self.waits.len() - 1)]
    }

    pub(super) fn used(&self, kbps: u64) -> usize {
        let lasted = usize::try_from(UNTIL - SETTLED).unwrap();
        100 * self.bits / lasted / usize::try_from(kbps).unwrap()
    }
}
