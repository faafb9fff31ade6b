//! Which rung a receiver gets, over time.
//!
//! Down soon, up late. A rung is left 200 ms after a seventh of its least bitrate is missing, and
//! 700 ms after any of it is: an estimate that dips once is not yet a thinner link. All of them dip
//! while a queue empties; the choice goes by what will be there afterwards. A higher one is taken when
//! there has been room for it, and a tenth more, for three seconds on end. Who has to come down
//! again soon after a rise waits twice as long for the next, up to 48 s, and is forgiven one such
//! failure a minute; so a link that seems to carry more now and then does not make the picture
//! flap. In the first ten seconds, when an estimate only begins to find the link, one second of
//! room is enough.
//!
//! # The constants
//!
//! What is promised bounds them: down within a second of congestion, of which an estimate takes 300 to
//! 700 ms, up only after sustained room, no flapping. Within that they were chosen by replaying recorded
//! estimates (`tests/recorded.rs`): four receivers whose links halve, double, halve and double, 20 s
//! each, and one whose link climbs for 14 s and falls to a third, six times. With the constants as they
//! are, the eight falls are followed in 0.5 to 0.8 s, the eight rises in 3.6 to 10.5 s, the four make 4
//! changes of rung each, one for each change of the link, and the sawtooth 10. Others, one at a time:
//!
//! | | instead of | |
//! |---|---|---|
//! | missed by far for 600 ms | 200 ms | six falls of the eight take 1.0 to 1.2 s |
//! | rising after 1.5 s | 3 s | every rise is 1.5 s sooner, and none of these fails |
//! | rising after 6 s | 3 s | one rise takes more than 20 s, the others 7 to 20 |
//! | with no room to spare | 110 % | nothing |
//! | with 125 % | 110 % | three rises take 13 to 15 s |
//! | a trial of 5 s | 10 s | the sawtooth makes 12 changes |
//! | a trial of 20 s | 10 s | two rises take more than 20 s |
//! | forgiven after 20 s | 60 s | the sawtooth makes 11 changes |

use std::time::Duration;

use super::overhead::video_kbps;
use super::{Ladder, MAX_RUNGS, RungSpec};
use crate::RoomTime;

/// What a receiver gets to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VideoChoice {
    /// A rung of the ladder.
    Rung {
        /// Its place in the ladder, 0 for the lowest.
        index: usize,
        /// What its encoder may be set to for this receiver, within the rung's range.
        kbps: u32,
    },
    /// Nothing.
    Paused,
}

impl VideoChoice {
    /// The rung's place in the ladder.
    #[must_use]
    pub const fn index(self) -> Option<usize> {
        match self {
            Self::Rung { index, .. } => Some(index),
            Self::Paused => None,
        }
    }
}

/// Why a receiver gets no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// There is no more.
    Best,
    /// The link carries no more, as far as is known.
    Bandwidth,
    /// The receiver asked for no more.
    Asked,
    /// What the link carries is not known yet.
    Starting,
}

/// A rung whose least bitrate is missed by one part in this is missed by far: as much as an estimate
/// falls by to drain a queue of its own making, to 0.85 of what passes (draft-ietf-rmcat-gcc-02 §5.5).
const FAR: u32 = 7;

/// A rung missed by far is left after this, at the third look that finds so: an estimate has taken up to
/// 700 ms of the promised second by then.
const LEAVE_FAR_AFTER: Duration = Duration::from_millis(200);

/// A rung that is missed at all is left after this: a seventh too much makes 0.1 s of queue meanwhile,
/// and an estimate that is just below is often just above again.
const LEAVE_AFTER: Duration = Duration::from_millis(700);

/// There is room for a rung if there are so many percent of its least bitrate.
const ROOM_PERCENT: u32 = 110;

/// There must have been room for this long.
const RISE_AFTER: Duration = Duration::from_secs(3);

/// There must have been room for this long in the beginning, while an estimate doubles within 3 s.
const FIRST_RISE_AFTER: Duration = Duration::from_secs(1);

/// How long the beginning lasts, unless the receiver has to come down in it: twice what an estimate takes
/// to find 1 to 5 Mb/s.
const BEGINNING: Duration = Duration::from_secs(10);

/// The longest that room must have been there: four doublings, so that a link is tried once a minute. No
/// recording is long enough to tell it from 12 s; see the synthetic sawtooth of five minutes.
const LONGEST_RISE_AFTER: Duration = Duration::from_secs(48);

/// A rise has failed if the receiver has to come down within this.
const TRIAL: Duration = Duration::from_secs(10);

/// One failure is forgotten each time so long has passed without rise or fall.
const FORGIVEN_AFTER: Duration = Duration::from_secs(60);

/// What a link has for video, headers included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Headroom {
    /// The encoder goes by this.
    pub(super) now_kbps: u32,
    /// The choice goes by this: an estimate dips for as long as a queue empties, and no rung is left
    /// for that.
    pub(super) lasting_kbps: u32,
}

