//! Beside traffic that keeps the queue full.
//!
//! Delay tells nothing about us then; loss still does. The share grows slowly and gives way to loss,
//! so that neither side starves. Every [`TEST_INTERVAL`] the rate goes down for a moment: a queue
//! that follows is ours after all.

use std::time::Duration;

use super::drain::{CUTS, Drain};
use super::signs::Signs;
use super::{Control, LOSS_PAUSE, LOSS_REDUCES, Mode, State, Step};

/// What is kept beside traffic that fills the queue, of what there was before, but no less than that,
/// bit/s.
pub(super) const SHARE: f64 = 0.5;
const LEAST_SHARE: f64 = 60_000.0;

/// What is over sooner was no contest.
const SHORTEST_CONTEST: Duration = Duration::from_secs(3);

/// Between two tests whether the queue is ours after all, and how long one takes.
const TEST_INTERVAL: Duration = Duration::from_secs(10);
const TEST_LENGTH: Duration = Duration::from_millis(1_500);

/// Whoever filled the queue is believed to be back if it fills again this soon.
pub(super) const BACK_WITHIN: Duration = Duration::from_secs(15);

/// While competing, the rate grows by this part of it a second until so much is lost, then falls to
/// that of it: slower than TCP on both accounts, as RFC 5348 asks for media.
const COMPETING_GROWTH: f64 = 0.04;
const COMPETING_LOSS: f64 = 0.02;
const COMPETING_CUT: f64 = 0.85;

/// Somebody else fills the queue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Contest {
    /// Not given up for a little loss.
    share: f64,
    began: Duration,
    next_test: Duration,
    /// The queue at the beginning of the test under way, and the rate before it.
    test: Option<(Duration, f64)>,
}

impl Control {
    /// Keeps `share`, bit/s, from now on.
    pub(super) fn begin_competing(&mut self, now: Duration, share: f64) {
        let share = share.max(LEAST_SHARE);
        self.state = State::Competing;
        self.set(share);
        self.mode = Mode::Competing(Contest {
            share,
            began: now,
            next_test: now + TEST_INTERVAL,
            test: None,
        });
    }

    /// Takes in what is seen while somebody else fills the queue.
    pub(super) fn compete(&mut self, signs: &Signs, mut contest: Contest, elapsed: f64) -> Step {
        if signs.queue < signs.empty(self.noise) {
            self.mode = Mode::Growing;
            self.state = State::Holding;
            self.limit = None;
            // What was over at once was a queue of our own after all.
            let lasted = signs.now.saturating_sub(contest.began) > SHORTEST_CONTEST;
            let share = contest.share.max(self.rate * COMPETING_CUT);
            self.competed = lasted.then_some((share, signs.now));
            return Step::LeftLimit;
        }
        if signs.excess_loss > LOSS_REDUCES {
            return self.yield_to_loss(signs);
        }
        if signs.excess_loss > COMPETING_LOSS {
            self.back_off(signs, contest.share);
        }
        match contest.test {
            None if signs.now >= contest.next_test => {
                contest.test = Some((signs.queue, self.rate));
                contest.next_test = signs.now + signs.response + TEST_LENGTH;
                self.set(self.rate * SHARE);
            }
            None => self.set(self.rate * (1.0 + COMPETING_GROWTH * elapsed)),
            Some((queue, rate)) if signs.queue.as_secs_f64() < 0.5 * queue.as_secs_f64() => {
                let drain = Drain {
                    cuts: CUTS - 1,
                    before: rate / SHARE,
                    ..Drain::of(signs, rate)
                };
                self.drain_from(signs, drain);
                return Step::Done;
            }
            Some((_, rate)) if signs.now >= contest.next_test => {
                contest.test = None;
                contest.next_test = signs.now + TEST_INTERVAL;
                self.set(rate);
            }
            Some(_) => {}
        }
        self.mode = Mode::Competing(contest);
        Step::Done
    }

    /// A loss while competing: the queue has overflowed, and all give way, but not below the share.
    fn back_off(&mut self, signs: &Signs, share: f64) {
        let pause = signs.response + LOSS_PAUSE;
        if self
            .last_loss_cut
            .is_none_or(|last| signs.now >= last + pause)
        {
            self.last_loss_cut = Some(signs.now);
            self.set((self.rate * COMPETING_CUT).max(share.min(self.rate)));
        }
    }
}
