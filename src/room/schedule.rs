//! Grid points in time: start + n × period, never drifting.

use std::time::{Duration, Instant};

use mixer::RoomTime;

use super::lateness::Lateness;

/// A thread that is later than this skips the grid points it missed instead of catching up.
const MAX_LATENESS: Duration = Duration::from_millis(200);

/// The grid of one media thread.
#[derive(Debug)]
pub(super) struct Schedule {
    start: Instant,
    period: Duration,
    next: u32,
    skipped: u64,
    lateness: Lateness,
}

/// When the next grid point is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GridPoint {
    pub(super) time: RoomTime,
    pub(super) number: u32,
    /// How long to wait for it; zero if it has passed.
    pub(super) wait: Duration,
}

impl Schedule {
    /// Grid points `period` after one another, counted from `start`; the first is the one after
    /// `now`.
    pub(super) fn new(start: Instant, period: Duration, now: Instant) -> Self {
        let mut schedule = Self {
            start,
            period,
            next: 0,
            skipped: 0,
            lateness: Lateness::new(),
        };
        schedule.next = schedule.number_after(now);
        schedule
    }

    /// The next grid point. One that has passed a little while ago is still given, so that no tick
    /// is lost to a busy moment; after more than [`MAX_LATENESS`] the missed ones are skipped and
    /// counted.
    pub(super) fn next(&mut self, now: Instant) -> GridPoint {
        let due = self.start + self.period * self.next;
        if now.saturating_duration_since(due) > MAX_LATENESS {
            let resumed = self.number_after(now);
            self.skipped += u64::from(resumed - self.next);
            self.next = resumed;
        }
        let number = self.next;
        self.next += 1;
        let since_start = self.period * number;
        let wait = (self.start + since_start).saturating_duration_since(now);
        GridPoint {
            time: RoomTime::new(since_start),
            number,
            wait,
        }
    }

    /// The tick of the grid point given out last begins at `now`.
    pub(super) fn begin(&mut self, now: Instant) {
        let due = self.start + self.period * self.next.saturating_sub(1);
        self.lateness.note(now.saturating_duration_since(due));
    }

    /// How late ticks have begun so far.
    pub(super) const fn lateness(&self) -> &Lateness {
        &self.lateness
    }

    /// Grid points skipped so far.
    pub(super) fn skipped(&self) -> u64 {
        self.skipped
    }

    fn number_after(&self, now: Instant) -> u32 {
        let passed = now.saturating_duration_since(self.start).as_nanos() / self.period.as_nanos();
        u32::try_from(passed + 1).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_millis(20);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn points_stay_on_the_grid_however_late_each_tick_runs() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, PERIOD, start);

        for (now, time, wait) in [(3, 20, 17), (47, 40, 0), (48, 60, 12), (60, 80, 20)] {
            let point = schedule.next(start + ms(now));
            assert_eq!(
                (point.time, point.wait),
                (RoomTime::from_ms(time), ms(wait))
            );
        }
    }

    #[test]
    fn a_thread_that_joins_later_begins_at_the_next_point() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, PERIOD, start + ms(1_005));

        assert_eq!(
            schedule.next(start + ms(1_005)).time,
            RoomTime::from_ms(1_020)
        );
    }

    #[test]
    fn a_tick_is_as_late_as_it_begins_after_its_point() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, PERIOD, start);

        for (asked, begun) in [(0, 20), (20, 47), (47, 60)] {
            schedule.next(start + ms(asked));
            schedule.begin(start + ms(begun));
        }

        assert_eq!(
            schedule.lateness().to_string(),
            "p50_us=1 p99_us=7000 max_us=7000 ticks=3"
        );
    }

    #[test]
    fn a_long_stall_skips_instead_of_catching_up() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, PERIOD, start);

        let point = schedule.next(start + ms(1_010));

        assert_eq!((point.time, point.number), (RoomTime::from_ms(1_020), 51));
        assert_eq!(schedule.skipped(), 50);
    }
}
