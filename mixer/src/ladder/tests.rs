//! The ladder in virtual time.

mod data;
mod links;
mod rates;
mod recorded;
mod wishes;

use codecs::video::PictureSize;

use super::{Allocation, Downlink, Ladder, Receiver, VideoChoice};
use crate::RoomTime;

fn size(width: u32, height: u32) -> PictureSize {
    PictureSize::new(width, height).unwrap()
}

fn usual() -> Ladder {
    Ladder::usual(size(1280, 720), 30, 1_500).unwrap()
}

/// One receiver over the usual ladder, looked at every 100 ms.
struct Viewer {
    receiver: Receiver,
    ladder: Ladder,
    now_ms: u64,
}

impl Viewer {
    fn new() -> Self {
        Self {
            receiver: Receiver::new(32),
            ladder: usual(),
            now_ms: 0,
        }
    }

    fn tick(&mut self, kbps: Option<u32>) -> Allocation {
        self.hear(Downlink {
            bps: kbps.map(|kbps| u64::from(kbps) * 1_000),
            ..Downlink::default()
        })
    }

    fn hear(&mut self, downlink: Downlink) -> Allocation {
        let now = RoomTime::from_ms(self.now_ms);
        let allocation = self.receiver.tick(now, &self.ladder, downlink);
        self.now_ms += 100;
        allocation
    }

    /// What it watches, by name.
    fn name(&self, allocation: &Allocation) -> &str {
        match allocation.video {
            VideoChoice::Rung { index, .. } => &self.ladder.rungs()[index].name,
            VideoChoice::Paused => "paused",
        }
    }

    /// Plays what a link carries from now on, a value per 100 ms; gives every change of rung and
    /// when it was, from the begin of this play on.
    fn play(&mut self, kbps: impl Iterator<Item = u32>) -> Vec<(u64, String)> {
        let begin_ms = self.now_ms;
        let mut changes: Vec<(u64, String)> = Vec::new();
        for kbps in kbps {
            let at_ms = self.now_ms - begin_ms;
            let allocation = self.tick(Some(kbps));
            let name = self.name(&allocation).to_owned();
            if changes.last().is_none_or(|(_, last)| *last != name) {
                changes.push((at_ms, name));
            }
        }
        changes
    }

    /// As [`Self::play`], without when.
    fn names(&mut self, kbps: impl Iterator<Item = u32>) -> Vec<String> {
        let changes = self.play(kbps);
        changes.into_iter().map(|(_, name)| name).collect()
    }
}

/// The same for so many seconds.
fn steady(kbps: u32, seconds: usize) -> impl Iterator<Item = u32> {
    std::iter::repeat_n(kbps, seconds * 10)
}
