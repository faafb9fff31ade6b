//! From what is seen of the path to a rate.
//!
//! | mode | entered | the rate |
//! |---|---|---|
//! | growing | the queue is empty | grows: 20 % a second while no limit is known, 3 to 10 % near the last one |
//! | draining | the queue stands or rises | falls below the capacity until the queue is empty, then resumes just under it |
//! | competing | the queue does not answer | keeps half of what it had, whatever the queue |
//!
//! While packets stand in the queue, what arrives is the capacity, so that is known exactly then.
//! A rate just below it (0.85, as in draft-ietf-rmcat-gcc-02 §5.5) would take seconds to empty a
//! long queue; so the longer the queue, the deeper the cut, and the rate comes back as soon as the
//! queue is gone (as BBR drains; Cardwell et al., 2016).
//!
//! A queue of our own making must shrink when we send less than arrives. If it does not, delay tells
//! nothing about us: [`drain`] says what it is then, [`contest`] what becomes of the rate.

mod contest;
mod drain;
mod rivals;
mod signs;

use std::time::Duration;

use super::trend::Trend;
use contest::{BACK_WITHIN, COMPETING_CUT, Contest, SHARE, WIDEST_FADES};
use drain::{Drain, LONGEST_NOISE, NOISE_FADES};
use rivals::Rivals;
use signs::STANDING;

pub(super) use signs::Signs;

/// Growth per second, in parts of the rate: towards the unknown and back to the last limit. The draft's
/// eight percent (§5.5) make ten times as much in 30 s; what followed it probes, as we do.
const FAR_GROWTH: f64 = 0.2;

/// Near the last limit the rate grows by the root of this times the rate, bit/s per second: 2.6 % of
/// 1 Mb/s, 10 % of 64 kb/s. Additive growth lets two streams that share a path become equal, but what
/// is right for one rate is nothing or far too much for another; the root does both. Simulated: with
/// the rate's power of 3/4 that is the same at 300 kb/s, the later of two streams has as much.
const NEAR_GROWTH: f64 = 700.0;

/// The queue slows growth down, but never below this part of it: it has to be met, so that it is
/// drained and not taken for the path's own delay.
const LEAST_GROWTH: f64 = 0.3;

/// Near the last limit is from here to there: from what the draft cuts to (§5.5) as far up. The draft has
/// three standard deviations of what was acknowledged at the cuts.
const NEAR: std::ops::Range<f64> = 0.85..1.15;

/// The rate grows to at most this much of what was acknowledged (§5.5), and this many bit/s.
const BEYOND_ACKNOWLEDGED: f64 = 1.5;
const BEYOND_NOTHING: f64 = 10_000.0;

/// Below this rate what is found too much takes long to show, in packets that are few, and long to
/// drain. Once a limit is known there, growth beyond it needs more than the absence of a queue that
/// little is sent to fill: as much has to arrive, or a probe to find more. Simulated at
/// 64 kb/s: with 5 % beyond the limit packets waited for 157 to 186 ms (p95), with 2 for 148 to 163, and
/// neither what is used nor the way back up was any different.
const SHORT: f64 = 300_000.0;
const BEYOND_KNOWN: f64 = 1.02;

/// Excess loss that stops the growth, and that brings the rate down (§6: 10 %, less the 2 % that
/// never count).
const LOSS_HOLDS: f64 = 0.03;
const LOSS_REDUCES: f64 = 0.08;

/// Between two reductions for loss, beside the way there and back: half of what loss is measured over.
const LOSS_PAUSE: Duration = Duration::from_millis(500);

/// Sending less than this share of the rate, we are not what fills the queue. Half
/// does as well; with nine tenths, jitter of ±50 ms left 29 instead of 71 % of 1 Mb/s.
const USED: f64 = 0.7;

/// On thin paths a single packet takes as long as a queue that counts elsewhere, and audio that
/// meets one of video is late by that. Below this rate so much is no queue yet, in bits; but never
/// longer than this.
const THIN: f64 = 150_000.0;
const PACKET_BITS: f64 = 2_000.0;
const LONGEST_PACKET_TIME: Duration = Duration::from_millis(50);

/// So few packets cross a thin path in the time a rate is measured over that one of them lost is an
/// eighth of it, as is a pause between two pictures. A queue shorter than this therefore shows no
/// capacity there below this share of the last; if it is lower still, the queue stays, and shows it.
const BRIEF: Duration = Duration::from_millis(100);
const BELIEVED: f64 = 0.85;

/// What the rate does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Growing,
    Draining(Drain),
    Competing(Contest),
}

