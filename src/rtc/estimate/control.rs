//! From what is seen of the path to a rate.
//!
//! | mode | entered | the rate |
//! |---|---|---|
//! | growing | the queue is empty | grows: 20 % a second while no limit is known, 4 % near the last one |
//! | draining | the queue stands or rises | falls below the capacity until the queue is empty, then resumes just under it |
//! | competing | the queue does not answer | holds half of what it had, whatever the queue |
//!
//! While packets stand in the queue, what arrives is the capacity, so that is known exactly then.
//! A rate just below it (0.85, as in draft-ietf-rmcat-gcc-02 §5.5) would take seconds to empty a
//! long queue; so the longer the queue, the deeper the cut, and the rate comes back as soon as the
//! queue is gone (as BBR drains; Cardwell et al., 2016).
//!
//! A queue of our own making must shrink when we send less than arrives. If it does not, after
//! [`CUTS`] cuts, somebody else fills it and delay tells nothing about us. Then we keep half of what
//! we had before and only loss counts, until the queue is seen empty. Every [`TEST_INTERVAL`] the
//! rate goes down for a moment to see whether the queue is ours after all.

use std::time::Duration;

use super::received::Rates;
use super::trend::Trend;

/// The queue counts as empty below this, and as standing above that; half of the spread of recent
/// delays is allowed for on top, up to [`MOST_SPREAD`].
const EMPTY: Duration = Duration::from_millis(10);
const STANDING: Duration = Duration::from_millis(25);
const MOST_SPREAD: Duration = Duration::from_millis(80);

/// A rising trend counts once this stands in the queue.
const RISING: Duration = Duration::from_millis(12);

/// A queue of this length would take the whole rate to drain in time; shorter ones a part of it.
const DRAIN_TIME: f64 = 0.5;
const DEEPEST_CUT: f64 = 0.4;
const SHALLOWEST_CUT: f64 = 0.9;

/// Where the rate resumes, of the capacity.
const RESUME: f64 = 0.94;

/// A cut that has not helped within its time is followed by another of this.
const FURTHER_CUT: f64 = 0.7;

/// So many cuts without an answer, and the queue is not ours.
const CUTS: u32 = 2;

/// What is kept beside traffic that fills the queue, of what there was before.
const SHARE: f64 = 0.5;
const TEST_INTERVAL: Duration = Duration::from_secs(10);
const TEST_LENGTH: Duration = Duration::from_millis(1_500);

/// Whoever filled the queue is believed to be back if it fills again this soon.
const BACK_WITHIN: Duration = Duration::from_secs(15);

/// Growth per second, in parts of the rate: towards the unknown and back to the last limit.
const FAR_GROWTH: f64 = 0.2;

/// Near the last limit the rate grows by the root of the rate times this, bit/s per second: 3 % of
/// 1 Mb/s, 12 % of 64 kb/s. Additive growth lets two streams that share a path become equal, but
/// what is right for one rate is nothing or far too much for another; the root does both.
const NEAR_GROWTH: f64 = 960.0;

/// The queue slows growth down, but never below this part of it: it has to be met, so that it is
/// drained and not taken for the path's own delay.
const LEAST_GROWTH: f64 = 0.3;

/// Near the last limit is from here to there.
const NEAR: std::ops::Range<f64> = 0.85..1.15;

/// The rate grows to at most this much of what was acknowledged (§5.5), and this many bit/s.
const BEYOND_ACKNOWLEDGED: f64 = 1.5;
const BEYOND_NOTHING: f64 = 10_000.0;

/// Excess loss that stops the growth, and that brings the rate down (§6: 10 %, less the 2 % that
/// never count).
const LOSS_HOLDS: f64 = 0.03;
const LOSS_REDUCES: f64 = 0.08;

/// Sending less than this share of the rate, we are not what fills the queue.
const USED: f64 = 0.7;

/// What is seen at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signs {
    pub(super) now: Duration,
    /// Stands in the queue.
    pub(super) queue: Duration,
    /// Stood there in the last packets.
    pub(super) newest: Duration,
    pub(super) spread: Duration,
    pub(super) trend: Trend,
    /// Beyond what the path always loses, 0 to 1.
    pub(super) excess_loss: f64,
    pub(super) inherent_loss: f64,
    pub(super) rates: Option<Rates>,
    /// The highest rate acknowledged lately, bit/s.
    pub(super) peak: f64,
    /// From sending a packet to hearing of it.
    pub(super) response: Duration,
}

/// What the rate does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Growing,
    Draining {
        capacity: f64,
        /// The queue when the last cut was made.
        queue: Duration,
        /// By then it should have answered.
        deadline: Duration,
        cuts: u32,
        /// What we had before all cuts.
        before: f64,
    },
    Competing {
        share: f64,
        next_test: Duration,
        /// The queue at the beginning of the test under way.
        test: Option<Duration>,
    },
}

/// What is going on, for whoever watches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::rtc) enum State {
    /// There is room, as far as is known.
    #[default]
    Growing,
    /// Neither up nor down.
    Holding,
    /// The path is full; the rate is below what it carries until the queue is empty.
    Limited,
    /// Somebody else fills the queue.
    Competing,
}

