//! How often an endpoint is tried, and when an event is given up. Pure; time and chance are arguments.
//!
//! | what came of a try | what follows |
//! |---|---|
//! | 2xx | the next event |
//! | no answer, 408, 425, 429, 502, 503, 504: the endpoint is away | another try, until the event is too old |
//! | another 5xx: it may be the event | another try, at most [`MAX_FAILURES`], then the next event |
//! | 410 | none, until the operator says so |
//! | anything else, redirects too: it is not wanted | the next event |
//!
//! Between tries it waits [`FIRST_WAIT`], twice as long each time, at most [`LONGEST_WAIT`], and of
//! that at least half, by chance: then those that lost the same server do not come back together. It
//! is the endpoint that is waited for, so the wait goes on growing with the next event. `Retry-After`
//! makes it longer, up to [`LONGEST_OBEYED`].

use std::time::Duration;

use tokio::time::Instant;

/// The tries of one event that the endpoint answers with a failure.
pub(super) const MAX_FAILURES: u32 = 8;

/// The longest wait after the first failure.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The longest wait of our own.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// The longest wait that an endpoint may ask for.
const LONGEST_OBEYED: Duration = Duration::from_secs(3_600);

/// What came of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// An answer with this status, and how long it asks to wait.
    Answered {
        status: u16,
        retry_after: Option<Duration>,
    },
    /// None, or not in time.
    NoAnswer,
}

/// What to do about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Delivered,
    Again,
    GiveUp(Reason),
    /// Nothing more is wanted there.
    Gone,
}

/// Why an event is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// The endpoint does not want it.
    Refused,
    /// The endpoint failed over it too often.
    Failed,
    /// It has become too old.
    TooOld,
}

/// What is known of an endpoint.
#[derive(Debug)]
pub(super) struct Persistence {
    keep: Duration,
    /// Tries in a row after which a wait was due.
    in_vain: u32,
    /// Those of the event at hand that were answered with a failure.
    failures: u32,
    rest: Rest,
}

/// When the next try may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    None,
    Until(Instant),
    ForGood,
}

impl Persistence {
    /// Events are given up that are older than `keep`.
    pub(super) const fn new(keep: Duration) -> Self {
        Self {
            keep,
            in_vain: 0,
            failures: 0,
            rest: Rest::None,
        }
    }

    /// Whether an event of this age is given up without another try.
    pub(super) fn is_too_old(&self, age: Duration) -> bool {
        age > self.keep
    }

    /// When the next try may be, of whichever event.
    pub(super) const fn rest(&self) -> Rest {
        self.rest
    }

    /// Has the next try be at once.
    pub(super) fn wake(&mut self) {
        (self.in_vain, self.rest) = (0, Rest::None);
    }

    /// Takes note of what came of a try that ended at `now`. `chance` is 0 to 1000.
    pub(super) fn judge(&mut self, outcome: Outcome, now: Instant, chance: u16) -> Verdict {
        let (status, retry_after) = match outcome {
            Outcome::Answered {
                status,
                retry_after,
            } => (Some(status), retry_after),
            Outcome::NoAnswer => (None, None),
        };
        let verdict = match status {
            Some(200..=299) => Verdict::Delivered,
            Some(410) => Verdict::Gone,
            None | Some(408 | 425 | 429 | 502..=504) => Verdict::Again,
            Some(500..=599) if self.failures + 1 < MAX_FAILURES => {
                self.failures += 1;
                Verdict::Again
            }
            Some(500..=599) => Verdict::GiveUp(Reason::Failed),
            Some(_) => Verdict::GiveUp(Reason::Refused),
        };
        match verdict {
            Verdict::Delivered | Verdict::GiveUp(Reason::Refused | Reason::TooOld) => self.wake(),
            Verdict::Again | Verdict::GiveUp(Reason::Failed) => {
                self.rest = Rest::Until(now + self.wait(retry_after, chance));
            }
            Verdict::Gone => self.rest = Rest::ForGood,
        }
        if verdict != Verdict::Again {
            self.failures = 0;
        }
        verdict
    }

    /// The event at hand is another from here on.
    pub(super) const fn turn_over(&mut self) {
        self.failures = 0;
    }