/// What is going on, for whoever watches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::rtc::downlink) enum State {
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
    rivals: Rivals,
    /// The most that the path has been seen to carry, bit/s.
    widest: f64,
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
            rivals: Rivals::default(),
            widest: 0.0,
        }
    }

    /// The rate, in bit/s.
    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    /// Where the rate resumes once the queue is gone, in bit/s; the rate where it is not being drained.
    pub(super) fn lasting(&self) -> f64 {
        match self.mode {
            Mode::Draining(drain) => self.rate.max(drain.resumes_at()),
            Mode::Growing | Mode::Competing(_) => self.rate,
        }
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

    /// A probe has shown that the path carries just `capacity`. If that is less than was thought, it
    /// is believed step by step: it is a measurement of few packets.
    pub(super) fn limit_to(&mut self, capacity: f64) {
        if self.mode != Mode::Growing {
            return;
        }
        if capacity > self.rate {
            self.set(capacity * NEAR.start);
            self.limit = Some(capacity);
        } else {
            self.set(capacity.max(self.rate * NEAR.start));
        }
    }

    /// Nothing is heard any more: comes down to `share` of the rate, but not below `lowest`.
    pub(super) fn decay(&mut self, share: f64, lowest: f64) {
        self.mode = Mode::Growing;
        self.state = State::Holding;
        self.limit = None;
        self.set((self.rate * share).max(lowest.min(self.rate)));
    }

    /// The path is back, and goes on with `rate` at least.
    pub(super) fn resume(&mut self, rate: f64) {
        self.set(self.rate.max(rate));
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
        let passed = self.rivals.look(signs);
        self.widest *= 1.0 - WIDEST_FADES * elapsed;
        self.widest = self.widest.max(passed.unwrap_or_default());
        match self.mode {
            Mode::Growing => self.grow_or_cut(signs, elapsed),
            Mode::Draining(drain) => self.drain(signs, drain),
            Mode::Competing(contest) => self.compete(signs, contest, elapsed),
        }
    }

    fn grow_or_cut(&mut self, signs: &Signs, elapsed: f64) -> Step {
        let falls_behind = self.rate > THIN && signs.falls_behind(self.noise);
        if falls_behind || signs.is_congested(self.noise + self.packet_time()) {
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
            far.min((NEAR_GROWTH * self.rate).sqrt())
        } else {
            far
        };
        let room = 1.0 - (signs.queue.as_secs_f64() / STANDING.as_secs_f64()).min(1.0);
        let most = match self.limit {
            Some(limit) if self.rate <= SHORT => {
                // What is always lost has to be sent, too.
                (limit * BEYOND_KNOWN).max(signs.peak / (1.0 - signs.inherent_loss))
            }
            _ => (signs.peak * BEYOND_ACKNOWLEDGED + BEYOND_NOTHING).max(signs.untried),
        };
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
        // With little of our own in the queue, little of the capacity is seen. As long as it all
        // comes out again and does not wait for long, it is not what the queue is made of.
        let capacity = if self.is_used(signs) {
            let shown = signs.passed.unwrap_or(rates.acknowledged);
            self.widest = self.widest.max(shown);
            shown
        } else if signs.newest < LONGEST_NOISE && signs.comes_out(&rates) {
            self.state = State::Holding;
            return Step::Done;
        } else {
            rates.acknowledged.max(self.rate * SHARE)
        };
        let capacity = match self.limit {
            Some(limit) if self.rate <= THIN && signs.newest < BRIEF => {
                capacity.max(limit * BELIEVED)
            }
            _ => capacity,
        };
        if let Some((share, left)) = self.competed
            && signs.now.saturating_sub(left) < BACK_WITHIN
        {
            self.begin_competing(signs.now, share);
            return Step::MetLimit;
        }
        if self.rivals.are_there(signs.now) {
            self.begin_competing(signs.now, self.rate * COMPETING_CUT);
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
        self.set(self.rate * (1.0 - 0.5 * signs.excess_loss));
        // What little arrives of little is no limit, and none is below what we go on with.
        if let Some(rates) = signs.rates.filter(|_| self.is_used(signs)) {
            self.limit = Some(rates.acknowledged.max(self.rate));
        }
        Step::MetLimit
    }

    /// What a packet that happens to be before another one makes it wait.
    fn packet_time(&self) -> Duration {
        if self.rate > THIN {
            return Duration::ZERO;
        }
        Duration::from_secs_f64(PACKET_BITS / self.rate.max(1.0)).min(LONGEST_PACKET_TIME)
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

#[cfg(test)]
mod tests {
    use super::super::received::Rates;
    use super::*;

    /// A tenth of what leaves is lost, and no queue.
    fn lossy(sent: f64) -> Signs {
        let rates = Rates {
            sent,
            survived: 0.9 * sent,
            acknowledged: 0.9 * sent,
        };
        Signs {
            now: Duration::from_secs(1),
            queue: Duration::ZERO,
            newest: Duration::ZERO,
            spread: Duration::ZERO,
            trend: Trend::Steady,
            excess_loss: 0.1,
            inherent_loss: 0.0,
            rates: Some(rates),
            passed: None,
            peak: sent,
            untried: 0.0,
            latest: Duration::from_secs(1),
            arrived_bits: 0.0,
            response: Duration::from_millis(100),
        }
    }

    #[test]
    fn loss_shows_a_limit_where_as_much_is_sent_as_may_be_and_none_where_little_is() {
        for (sent, limit) in [(100_000.0, Some(95_000.0)), (15_000.0, None)] {
            let mut control = Control::new(100_000.0, (24_000.0, 8e6));

            control.step(&lossy(sent));

            assert_eq!((control.rate(), control.limit()), (95_000.0, limit));
        }
    }
}
