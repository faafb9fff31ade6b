//! Whether the queue grows: the trend of the one-way delay (draft-ietf-rmcat-gcc-02 §5, with the
//! linear regression that replaced its Kalman filter in later work of the same authors: Carlucci et
//! al., "Congestion Control for Web Real-Time Communication", 2017).
//!
//! Packets that left within [`BURST`] of the group's first form a group, which is compared with the
//! group before: how much farther apart did they arrive than they left? The sum of these variations,
//! smoothed, is fitted with a line over the last [`GROUPS`] groups. Its slope, times the number of
//! groups and a gain, is compared with a threshold that adapts: it rises where the trend keeps
//! exceeding it, as beside traffic that fills the queue, so that we are not starved (§5.4).
//!
//! Differences of differences: a clock that drifts by 200 ppm has a slope of 0.0002, far below
//! anything that counts.

use std::collections::VecDeque;
use std::time::Duration;

/// Packets sent within this are one burst: a queue that they make is of their own (§5.2, 5 ms).
const BURST: Duration = Duration::from_millis(5);

/// Groups that are fitted (20, as in the deployed filter).
const GROUPS: usize = 20;

/// Weight of the sum so far against the new one.
const SMOOTHING: f64 = 0.9;

/// What slope times groups is multiplied with, to be comparable with the threshold.
const GAIN: f64 = 4.0;

/// Groups beyond this count no further in that product.
const MOST_GROUPS: u32 = 60;

/// The threshold in ms, and how fast it follows up and down, per ms (§5.4).
const THRESHOLD: f64 = 12.5;
const LOWEST_THRESHOLD: f64 = 6.0;
const HIGHEST_THRESHOLD: f64 = 600.0;
const UP: f64 = 0.0087;
const DOWN: f64 = 0.039;

/// What exceeds the threshold by more is a spike and does not move it (§5.4, 15 ms).
const SPIKE_MS: f64 = 15.0;

/// The trend must last this long (§5.5, 10 ms).
const LASTING_MS: f64 = 10.0;

/// Beyond this between two arrivals, or two departures, there was a pause: begin anew.
const PAUSE: Duration = Duration::from_secs(3);

/// What the queue does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Trend {
    /// Nothing that lasts.
    #[default]
    Steady,
    /// It grows.
    Rising,
    /// It drains.
    Falling,
}

/// Follows one path.
#[derive(Debug)]
pub(super) struct Trendline {
    open: Option<Group>,
    closed: Option<Group>,
    /// Arrival of the first point fitted, and the points: ms since then, smoothed delay in ms.
    points: VecDeque<(f64, f64)>,
    epoch: Duration,
    sum: f64,
    smoothed: f64,
    deltas: u32,
    threshold: f64,
    last_slope: f64,
    rising_for_ms: f64,
    rises: u32,
    trend: Trend,
}

/// Packets that left together.
#[derive(Clone, Copy, Debug)]
struct Group {
    first_departure: Duration,
    departure: Duration,
    arrival: Duration,
}

impl Default for Trendline {
    fn default() -> Self {
        Self {
            open: None,
            closed: None,
            points: VecDeque::with_capacity(GROUPS + 1),
            epoch: Duration::ZERO,
            sum: 0.0,
            smoothed: 0.0,
            deltas: 0,
            threshold: THRESHOLD,
            last_slope: 0.0,
            rising_for_ms: 0.0,
            rises: 0,
            trend: Trend::Steady,
        }
    }
}

impl Trendline {
    /// A packet left at `departure`, by our clock, and came at `arrival`, by the receiver's; in the
    /// order of departure.
    pub(super) fn arrived(&mut self, departure: Duration, arrival: Duration) {
        let Some(group) = &mut self.open else {
            self.open = Some(Group::of(departure, arrival));
            return;
        };
        if departure < group.first_departure {
            return;
        }
        if departure - group.first_departure <= BURST {
            group.departure = departure;
            group.arrival = group.arrival.max(arrival);
            return;
        }
        let full = *group;
        self.open = Some(Group::of(departure, arrival));
        if let Some(before) = self.closed.replace(full) {
            self.compare(before, full);
        }
    }

    /// What the queue does.
    pub(super) fn trend(&self) -> Trend {
        self.trend
    }