    fn wait(&mut self, asked: Option<Duration>, chance: u16) -> Duration {
        let doubled = 2u32.checked_pow(self.in_vain).unwrap_or(u32::MAX);
        self.in_vain = self.in_vain.saturating_add(1);
        let longest = FIRST_WAIT.saturating_mul(doubled).min(LONGEST_WAIT);
        let wait = longest / 2 + longest / 2 * u32::from(chance.min(1_000)) / 1_000;
        wait.max(asked.unwrap_or_default().min(LONGEST_OBEYED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16) -> Outcome {
        Outcome::Answered {
            status,
            retry_after: None,
        }
    }

    /// The waits after as many tries, each with the longest that chance allows, in seconds.
    fn waits(persistence: &mut Persistence, outcome: Outcome, tries: usize) -> Vec<u64> {
        let mut now = Instant::now();
        let waits = std::iter::repeat_with(|| {
            assert_eq!(persistence.judge(outcome, now, 1_000), Verdict::Again);
            let Rest::Until(next) = persistence.rest() else {
                panic!("{:?}", persistence.rest());
            };
            let wait = next - now;
            now = next;
            wait.as_secs()
        });
        waits.take(tries).collect()
    }

    fn persistence() -> Persistence {
        Persistence::new(Duration::from_secs(3_600))
    }

    #[test]
    fn each_status_has_its_verdict() {
        for (status, verdict) in [
            (200, Verdict::Delivered),
            (204, Verdict::Delivered),
            (299, Verdict::Delivered),
            (301, Verdict::GiveUp(Reason::Refused)),
            (307, Verdict::GiveUp(Reason::Refused)),
            (400, Verdict::GiveUp(Reason::Refused)),
            (404, Verdict::GiveUp(Reason::Refused)),
            (408, Verdict::Again),
            (410, Verdict::Gone),
            (425, Verdict::Again),
            (429, Verdict::Again),
            (500, Verdict::Again),
            (501, Verdict::Again),
            (503, Verdict::Again),
            (600, Verdict::GiveUp(Reason::Refused)),
            (100, Verdict::GiveUp(Reason::Refused)),
        ] {
            let judged = persistence().judge(answered(status), Instant::now(), 0);
            assert_eq!(judged, verdict, "{status}");
        }
        let judged = persistence().judge(Outcome::NoAnswer, Instant::now(), 0);
        assert_eq!(judged, Verdict::Again);
    }

    #[test]
    fn an_endpoint_that_is_away_is_asked_less_and_less_often_and_never_less_than_so() {
        let mut persistence = persistence();

        let waits = waits(&mut persistence, Outcome::NoAnswer, 100);

        assert_eq!(waits[..10], [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
        assert!(waits[10..].iter().all(|wait| *wait == 300));
    }

    #[test]
    fn the_wait_goes_on_with_the_next_event_and_begins_anew_after_one_that_was_told() {
        let mut persistence = persistence();
        waits(&mut persistence, Outcome::NoAnswer, 3);

        persistence.turn_over();
        assert_eq!(waits(&mut persistence, Outcome::NoAnswer, 1), [8]);
        persistence.judge(answered(200), Instant::now(), 0);
        assert_eq!(persistence.rest(), Rest::None);
        assert_eq!(waits(&mut persistence, Outcome::NoAnswer, 1), [1]);
    }

    #[test]
    fn chance_takes_away_at_most_half() {
        let now = Instant::now();
        for (chance, ms) in [(0, 500), (500, 750), (1_000, 1_000), (u16::MAX, 1_000)] {
            let mut persistence = persistence();
            persistence.judge(Outcome::NoAnswer, now, chance);
            let until = now + Duration::from_millis(ms);
            assert_eq!(persistence.rest(), Rest::Until(until), "{chance}");
        }
    }

    #[test]
    fn an_endpoint_says_how_long_to_wait_within_bounds() {
        for (asked, waited) in [(0, 1), (1, 1), (30, 30), (3_600, 3_600), (86_400, 3_600)] {
            let outcome = Outcome::Answered {
                status: 503,
                retry_after: Some(Duration::from_secs(asked)),
            };
            assert_eq!(waits(&mut persistence(), outcome, 1), [waited], "{asked}");
        }
    }

    #[test]
    fn an_event_that_an_endpoint_fails_over_does_not_hold_up_the_others() {
        let mut persistence = persistence();
        let tries = usize::try_from(MAX_FAILURES).unwrap();
        waits(&mut persistence, answered(500), tries - 1);

        let judged = persistence.judge(answered(500), Instant::now(), 0);

        assert_eq!(judged, Verdict::GiveUp(Reason::Failed));
        assert!(matches!(persistence.rest(), Rest::Until(_)));
        let next = persistence.judge(answered(500), Instant::now(), 0);
        assert_eq!(next, Verdict::Again, "the next event has its own tries");
    }

    #[test]
    fn who_is_away_does_not_use_up_the_tries() {
        let mut persistence = persistence();

        waits(&mut persistence, answered(503), 100);

        assert!(!persistence.is_too_old(Duration::from_secs(3_600)));
        assert!(persistence.is_too_old(Duration::from_secs(3_601)));
    }

    #[test]
    fn an_endpoint_that_is_gone_is_left_alone_until_the_operator_says_so() {
        let mut persistence = persistence();

        persistence.judge(answered(410), Instant::now(), 0);
        assert_eq!(persistence.rest(), Rest::ForGood);
        persistence.wake();

        assert_eq!(persistence.rest(), Rest::None);
    }
}
