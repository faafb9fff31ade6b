//! When to ask a source for a keyframe, and when to make one.

use std::time::Duration;

use crate::RoomTime;

/// Coalesces viewers' requests: at most one forced keyframe per interval.
///
/// A keyframe weighs as much as several frames' budget, and every viewer of a rung gets it, so
/// one that is ill must not flood the others.
#[derive(Debug)]
pub(crate) struct KeyframeThrottle {
    interval: Duration,
    requested: Requested,
    forced_at: Option<RoomTime>,
}

#[derive(Debug, PartialEq, Eq)]
enum Requested {
    Yes,
    No,
}

impl KeyframeThrottle {
    /// No more than one keyframe per `interval`.
    pub(crate) const fn new(interval: Duration) -> Self {
        Self {
            interval,
            requested: Requested::No,
            forced_at: None,
        }
    }

    /// Somebody needs a keyframe.
    pub(crate) const fn request(&mut self) {
        self.requested = Requested::Yes;
    }

    /// Whether the frame made at `now` is to be a keyframe. If so, the requests are answered.
    pub(crate) fn poll(&mut self, now: RoomTime) -> bool {
        let rested = self
            .forced_at
            .is_none_or(|forced_at| now.since(forced_at) >= self.interval);
        let due = self.requested == Requested::Yes && rested;
        if due {
            self.forced_at = Some(now);
            self.requested = Requested::No;
        }
        due
    }
}

/// Asks a source for a keyframe until one comes: at once, then ever less often.
#[derive(Debug, Default)]
pub(crate) struct KeyframeRequests {
    last: Option<(RoomTime, Duration)>,
}

/// Pause after the first request. Longer than most round trips plus a keyframe's sending time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause between two requests.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

impl KeyframeRequests {
    /// Whether to ask at `now`, given that a keyframe is needed.
    pub(crate) fn poll(&mut self, now: RoomTime) -> bool {
        let pause = match self.last {
            None => FIRST_PAUSE,
            Some((asked_at, pause)) if now.since(asked_at) < pause => return false,
            Some((_, pause)) => (pause * 2).min(LONGEST_PAUSE),
        };
        self.last = Some((now, pause));
        true
    }

    /// A keyframe has begun to come: the sender does answer, so should this one be lost on the way,
    /// the next pauses are short again.
    pub(crate) fn answered(&mut self) {
        if let Some((_, pause)) = &mut self.last {
            *pause = FIRST_PAUSE / 2;
        }
    }

    /// A keyframe came and could be decoded.
    pub(crate) const fn satisfied(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> RoomTime {
        RoomTime::from_ms(ms)
    }

    #[test]
    fn burst_of_requests_sends_one_then_one_more_after_the_interval() {
        let mut throttle = KeyframeThrottle::new(Duration::from_millis(500));

        throttle.request();
        throttle.request();
        assert!(throttle.poll(at(0)));

        throttle.request();
        assert!(!throttle.poll(at(499)));
        assert!(throttle.poll(at(500)));
        assert!(!throttle.poll(at(2_000)));
    }

    #[test]
    fn nobody_asking_forces_nothing() {
        let mut throttle = KeyframeThrottle::new(Duration::from_millis(500));

        assert!(!throttle.poll(at(0)));
        assert!(!throttle.poll(at(10_000)));
    }

    #[test]
    fn an_unanswered_source_is_asked_ever_less_often() {
        let mut requests = KeyframeRequests::default();

        let asked: Vec<u64> = (0..20_000)
            .step_by(100)
            .filter(|ms| requests.poll(at(*ms)))
            .collect();

        assert_eq!(asked, [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500]);
    }

    #[test]
    fn a_sender_whose_keyframes_get_lost_is_asked_as_often_as_at_first() {
        let mut requests = KeyframeRequests::default();
        let polled = |requests: &mut KeyframeRequests, range: std::ops::Range<u64>| {
            let asked = range.step_by(100).filter(|ms| requests.poll(at(*ms)));
            asked.collect::<Vec<_>>()
        };
        assert_eq!(polled(&mut requests, 0..2_000), [0, 500, 1_500]);

        requests.answered();

        assert_eq!(polled(&mut requests, 2_000..5_000), [2_000, 2_500, 3_500]);
    }

    #[test]
    fn a_keyframe_makes_the_next_need_urgent_again() {
        let mut requests = KeyframeRequests::default();
        assert!(requests.poll(at(0)));
        assert!(requests.poll(at(500)));

        requests.satisfied();

        assert!(requests.poll(at(600)));
        assert!(!requests.poll(at(1_000)));
        assert!(requests.poll(at(1_100)));
    }
}