/// Decides.
#[derive(Debug)]
pub(super) struct Control {
    rate: f64,
    bounds: (f64, f64),
    mode: Mode,
    state: State,
    limit: Option<f64>,
    last_step: Option<Duration>,
    last_loss_cut: Option<Duration>,
    loss_cuts: u32,
    /// The share while somebody else filled the queue, and when that was over.
    competed: Option<(f64, Duration)>,
}

/// What a step asks of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing.
    Done,
    /// The path has shown a limit.
    MetLimit,
    /// The last limit is behind us.
    LeftLimit,
    /// Loss stays whatever we send.
    LossIsInherent,
}

impl Control {
    /// Begins with `rate`; stays within `bounds`, in bit/s.
    pub(super) fn new(rate: f64, bounds: (f64, f64)) -> Self {
        Self {
            rate,
            bounds,
            mode: Mode::Growing,
            state: State::Growing,
            limit: None,
            last_step: None,
            last_loss_cut: None,
            loss_cuts: 0,
            competed: None,
        }
    }

    /// The rate, in bit/s.
    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    /// What is going on.
    pub(super) fn state(&self) -> State {
        self.state
    }

    /// The capacity, where the path has shown it.
    pub(super) fn limit(&self) -> Option<f64> {
        self.limit
    }

    /// A probe has shown that the path carries `rate`.
    pub(super) fn raise(&mut self, rate: f64) {
        if self.mode == Mode::Growing && rate > self.rate {
            self.set(rate);
            if self.limit.is_some_and(|limit| rate > limit * NEAR.end) {
                self.limit = None;
            }
        }
    }

    /// A probe has shown that the path carries just `capacity`.
    pub(super) fn limit_to(&mut self, capacity: f64) {
        if self.mode == Mode::Growing && capacity > self.rate {
            self.set(capacity * NEAR.start);
            self.limit = Some(capacity);
        }
    }

    /// Nothing is heard any more: comes down to `share` of the rate, but not below `lowest`.
    pub(super) fn decay(&mut self, share: f64, lowest: f64) {
        self.mode = Mode::Growing;
        self.state = State::Holding;
        self.limit = None;
        self.set((self.rate * share).max(lowest.min(self.rate)));
    }

    /// Sets the rate to what the participant says.
    pub(super) fn follow(&mut self, rate: f64) {
        self.state = if rate < self.rate {
            State::Limited
        } else {
            State::Growing
        };
        self.set(rate);
    }

    /// Takes in what is seen now.
    pub(super) fn step(&mut self, signs: &Signs) -> Step {
        let elapsed = self.last_step.map_or(0.0, |last| {
            signs.now.saturating_sub(last).as_secs_f64().min(1.0)
        });
        self.last_step = Some(signs.now);
        match self.mode {
            Mode::Growing => self.grow_or_cut(signs, elapsed),
            Mode::Draining { .. } => self.drain(signs),
            Mode::Competing { .. } => self.compete(signs),
        }
    }

    fn grow_or_cut(&mut self, signs: &Signs, elapsed: f64) -> Step {
        if signs.is_congested() {
            return self.cut(signs);
        }
        if signs.excess_loss > LOSS_REDUCES {
            return self.yield_to_loss(signs);
        }
        if signs.excess_loss < LOSS_HOLDS / 2.0 {
            self.loss_cuts = 0;
        }
        if signs.trend == Trend::Rising || signs.excess_loss > LOSS_HOLDS {
            self.state = State::Holding;
            return Step::Done;
        }
        self.grow(signs, elapsed)
    }

    fn grow(&mut self, signs: &Signs, elapsed: f64) -> Step {
        self.state = State::Growing;
        let near = self
            .limit
            .is_some_and(|limit| NEAR.contains(&(self.rate / limit)));
        let far = self.rate * FAR_GROWTH;
        let growth = if near { far.min((self.rate * NEAR_GROWTH).sqrt()) } else { far };
        let room = 1.0 - (signs.queue.as_secs_f64() / STANDING.as_secs_f64()).min(1.0);
        let most = signs.peak * BEYOND_ACKNOWLEDGED + BEYOND_NOTHING;
        let grown = (self.rate + growth * elapsed * room.max(LEAST_GROWTH)).min(most);
        self.set(self.rate.max(grown));
        if self
            .limit
            .is_some_and(|limit| self.rate >= limit * NEAR.end)
        {
            self.limit = None;
            return Step::LeftLimit;
        }
        Step::Done
    }

    fn cut(&mut self, signs: &Signs) -> Step {
        let Some(rates) = signs.rates else {
            return Step::Done;
        };
        // With little of our own in the queue, little of the capacity is seen.
        let capacity = if self.is_used(signs) {
            rates.acknowledged
        } else {
            rates.acknowledged.max(self.rate * SHARE)
        };
        if let Some((share, left)) = self.competed
            && signs.now.saturating_sub(left) < BACK_WITHIN
        {
            self.begin_competing(signs.now, share);
            return Step::MetLimit;
        }
        let before = capacity.min(self.rate);
        self.drain_from(signs, capacity, 0, before);
        Step::MetLimit
    }

