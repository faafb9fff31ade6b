//! Beside traffic that keeps the queue full.
//!
//! Delay tells nothing about us then; loss still does, and so do the waves of whoever waits for loss
//! ([`super::rivals`]). The rate grows by a constant and falls by a share, as theirs does, so that
//! neither side starves. Every [`TEST_INTERVAL`] it goes down for a moment: a queue that follows is ours
//! after all.
//!
//! Simulated (`tests/shared.rs`), with 300 ms of queue: beside a TCP that comes later we keep 32 to 43 %,
//! and beside one that was there first have 18 to 53 % after two minutes, most where the link is thin.

use std::time::Duration;

use super::drain::{CUTS, Drain};
use super::signs::Signs;
use super::{Control, LOSS_PAUSE, LOSS_REDUCES, Mode, State, Step};

/// What is kept beside traffic that fills the queue, of what there was before, but no less than that,
/// bit/s: narrow audio, and a still now and then.
pub(super) const SHARE: f64 = 0.5;
const LEAST_SHARE: f64 = 60_000.0;

/// What is over sooner was no contest.
const SHORTEST_CONTEST: Duration = Duration::from_secs(3);

/// Between two tests whether the queue is ours after all, and how long one takes: several of the waves
/// of a TCP over 1 Mb/s, and what a full queue of 300 ms takes to drain at half of the rate, twice.
const TEST_INTERVAL: Duration = Duration::from_secs(10);
const TEST_LENGTH: Duration = Duration::from_millis(1_500);

/// Whoever filled the queue is believed to be back if it fills again this soon.
pub(super) const BACK_WITHIN: Duration = Duration::from_secs(15);

/// A loss or a wave brings the rate down to this much of it (TCP: to half), and it grows by so many
/// packets a round trip each round trip (TCP: one). Who does so takes what a TCP takes (4 (1 - b^2) / 3;
/// Yang and Lam, "General AIMD Congestion Control", 2000), only more evenly.
pub(super) const COMPETING_CUT: f64 = 0.85;
const COMPETING_GROWTH: f64 = 0.37;
const PACKET_BITS: f64 = 9_600.0;

/// The shortest round trip that is reckoned with.
const SHORTEST_ROUND_TRIP: f64 = 0.05;

/// So much loss is one. For TCP any is; but a path may have some of its own. Twice as much does as well.
const COMPETING_LOSS: f64 = 0.01;

/// Beyond this share of the most that was seen to pass, it does not grow while they do not show that
/// they have more; without this bound a TCP that came later had 20 to 31 % of 300 kb/s. What was
/// seen fades by so much a second: half of it in a minute.
const FAIR: f64 = 0.5;
pub(super) const WIDEST_FADES: f64 = 0.01;

/// A contest that was over sooner is a ripple of the one before, and takes nothing more of the rate.
const RIPPLE: Duration = Duration::from_secs(1);

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
            let lasted = signs.now.saturating_sub(contest.began) > SHORTEST_CONTEST;
            if !lasted && !self.rivals.have_gone(signs.now) {
                // What was over at once, and by our own doing, was a queue of ours after all.
                self.rivals.were_not_seen();
            }
            let share = match signs.now.saturating_sub(contest.began) > RIPPLE {
                true => self.rate * COMPETING_CUT,
                false => self.rate,
            };
            let is_theirs = lasted || self.rivals.are_there(signs.now);
            self.competed = is_theirs.then_some((share, signs.now));
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
            None => self.grow_beside(signs, elapsed),
            Some((queue, rate)) if signs.queue.as_secs_f64() < 0.5 * queue.as_secs_f64() => {
                self.rivals.forget();
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

    /// Grows as a TCP would, to what is fair, or while there is proof that we have less.
    fn grow_beside(&mut self, signs: &Signs, elapsed: f64) {
        let round_trip = signs.response.as_secs_f64().max(SHORTEST_ROUND_TRIP);
        let growth = COMPETING_GROWTH * PACKET_BITS / (round_trip * round_trip);
        let grown = self.rate + growth * elapsed;
        if grown < FAIR * self.widest || self.rivals.have_more(signs.now) {
            self.set(grown);
        }
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
