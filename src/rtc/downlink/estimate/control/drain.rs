//! Draining a queue.
//!
//! A queue of our own making shrinks once we send less than arrives. One that is gone before the cut
//! can have told on it, or that is short and stays whatever we send, is no queue but jitter: it is
//! allowed for from then on. One that is long and stays is somebody else's.

use std::time::Duration;

use super::contest::SHARE;
use super::signs::Signs;
use super::{Control, Mode, State, Step};

/// A shorter queue than this that does not answer is the jitter of the path. It is allowed for from
/// then on, longer by so much each time; the allowance fades by so much a second, all of it in less than
/// a minute.
pub(super) const LONGEST_NOISE: Duration = Duration::from_millis(100);
const NOISE_STEP: Duration = Duration::from_millis(15);
pub(super) const NOISE_FADES: Duration = Duration::from_millis(2);

/// Loss counts for so long after it was heard of: what it is measured over.
const LOSS_REMEMBERED: Duration = Duration::from_secs(1);

/// How long a cut has to show at least, beside the way there and back: three reports.
const SHORTEST_DRAIN: Duration = Duration::from_millis(300);

/// Where the rate resumes, of the capacity: between the draft's 0.85 (§5.5) and all of it, since the queue
/// has been drained by a deeper cut. At 0.93 packets waited for 182 ms (p95) on thin links, at this for 163.
const RESUME: f64 = 0.9;

/// Where it resumes, of the rate before, if the queue was gone before the cut had left: whoever made
/// it, a little of the rate goes to those who came down.
const UNDONE: f64 = 0.97;

/// A cut that has not helped within its time is followed by another of this.
const FURTHER_CUT: f64 = 0.7;

/// So many cuts without an answer, and the queue is not ours.
pub(super) const CUTS: u32 = 2;

/// A queue being drained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Drain {
    /// What the path carries, bit/s.
    pub(super) capacity: f64,
    /// The queue when the last cut was made.
    pub(super) queue: Duration,
    /// By then it should have answered.
    pub(super) deadline: Duration,
    pub(super) cuts: u32,
    /// What we had before all cuts.
    pub(super) before: f64,
    /// When the first was made, and the rate and the limit then.
    pub(super) began: Duration,
    pub(super) rate: f64,
    pub(super) limit: Option<f64>,
}

impl Drain {
    /// Begins now, with `capacity` for what the path carries.
    pub(super) fn of(signs: &Signs, capacity: f64) -> Self {
        Self {
            capacity,
            queue: signs.newest,
            deadline: signs.now,
            cuts: 0,
            before: capacity,
            began: signs.now,
            rate: capacity,
            limit: None,
        }
    }

    /// The rate with which it goes on when the queue is gone, if that is of our making.
    pub(super) fn resumes_at(&self) -> f64 {
        self.capacity * RESUME
    }
}

impl Control {
    /// Cuts the rate so that the queue drains, if the path carries what `drain` says.
    pub(super) fn drain_from(&mut self, signs: &Signs, mut drain: Drain) {
        let depth = signs.cut_depth();
        self.set(self.rate.min(drain.capacity * depth));
        self.limit = Some(drain.capacity);
        self.state = State::Limited;
        let takes = signs.newest.mul_f64(1.5 / (1.0 - depth));
        drain.queue = signs.newest;
        drain.deadline = signs.now + signs.response + takes.max(SHORTEST_DRAIN);
        self.mode = Mode::Draining(drain);
    }

    /// Takes in what is seen while the queue is being drained.
    pub(super) fn drain(&mut self, signs: &Signs, mut drain: Drain) -> Step {
        if signs.newest < signs.empty(self.noise + self.packet_time() / 2) {
            self.mode = Mode::Growing;
            self.state = State::Holding;
            if signs.latest < drain.began {
                // It was gone before the cut had left: not our doing, so it is none.
                self.limit = drain.limit;
                self.set(drain.rate * UNDONE);
                let noise = drain.queue.min(self.noise + NOISE_STEP).min(LONGEST_NOISE);
                self.noise = self.noise.max(noise);
            } else {
                self.set(self.rate.max(drain.resumes_at()));
                // What the queue dropped is remembered for a while, and has been answered.
                self.last_loss_cut = Some(signs.now + LOSS_REMEMBERED);
            }
            return Step::Done;
        }
        if let Some(rates) = signs.rates {
            // Though we have come down: the capacity is lower still.
            let lower = signs.passed.unwrap_or(rates.acknowledged);
            if !signs.comes_out(&rates) && lower < 0.9 * drain.capacity {
                drain.capacity = lower;
                self.drain_from(signs, drain);
                return Step::Done;
            }
        }
        if signs.now < drain.deadline {
            return Step::Done;
        }
        if signs.newest.as_secs_f64() < 0.6 * drain.queue.as_secs_f64() {
            self.drain_from(signs, drain);
        } else if drain.cuts + 1 < CUTS {
            drain.cuts += 1;
            self.set(self.rate * FURTHER_CUT);
            self.drain_from(signs, drain);
        } else if signs.newest < LONGEST_NOISE {
            self.noise = signs.newest;
            self.mode = Mode::Growing;
            self.state = State::Holding;
            self.set(drain.before * RESUME);
        } else {
            self.begin_competing(signs.now, drain.before * SHARE);
        }
        Step::Done
    }
}