    fn drain_from(&mut self, signs: &Signs, capacity: f64, cuts: u32, before: f64) {
        let depth = signs.cut_depth();
        self.set(self.rate.min(capacity * depth));
        self.limit = Some(capacity);
        self.state = State::Limited;
        let takes = signs.queue.mul_f64(1.5 / (1.0 - depth));
        let deadline = signs.now + signs.response + takes.max(Duration::from_millis(300));
        self.mode = Mode::Draining {
            capacity,
            queue: signs.queue,
            deadline,
            cuts,
            before,
        };
    }

    fn drain(&mut self, signs: &Signs) -> Step {
        let Mode::Draining {
            capacity,
            queue,
            deadline,
            cuts,
            before,
        } = self.mode
        else {
            return Step::Done;
        };
        if signs.queue < signs.empty() {
            self.mode = Mode::Growing;
            self.state = State::Holding;
            self.set(self.rate.max(capacity * RESUME));
            return Step::Done;
        }
        if let Some(rates) = signs.rates {
            // Less comes out than we put in, though we have come down: the capacity is lower still.
            let sent = rates.sent * (1.0 - signs.inherent_loss);
            let lower = rates.acknowledged;
            if lower < 0.9 * sent && lower < 0.9 * capacity {
                self.drain_from(signs, lower, cuts, before);
                return Step::Done;
            }
        }
        if signs.now < deadline {
            return Step::Done;
        }
        if signs.queue.as_secs_f64() < 0.6 * queue.as_secs_f64() {
            self.drain_from(signs, capacity, cuts, before);
        } else if cuts + 1 < CUTS {
            self.set(self.rate * FURTHER_CUT);
            self.drain_from(signs, capacity, cuts + 1, before);
        } else {
            self.begin_competing(signs.now, before * SHARE);
        }
        Step::Done
    }

    fn begin_competing(&mut self, now: Duration, share: f64) {
        self.state = State::Competing;
        self.set(share);
        let next_test = now + TEST_INTERVAL;
        self.mode = Mode::Competing {
            share,
            next_test,
            test: None,
        };
    }

    fn compete(&mut self, signs: &Signs) -> Step {
        let Mode::Competing {
            share,
            next_test,
            test,
        } = self.mode
        else {
            return Step::Done;
        };
        if signs.queue < signs.empty() {
            self.mode = Mode::Growing;
            self.state = State::Holding;
            self.competed = Some((share, signs.now));
            return Step::Done;
        }
        if signs.excess_loss > LOSS_REDUCES {
            return self.yield_to_loss(signs);
        }
        match test {
            None if signs.now >= next_test => {
                self.set(self.rate * SHARE);
                let next_test = signs.now + signs.response + TEST_LENGTH;
                self.mode = Mode::Competing {
                    share,
                    next_test,
                    test: Some(signs.queue),
                };
            }
            None => {}
            Some(queue) if signs.queue.as_secs_f64() < 0.5 * queue.as_secs_f64() => {
                self.drain_from(signs, self.rate / SHARE, CUTS - 1, share / SHARE);
            }
            Some(_) if signs.now >= next_test => {
                self.set(share);
                let next_test = signs.now + TEST_INTERVAL;
                self.mode = Mode::Competing {
                    share,
                    next_test,
                    test: None,
                };
            }
            Some(_) => {}
        }
        Step::Done
    }

    fn yield_to_loss(&mut self, signs: &Signs) -> Step {
        let pause = signs.response + Duration::from_millis(500);
        if self
            .last_loss_cut
            .is_some_and(|last| signs.now < last + pause)
        {
            return Step::Done;
        }
        self.last_loss_cut = Some(signs.now);
        self.loss_cuts += 1;
        if self.loss_cuts > 4 {
            self.loss_cuts = 0;
            return Step::LossIsInherent;
        }
        self.state = State::Limited;
        self.limit = signs.rates.map(|rates| rates.acknowledged);
        self.set(self.rate * (1.0 - 0.5 * signs.excess_loss));
        Step::MetLimit
    }

    fn is_used(&self, signs: &Signs) -> bool {
        signs
            .rates
            .is_some_and(|rates| rates.sent >= self.rate * USED)
    }

    fn set(&mut self, rate: f64) {
        self.rate = rate.clamp(self.bounds.0, self.bounds.1);
    }
}

impl Signs {
    fn is_congested(&self) -> bool {
        let spread = self.spread.min(MOST_SPREAD) / 2;
        self.queue > STANDING + spread || (self.trend == Trend::Rising && self.newest > RISING)
    }

    /// The longest queue that counts as none.
    pub(super) fn empty(&self) -> Duration {
        EMPTY + self.spread.min(MOST_SPREAD) / 8
    }

    /// What share of the capacity to send to drain the queue.
    fn cut_depth(&self) -> f64 {
        (1.0 - self.queue.as_secs_f64() / DRAIN_TIME).clamp(DEEPEST_CUT, SHALLOWEST_CUT)
    }
}
