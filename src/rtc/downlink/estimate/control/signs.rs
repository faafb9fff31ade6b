//! What is seen of the path at one moment, and what counts as a queue.

use std::time::Duration;

use super::super::received::Rates;
use super::super::trend::Trend;

/// The queue counts as empty below this, and as standing above that; some of the spread of recent
/// delays is allowed for on top, up to [`MOST_SPREAD`]: where delays differ, the smallest is seen less
/// surely. 25 ms are twice the draft's first threshold (12.5 ms, §5.4), and 10 twice what CoDel is content
/// with (Nichols and Jacobson, 2012).
const EMPTY: Duration = Duration::from_millis(10);
pub(super) const STANDING: Duration = Duration::from_millis(25);
const MOST_SPREAD: Duration = Duration::from_millis(80);

/// A rising trend counts once this stands in the queue: the draft's threshold at rest.
const RISING: Duration = Duration::from_millis(12);

/// What comes at less than this share of the rate it left at comes out of a queue that grows, and counts
/// as one once this stands in it. Where a link halves, what left 250 ms before the last packet known of
/// still found it empty, half a second after; the trend tells sooner, but not while a probe
/// disturbs it. In a simulated call over 200 or 400 kb/s that halved, the rung was a lower one after 0.7 s
/// at most, and without this after up to 1.0.
const COMES: f64 = 0.85;
const BEHIND: Duration = Duration::from_millis(50);

/// A queue of this length would take the whole rate to drain in time; shorter ones a part of it: a queue
/// is to be gone in half of the second within which rungs change.
const DRAIN_TIME: f64 = 0.5;
const DEEPEST_CUT: f64 = 0.4;
const SHALLOWEST_CUT: f64 = 0.9;

/// What is seen at one moment.
#[derive(Clone, Copy, Debug)]
pub(in crate::rtc::downlink::estimate) struct Signs {
    pub(in crate::rtc::downlink::estimate) now: Duration,
    /// Stands in the queue.
    pub(in crate::rtc::downlink::estimate) queue: Duration,
    /// Stood there in the last packets.
    pub(in crate::rtc::downlink::estimate) newest: Duration,
    pub(in crate::rtc::downlink::estimate) spread: Duration,
    pub(in crate::rtc::downlink::estimate) trend: Trend,
    /// Beyond what the path always loses, 0 to 1.
    pub(in crate::rtc::downlink::estimate) excess_loss: f64,
    pub(in crate::rtc::downlink::estimate) inherent_loss: f64,
    pub(in crate::rtc::downlink::estimate) rates: Option<Rates>,
    /// At what rate those packets came that stood in the queue, bit/s.
    pub(in crate::rtc::downlink::estimate) passed: Option<f64>,
    /// The highest rate acknowledged lately, bit/s.
    pub(in crate::rtc::downlink::estimate) peak: f64,
    /// What would be sent next if the rate were that, and cannot be probed, bit/s.
    pub(in crate::rtc::downlink::estimate) untried: f64,
    /// When the last packet left that is known to have come.
    pub(in crate::rtc::downlink::estimate) latest: Duration,
    /// What is known to have come, ever, in bits.
    pub(in crate::rtc::downlink::estimate) arrived_bits: f64,
    /// From sending a packet to hearing of it.
    pub(in crate::rtc::downlink::estimate) response: Duration,
}

impl Signs {
    /// Whether there is a queue, `noise` being allowed for.
    pub(super) fn is_congested(&self, noise: Duration) -> bool {
        let spread = self.spread.min(MOST_SPREAD) / 4;
        self.queue > STANDING + noise + spread
            || (self.trend == Trend::Rising && self.newest > RISING + noise)
    }

    /// Whether packets come at less than the rate they left at, lost ones left out: the difference
    /// stands in a queue that grows. Where a packet takes long by itself this says nothing.
    pub(super) fn falls_behind(&self, noise: Duration) -> bool {
        let slower = |rates: Rates| rates.acknowledged < COMES * rates.survived;
        let spread = self.spread.min(MOST_SPREAD) / 2;
        self.rates.is_some_and(slower) && self.newest > BEHIND + noise + spread
    }

    /// Whether as much comes out as we put in, but for what the path always loses.
    pub(super) fn comes_out(&self, rates: &Rates) -> bool {
        rates.acknowledged >= 0.9 * rates.sent * (1.0 - self.inherent_loss)
    }

    /// The longest queue that counts as none.
    pub(super) fn empty(&self, noise: Duration) -> Duration {
        EMPTY + noise + self.spread.min(MOST_SPREAD) / 8
    }

    /// What share of the capacity to send to drain the queue.
    pub(super) fn cut_depth(&self) -> f64 {
        (1.0 - self.newest.as_secs_f64() / DRAIN_TIME).clamp(DEEPEST_CUT, SHALLOWEST_CUT)
    }
}
