//! When to tell somebody that they send more than the server takes. Time is an argument.
//!
//! A tick or two over a bound happen to anybody, when a gap was filled or a thread was late. Who is
//! over it at [`TICKS`] ticks within [`WINDOW`] is told, and again every [`INTERVAL`] while it goes
//! on. After as long without any, it is over.

use std::time::Duration;

use mixer::RoomTime;

/// So many thinned ticks ...
const TICKS: u32 = 5;

/// ... within this time are no accident.
const WINDOW: Duration = Duration::from_secs(1);

/// The least time between two notices, and the calm after which an episode is over.
const INTERVAL: Duration = Duration::from_secs(10);

/// How one participant has done.
#[derive(Debug, Default)]
pub(super) struct Thinning {
    window: Option<(RoomTime, u32)>,
    told: Option<RoomTime>,
    last: Option<RoomTime>,
}

/// What to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Telling {
    /// It has begun: worth a line in the log as well.
    Begun,
    /// It goes on.
    GoesOn,
    /// Nothing, or not yet.
    Nothing,
}

impl Thinning {
    /// More came than was taken, at the tick of `now`.
    pub(super) fn note(&mut self, now: RoomTime) -> Telling {
        let is_over = |last: RoomTime| now.since(last) >= INTERVAL;
        if self.last.replace(now).is_some_and(is_over) {
            *self = Self {
                last: self.last,
                ..Self::default()
            };
        }
        let (since, ticks) = match self.window {
            Some((since, ticks)) if now.since(since) < WINDOW => (since, ticks + 1),
            _ => (now, 1),
        };
        self.window = Some((since, ticks));
        if ticks < TICKS {
            return Telling::Nothing;
        }
        match self.told {
            Some(told) if now.since(told) < INTERVAL => Telling::Nothing,
            told => {
                self.told = Some(now);
                told.map_or(Telling::Begun, |_| Telling::GoesOn)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said at which of the ticks `at`, in ms.
    fn told(at: impl IntoIterator<Item = u64>) -> Vec<(u64, Telling)> {
        let mut thinning = Thinning::default();
        at.into_iter()
            .map(|ms| (ms, thinning.note(RoomTime::from_ms(ms))))
            .filter(|(_, telling)| *telling != Telling::Nothing)
            .collect()
    }

    #[test]
    fn an_accident_is_not_told() {
        assert_eq!(told([0, 33, 66, 100, 1_000, 5_000, 5_033]), []);
    }

    #[test]
    fn what_goes_on_is_told_at_once_and_then_every_ten_seconds() {
        let all_the_time = (0..25_000).step_by(33);

        let told = told(all_the_time);

        assert_eq!(
            told,
            [
                (132, Telling::Begun),
                (10_164, Telling::GoesOn),
                (20_196, Telling::GoesOn)
            ]
        );
    }

    #[test]
    fn after_ten_calm_seconds_it_begins_anew() {
        let bursts = [0, 9_000, 19_132].map(|start| (0..5).map(move |tick| start + tick * 33));

        let told = told(bursts.into_iter().flatten());

        assert_eq!(told, [(132, Telling::Begun), (19_264, Telling::Begun)]);
    }
}