    fn compare(&mut self, before: Group, group: Group) {
        let sent = millis(group.departure) - millis(before.departure);
        let came = millis(group.arrival) - millis(before.arrival);
        if came < 0.0 || group.arrival.saturating_sub(before.arrival) > PAUSE || sent > 3_000.0 {
            let threshold = self.threshold;
            let open = self.open;
            *self = Self {
                threshold,
                open,
                closed: Some(group),
                ..Self::default()
            };
            return;
        }
        if self.points.is_empty() {
            self.epoch = before.arrival;
        }
        self.deltas = (self.deltas + 1).min(1_000);
        self.sum += came - sent;
        self.smoothed = SMOOTHING * self.smoothed + (1.0 - SMOOTHING) * self.sum;
        let at = millis(group.arrival) - millis(self.epoch);
        self.points.push_back((at, self.smoothed));
        if self.points.len() > GROUPS {
            self.points.pop_front();
        }
        let slope = match self.points.len() {
            GROUPS => fit(&self.points).unwrap_or(self.last_slope),
            _ => 0.0,
        };
        self.judge(slope, sent, came);
    }

    fn judge(&mut self, slope: f64, sent: f64, came: f64) {
        let scaled = slope * f64::from(self.deltas.min(MOST_GROUPS)) * GAIN;
        if scaled > self.threshold {
            self.rising_for_ms += if self.rises == 0 { sent / 2.0 } else { sent };
            self.rises += 1;
            if self.rising_for_ms > LASTING_MS && self.rises > 1 && slope >= self.last_slope {
                self.rising_for_ms = 0.0;
                self.rises = 0;
                self.trend = Trend::Rising;
            }
        } else {
            self.rising_for_ms = 0.0;
            self.rises = 0;
            self.trend = match scaled {
                _ if scaled < -self.threshold => Trend::Falling,
                _ => Trend::Steady,
            };
        }
        self.last_slope = slope;
        self.adapt(scaled.abs(), came);
    }

    fn adapt(&mut self, scaled: f64, elapsed_ms: f64) {
        if scaled > self.threshold + SPIKE_MS {
            return;
        }
        let pace = if scaled < self.threshold { DOWN } else { UP };
        let moved = pace * (scaled - self.threshold) * elapsed_ms.min(100.0);
        self.threshold = (self.threshold + moved).clamp(LOWEST_THRESHOLD, HIGHEST_THRESHOLD);
    }
}

impl Group {
    fn of(departure: Duration, arrival: Duration) -> Self {
        Self {
            first_departure: departure,
            departure,
            arrival,
        }
    }
}

/// The slope of the line with the least squares through `points`; `None` if they are one above the
/// other.
fn fit(points: &VecDeque<(f64, f64)>) -> Option<f64> {
    let count = f64::from(u32::try_from(points.len()).ok()?);
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (mean_x, mean_y) = (mean(|point| point.0), mean(|point| point.1));
    let (mut above, mut below) = (0.0, 0.0);
    for (x, y) in points {
        above += (x - mean_x) * (y - mean_y);
        below += (x - mean_x) * (x - mean_x);
    }
    (below > 0.0).then(|| above / below)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The trend after `count` packets, one every 20 ms, each of which took so many microseconds
    /// longer than the one before.
    fn after(count: u64, longer_us: u64) -> Trend {
        let mut trend = Trendline::default();
        for n in 0..count {
            let departure = Duration::from_millis(20 * n);
            let delay = Duration::from_micros(1_000_000 + longer_us * n);
            trend.arrived(departure, departure + delay);
        }
        trend.trend()
    }

    #[test]
    fn a_queue_that_grows_is_seen_within_half_a_second() {
        assert_eq!(after(25, 5_000), Trend::Rising);
        assert_eq!(after(25, 0), Trend::Steady);
    }

    #[test]
    fn clocks_that_drift_apart_are_no_trend() {
        // 200 ppm of 20 ms.
        assert_eq!(after(5_000, 4), Trend::Steady);
    }

    #[test]
    fn packets_that_leave_together_are_one_group() {
        let mut trend = Trendline::default();
        for n in 0..60 {
            // Five at once, that come one after the other: the queue they make is their own.
            for place in 0..5 {
                let departure = Duration::from_millis(33 * n);
                let arrival = departure + Duration::from_millis(100 + 5 * place);
                trend.arrived(departure, arrival);
            }
        }

        assert_eq!(trend.trend(), Trend::Steady);
    }
}
