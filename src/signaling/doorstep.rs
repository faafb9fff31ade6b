//! How long a session may be there for nothing: without a seat, and without a place among those who
//! wait for one. Pure: time is an argument.
//!
//! Who has a place has all the time; who has lost it may look for another as long as at first.

use std::time::Duration;

use tokio::time::Instant;

/// One session's.
#[derive(Debug)]
pub(super) struct Doorstep {
    within: Duration,
    had_a_place: bool,
    join_by: Instant,
}

impl Doorstep {
    /// For a session that has no place yet, and gets one `within` that time or ends.
    pub(super) fn new(within: Duration, now: Instant) -> Self {
        Self {
            within,
            had_a_place: false,
            join_by: now + within,
        }
    }

    /// When to look again at the latest; `None` if the time is over.
    pub(super) fn look(&mut self, has_a_place: bool, now: Instant) -> Option<Instant> {
        if has_a_place || self.had_a_place {
            self.join_by = now + self.within;
        }
        self.had_a_place = has_a_place;
        (now < self.join_by).then_some(self.join_by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHIN: Duration = Duration::from_secs(10);
    const MOMENT: Duration = Duration::from_millis(1);

    #[test]
    fn who_gets_no_place_has_so_long_whatever_they_say_meanwhile() {
        let start = Instant::now();
        let mut doorstep = Doorstep::new(WITHIN, start);
        let end = start + WITHIN;

        assert_eq!(doorstep.look(false, start), Some(end));
        assert_eq!(doorstep.look(false, end - MOMENT), Some(end));
        assert_eq!(doorstep.look(false, end), None);
    }

    #[test]
    fn who_has_a_place_has_all_the_time() {
        let start = Instant::now();
        let mut doorstep = Doorstep::new(WITHIN, start);

        for n in 1..100 {
            let now = start + WITHIN * n;
            assert_eq!(doorstep.look(true, now), Some(now + WITHIN));
        }
    }

    #[test]
    fn who_loses_a_place_has_as_long_as_at_first() {
        let start = Instant::now();
        let mut doorstep = Doorstep::new(WITHIN, start);
        doorstep.look(true, start);
        let lost = start + 5 * WITHIN;

        assert_eq!(doorstep.look(false, lost), Some(lost + WITHIN));
        assert_eq!(doorstep.look(false, lost + WITHIN), None);
    }
}
