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

/// A shorter queue than this that does not answer is the jitter of the path. It is allowed for from
/// then on; the allowance fades by so much a second.
const LONGEST_NOISE: Duration = Duration::from_millis(80);
const NOISE_STEP: Duration = Duration::from_millis(10);
const NOISE_FADES: Duration = Duration::from_millis(2);

/// A queue of this length would take the whole rate to drain in time; shorter ones a part of it.
const DRAIN_TIME: f64 = 0.5;
const DEEPEST_CUT: f64 = 0.4;
const SHALLOWEST_CUT: f64 = 0.9;

/// How long a cut has to show at least, beside the way there and back.
const SHORTEST_DRAIN: Duration = Duration::from_millis(300);

/// Where the rate resumes, of the capacity.
const RESUME: f64 = 0.94;

/// A cut that has not helped within its time is followed by another of this.
const FURTHER_CUT: f64 = 0.7;

/// So many cuts without an answer, and the queue is not ours.
const CUTS: u32 = 2;

/// What is kept beside traffic that fills the queue, of what there was before.
const SHARE: f64 = 0.5;
const LEAST_SHARE: f64 = 60_000.0;
const SHORTEST_CONTEST: Duration = Duration::from_secs(3);
const TEST_INTERVAL: Duration = Duration::from_secs(10);
const TEST_LENGTH: Duration = Duration::from_millis(1_500);

/// Whoever filled the queue is believed to be back if it fills again this soon.
const BACK_WITHIN: Duration = Duration::from_secs(15);

/// Growth per second, in parts of the rate: towards the unknown and back to the last limit.
const FAR_GROWTH: f64 = 0.2;

/// Near the last limit the rate grows by its power of 3/4 times this, bit/s per second: 3 % of
/// 1 Mb/s, 6 % of 64 kb/s. Additive growth lets two streams that share a path become equal, but what
/// is right for one rate is nothing or far too much for another; this does both, if slowly.
const NEAR_GROWTH: f64 = 1.0;

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

/// Between two reductions for loss, beside the way there and back.
const LOSS_PAUSE: Duration = Duration::from_millis(500);

/// While competing, the rate grows by this part of it a second until so much is lost, then falls to
/// that of it: slower than TCP on both accounts, as RFC 5348 asks for media.
const COMPETING_GROWTH: f64 = 0.04;
const COMPETING_LOSS: f64 = 0.02;
const COMPETING_CUT: f64 = 0.85;

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
    /// When the last packet left that is known to have come.
    pub(super) latest: Duration,
    /// From sending a packet to hearing of it.
    pub(super) response: Duration,
}

/// What the rate does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Growing,
    Draining(Drain),
    Competing(Contest),
}

/// Somebody else fills the queue.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Contest {
    /// Not given up for a little loss.
    share: f64,
    began: Duration,
    next_test: Duration,
    /// The queue at the beginning of the test under way, and the rate before it.
    test: Option<(Duration, f64)>,
}

