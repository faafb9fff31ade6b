//! What the encoder of a rung is set to, over time.

use std::time::Duration;

use crate::RoomTime;

/// The least time between two changes: an encoder needs some frames to get where it was sent.
const PAUSE: Duration = Duration::from_millis(250);

/// A change below one part in this is none.
const STEP: u32 = 20;

/// Follows the slowest of a rung's viewers. It cannot be dragged below the rung's range, since
/// whoever has less watches a lower rung.
#[derive(Clone, Copy, Debug)]
pub struct RungRate {
    kbps: u32,
    changed_at: Option<RoomTime>,
}

impl RungRate {
    /// An encoder that starts at `kbps`.
    #[must_use]
    pub const fn new(kbps: u32) -> Self {
        Self {
            kbps,
            changed_at: None,
        }
    }

    /// What the encoder is set to.
    #[must_use]
    pub const fn kbps(&self) -> u32 {
        self.kbps
    }

    /// What the encoder is to be set to at `now`, if that is another bitrate than before, where
    /// each viewer can take one of `viewers_kbps`. Without viewers it stays.
    pub fn follow(
        &mut self,
        now: RoomTime,
        viewers_kbps: impl Iterator<Item = u32>,
    ) -> Option<u32> {
        let wanted = viewers_kbps.min()?;
        let rested = self
            .changed_at
            .is_none_or(|changed_at| now.since(changed_at) >= PAUSE);
        if !rested || wanted.abs_diff(self.kbps) * STEP <= self.kbps {
            return None;
        }
        self.kbps = wanted;
        self.changed_at = Some(now);
        Some(wanted)
    }
}