/// One receiver's choice over time.
#[derive(Debug, Default)]
pub(super) struct Choice {
    began_at: Option<RoomTime>,
    /// The rung's place; `None` while paused.
    current: Option<usize>,
    missed_since: Option<RoomTime>,
    /// Since when there has been room for each rung.
    room_since: [Option<RoomTime>; MAX_RUNGS],
    risen_at: Option<RoomTime>,
    fallen_at: Option<RoomTime>,
    failures: u32,
    /// Since when nothing has gone wrong that still counts.
    calm_since: Option<RoomTime>,
}

impl Choice {
    /// The place of the rung to get at `now`, out of those that are `allowed`, where the link has
    /// `headroom`. Times never go backwards.
    pub(super) fn tick(
        &mut self,
        now: RoomTime,
        ladder: &Ladder,
        headroom: Headroom,
        allowed: impl Fn(&RungSpec) -> bool,
    ) -> VideoChoice {
        let fits = |index: usize| -> Fit {
            let rung = &ladder.rungs()[index];
            if allowed(rung) {
                Fit::of(rung, headroom.lasting_kbps)
            } else {
                Fit::Forbidden
            }
        };
        self.note_room(now, ladder, &fits);
        let places = 0..ladder.rungs().len();
        let best = |least: Fit| places.clone().rev().find(|index| fits(*index) >= least);
        if self.began_at.is_none() {
            self.began_at = Some(now);
            self.current = best(Fit::Roomy);
        } else if self.must_leave(now, self.current.map(&fits)) {
            self.current = best(Fit::Fits);
            self.note_fall(now);
        } else if let Some(higher) = self.may_rise(now, &places) {
            self.current = Some(higher);
            self.risen_at = Some(now);
            self.calm_since = Some(now);
        }
        let Some(index) = self.current else {
            return VideoChoice::Paused;
        };
        let rung = &ladder.rungs()[index];
        VideoChoice::Rung {
            index,
            kbps: video_kbps(rung, headroom.now_kbps).clamp(*rung.kbps.start(), *rung.kbps.end()),
        }
    }

    fn note_room(&mut self, now: RoomTime, ladder: &Ladder, fits: &impl Fn(usize) -> Fit) {
        for (index, since) in self.room_since.iter_mut().enumerate() {
            if index < ladder.rungs().len() && fits(index) == Fit::Roomy {
                since.get_or_insert(now);
            } else {
                *since = None;
            }
        }
        let calm_since = *self.calm_since.get_or_insert(now);
        if now.since(calm_since) >= FORGIVEN_AFTER {
            self.failures = self.failures.saturating_sub(1);
            self.calm_since = Some(now);
        }
    }

    fn must_leave(&mut self, now: RoomTime, current: Option<Fit>) -> bool {
        let patience = match current {
            None | Some(Fit::Fits | Fit::Roomy) => {
                self.missed_since = None;
                return false;
            }
            Some(Fit::Forbidden) => Duration::ZERO,
            Some(Fit::Far) => LEAVE_FAR_AFTER,
            Some(Fit::Near) => LEAVE_AFTER,
        };
        let since = *self.missed_since.get_or_insert(now);
        now.since(since) >= patience
    }

    fn note_fall(&mut self, now: RoomTime) {
        let in_trial = |risen_at| now.since(risen_at) < TRIAL;
        if self.risen_at.is_some_and(in_trial) {
            self.failures += 1;
        }
        self.missed_since = None;
        self.fallen_at = Some(now);
        self.calm_since = Some(now);
    }

    fn may_rise(&self, now: RoomTime, places: &std::ops::Range<usize>) -> Option<usize> {
        let above = self.current.map_or(0, |index| index + 1);
        let wait = self.rise_after(now);
        let ready = |index: &usize| {
            let since = self.room_since[*index];
            since.is_some_and(|since| now.since(since) >= wait)
        };
        (above..places.end).rev().find(ready)
    }

    fn rise_after(&self, now: RoomTime) -> Duration {
        let began_at = self.began_at.unwrap_or(now);
        if self.fallen_at.is_none() && now.since(began_at) < BEGINNING {
            return FIRST_RISE_AFTER;
        }
        (RISE_AFTER * 2_u32.pow(self.failures.min(8))).min(LONGEST_RISE_AFTER)
    }
}

/// How a rung goes with a link, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// The receiver does not want it.
    Forbidden,
    /// Its least bitrate is missed by far.
    Far,
    /// Its least bitrate is missed.
    Near,
    Fits,
    /// There is more than its least bitrate.
    Roomy,
}

impl Fit {
    fn of(rung: &RungSpec, wire_kbps: u32) -> Self {
        let (kbps, least) = (video_kbps(rung, wire_kbps), *rung.kbps.start());
        if kbps < least - least / FAR {
            Self::Far
        } else if kbps < least {
            Self::Near
        } else if kbps < room_kbps(rung) {
            Self::Fits
        } else {
            Self::Roomy
        }
    }
}

/// What the encoder of `rung` must be able to have before somebody rises to it.
pub(super) fn room_kbps(rung: &RungSpec) -> u32 {
    (*rung.kbps.start() * ROOM_PERCENT).div_ceil(100)
}
