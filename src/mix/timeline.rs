//! The merged grid of an offline mix: every audio tick and every picture, in order of time.

use std::time::Duration;

use mixer::RoomTime;

/// One audio tick.
const TICK: Duration = Duration::from_millis(20);

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    Audio,
    Video,
}

/// The next thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) time: RoomTime,
    pub(super) media: Media,
}

/// Both grids, from zero on. At equal times audio comes first.
#[derive(Debug)]
pub(super) struct Timeline {
    fps: u32,
    next_tick: u32,
    next_picture: u32,
}

impl Timeline {
    /// A timeline with `fps` pictures a second, 1 to 60.
    pub(super) fn new(fps: u32) -> Self {
        Self {
            fps,
            next_tick: 0,
            next_picture: 0,
        }
    }

    /// What is due next.
    pub(super) fn next(&mut self) -> Due {
        let (tick, picture) = (self.tick_time(), self.picture_time());
        if tick <= picture {
            self.next_tick += 1;
            Due {
                time: RoomTime::new(tick),
                media: Media::Audio,
            }
        } else {
            self.next_picture += 1;
            Due {
                time: RoomTime::new(picture),
                media: Media::Video,
            }
        }
    }

    fn tick_time(&self) -> Duration {
        TICK * self.next_tick
    }

    /// Exact, so that pictures do not drift from sound however long the mix is.
    fn picture_time(&self) -> Duration {
        let nanos = u64::from(self.next_picture) * 1_000_000_000 / u64::from(self.fps);
        Duration::from_nanos(nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audio_and_video_come_in_order_of_time_and_do_not_drift() {
        let mut timeline = Timeline::new(30);
        let mut ticks = 0;
        let mut pictures = 0;
        let mut last = RoomTime::START;

        while pictures < 30 * 60 {
            let due = timeline.next();
            assert!(due.time >= last);
            last = due.time;
            match due.media {
                Media::Audio => ticks += 1,
                Media::Video => pictures += 1,
            }
        }

        assert_eq!(last, RoomTime::new(Duration::from_nanos(59_966_666_666)));
        assert_eq!(ticks, 2_999);
    }
}