/// A queue being drained.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Drain {
    capacity: f64,
    /// The queue when the last cut was made.
    queue: Duration,
    /// By then it should have answered.
    deadline: Duration,
    cuts: u32,
    /// What we had before all cuts.
    before: f64,
    /// When the first was made, and the rate and the limit then.
    began: Duration,
    rate: f64,
    limit: Option<f64>,
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
    /// Delay that was there whatever we sent.
    noise: Duration,
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
            noise: Duration::ZERO,
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
        self.noise = self.noise.saturating_sub(NOISE_FADES.mul_f64(elapsed));
        match self.mode {
            Mode::Growing => self.grow_or_cut(signs, elapsed),
            Mode::Draining(drain) => self.drain(signs, drain),
            Mode::Competing(contest) => self.compete(signs, contest, elapsed),
        }
    }

    fn grow_or_cut(&mut self, signs: &Signs, elapsed: f64) -> Step {
        if signs.is_congested(self.noise) {
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
        let growth = if near {
            far.min(NEAR_GROWTH * self.rate.sqrt() * self.rate.sqrt().sqrt())
        } else {
            far
        };
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
        let drain = Drain {
            before: capacity.min(self.rate),
            rate: self.rate,
            limit: self.limit,
            ..Drain::of(signs, capacity)
        };
        self.drain_from(signs, drain);
        Step::MetLimit
    }

    /// Cuts the rate so that the queue drains, if the path carries what `drain` says.
    fn drain_from(&mut self, signs: &Signs, mut drain: Drain) {
        let depth = signs.cut_depth();
        self.set(self.rate.min(drain.capacity * depth));
        self.limit = Some(drain.capacity);
        self.state = State::Limited;
        let takes = signs.queue.mul_f64(1.5 / (1.0 - depth));
        drain.queue = signs.queue;
        drain.deadline = signs.now + signs.response + takes.max(SHORTEST_DRAIN);
        self.mode = Mode::Draining(drain);
    }

    fn drain(&mut self, signs: &Signs, mut drain: Drain) -> Step {
        if signs.queue < signs.empty(self.noise) {
            self.mode = Mode::Growing;
            self.state = State::Holding;
            if signs.latest < drain.began {
                // It was gone before the cut had left: not our doing, so it is none.
                self.limit = drain.limit;
                self.set(drain.rate);
                let noise = drain.queue.min(self.noise + NOISE_STEP).min(LONGEST_NOISE);
                self.noise = self.noise.max(noise);
            } else {
                self.set(self.rate.max(drain.capacity * RESUME));
            }
            return Step::Done;
        }
        if let Some(rates) = signs.rates {
            // Less comes out than we put in, though we have come down: the capacity is lower still.
            let sent = rates.sent * (1.0 - signs.inherent_loss);
            let lower = rates.acknowledged;
            if lower < 0.9 * sent && lower < 0.9 * drain.capacity {
                drain.capacity = lower;
                self.drain_from(signs, drain);
                return Step::Done;
            }
        }
        if signs.now < drain.deadline {
            return Step::Done;
        }
        if signs.queue.as_secs_f64() < 0.6 * drain.queue.as_secs_f64() {
            self.drain_from(signs, drain);
        } else if drain.cuts + 1 < CUTS {
            drain.cuts += 1;
            self.set(self.rate * FURTHER_CUT);
            self.drain_from(signs, drain);
        } else if signs.queue < LONGEST_NOISE {
            self.noise = signs.queue;
            self.mode = Mode::Growing;
            self.state = State::Holding;
            self.set(drain.before * RESUME);
        } else {
            self.begin_competing(signs.now, drain.before * SHARE);
        }
        Step::Done
    }

    fn begin_competing(&mut self, now: Duration, share: f64) {
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

    fn compete(&mut self, signs: &Signs, mut contest: Contest, elapsed: f64) -> Step {
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

    fn yield_to_loss(&mut self, signs: &Signs) -> Step {
        let pause = signs.response + LOSS_PAUSE;
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

impl Drain {
    fn of(signs: &Signs, capacity: f64) -> Self {
        Self {
            capacity,
            queue: signs.queue,
            deadline: signs.now,
            cuts: 0,
            before: capacity,
            began: signs.now,
            rate: capacity,
            limit: None,
        }
    }
}

impl Signs {
    fn is_congested(&self, noise: Duration) -> bool {
        let spread = self.spread.min(MOST_SPREAD) / 4;
        self.queue > STANDING + noise + spread
            || (self.trend == Trend::Rising && self.newest > RISING + noise)
    }

    /// The longest queue that counts as none.
    fn empty(&self, noise: Duration) -> Duration {
        EMPTY + noise + self.spread.min(MOST_SPREAD) / 8
    }

    /// What share of the capacity to send to drain the queue.
    fn cut_depth(&self) -> f64 {
        (1.0 - self.queue.as_secs_f64() / DRAIN_TIME).clamp(DEEPEST_CUT, SHALLOWEST_CUT)
    }
}
