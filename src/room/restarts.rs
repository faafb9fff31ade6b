//! How often a room's media may fail before the room is given up. Time is an argument.
//!
//! A fault that comes once, by an input that comes once, is over with a fresh start. One that comes
//! back is in what the participants send all the time, and would only make everybody wait.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// So many restarts ...
const MAX_RESTARTS: usize = 3;

/// ... within this time; the next failure ends the room.
const WINDOW: Duration = Duration::from_secs(60);

/// The restarts of one room; remembers the last [`MAX_RESTARTS`].
#[derive(Debug, Default)]
pub(super) struct Restarts {
    recent: VecDeque<Instant>,
}

impl Restarts {
    /// Whether another one makes sense at `now`; it counts then.
    pub(super) fn allow(&mut self, now: Instant) -> bool {
        let is_over = |at: &Instant| now.saturating_duration_since(*at) >= WINDOW;
        while self.recent.front().is_some_and(is_over) {
            self.recent.pop_front();
        }
        if self.recent.len() >= MAX_RESTARTS {
            return false;
        }
        self.recent.push_back(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fourth_failure_within_a_minute_is_the_last() {
        let start = Instant::now();
        let mut restarts = Restarts::default();
        let mut allow = |seconds| restarts.allow(start + Duration::from_secs(seconds));

        assert_eq!([0, 10, 59].map(&mut allow), [true; 3]);
        assert!(!allow(59));
        assert!(allow(60), "the first is over");
        assert!(!allow(69));
        assert!(allow(70));
    }
}
