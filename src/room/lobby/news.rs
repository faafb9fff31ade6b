//! How often it is told who waits.

use std::time::{Duration, Instant};

/// More often than this nobody is told who else waits.
const TELL_EVERY: Duration = Duration::from_millis(250);

/// Whether there is news to tell: people who come and go must not fill the lines of those who wait
/// and of moderators.
#[derive(Debug, Default)]
pub(in crate::room) struct News {
    told_at: Option<Instant>,
    outdated: bool,
}

impl News {
    /// Something changed at `now`; whether it is to be told at once.
    pub(in crate::room) fn change(&mut self, now: Instant) -> bool {
        self.outdated = true;
        self.is_due(now)
    }

    /// Whether there is something to tell at `now`: it counts as told then.
    pub(in crate::room) fn is_due(&mut self, now: Instant) -> bool {
        let rested = |at| now.saturating_duration_since(at) >= TELL_EVERY;
        let due = self.outdated && self.told_at.is_none_or(rested);
        if due {
            (self.told_at, self.outdated) = (Some(now), false);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_fast_people_come_and_go_that_is_told_four_times_a_second() {
        let start = Instant::now();
        let mut news = News::default();
        let at = |ms| start + Duration::from_millis(ms);

        let told = (0..1_000).filter(|ms| news.change(at(*ms)));
        assert_eq!(told.collect::<Vec<_>>(), [0, 250, 500, 750]);

        assert!(!news.is_due(at(999)));
        assert!(news.is_due(at(1_000)), "the last change is told as well");
        assert!(!news.is_due(at(5_000)), "nothing changed since");
    }
}
