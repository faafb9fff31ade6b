//! The queueing delay: how much longer packets take than the fastest of the last half minute did.
//!
//! The two clocks are unrelated, so a one-way delay is known up to a constant; only its difference
//! from the smallest one, the base, means something. The base is the minimum over [`BASE_WINDOW`]:
//! long enough that a queue empties in it, short enough that clocks which drift apart by 200 ppm
//! fake no more than 6 ms.
//!
//! What stands in the queue is the minimum over the last [`RECENT`] (Nichols and Jacobson,
//! "Controlling Queue Delay", 2012; Arun and Balakrishnan, "Copa", 2018, have it as the standing
//! round trip). A minimum does not see jitter, nor the queue that a frame makes by itself and that
//! is gone before the next one: on a link of 64 kb/s a packet of 1,200 bytes delays what follows by
//! 150 ms, and that is no congestion.
//!
//! Holds [`RECENT_PACKETS`] packets and ten minima.

use std::collections::VecDeque;
use std::time::Duration;

/// How long the base is remembered.
const BASE_WINDOW: Duration = Duration::from_secs(30);

/// In so many parts, of which the oldest is forgotten at a time.
const BASE_PARTS: usize = 10;

/// What counts as recent: two frames at 8 a second, so that one moment between them is in it.
const RECENT: Duration = Duration::from_millis(250);

/// What counts as the newest: about a report's.
const NEWEST: Duration = Duration::from_millis(80);

/// Fewer packets than this say little: then older ones count too, up to [`RECENT_AT_MOST`].
const ENOUGH_PACKETS: usize = 6;
const RECENT_AT_MOST: Duration = Duration::from_millis(600);

/// The most packets kept.
const RECENT_PACKETS: usize = 512;

/// The smallest packet, as the base mostly is of those; what is longer takes longer.
const SMALL_BYTES: usize = 150;

/// Measures one path.
#[derive(Debug, Default)]
pub(super) struct QueueingDelay {
    /// One-way delays in microseconds with their departure, in the order of arrival.
    recent: VecDeque<(Duration, i64)>,
    /// The smallest of each part of the base window, the newest last.
    base: VecDeque<i64>,
    part_began: Duration,
}

impl QueueingDelay {
    /// A packet of `bytes` took from `departure`, by our clock, to `arrival`, by the receiver's.
    /// `capacity` in bit/s, where it is known, tells how long the packet itself takes.
    pub(super) fn arrived(
        &mut self,
        (departure, arrival): (Duration, Duration),
        bytes: usize,
        capacity: Option<f64>,
    ) {
        let own = capacity.map_or(0.0, |capacity| {
            bytes_to_f64(bytes.saturating_sub(SMALL_BYTES)) * 8e6 / capacity.max(1.0)
        });
        let delay = micros(arrival) - micros(departure);
        self.remember_base(departure, delay);
        // Not taken off the base: were the capacity wrong, there would be a queue that is none.
        self.recent.push_back((departure, delay - to_i64(own)));
        while self.recent.len() > RECENT_PACKETS {
            self.recent.pop_front();
        }
        while self.recent.len() > 1 {
            let age = departure.saturating_sub(self.recent[0].0);
            let enough = self.recent.len() > ENOUGH_PACKETS;
            if age > RECENT_AT_MOST || (enough && age > RECENT) {
                self.recent.pop_front();
            } else {
                break;
            }
        }
    }

    /// What stands in the queue.
    pub(super) fn standing(&self) -> Duration {
        self.smallest_since(Duration::ZERO)
    }

    /// What stands in the queue as of late: sooner known, and more often wrong.
    pub(super) fn newest(&self) -> Duration {
        let last = self
            .recent
            .back()
            .map_or(Duration::ZERO, |(departure, _)| *departure);
        self.smallest_since(last.saturating_sub(NEWEST))
    }

    /// Since when, by departure, every packet has stood in the queue for longer than `least`; `None` if
    /// the last one has not.
    pub(super) fn queued_since(&self, least: Duration) -> Option<Duration> {
        let base = self.base.iter().min()?;
        let stood = |(_, delay): &&(Duration, i64)| delay - base > micros(least);
        let run = self.recent.iter().rev().take_while(stood);
        run.last().map(|(departure, _)| *departure)
    }

    fn smallest_since(&self, since: Duration) -> Duration {
        let recent = self
            .recent
            .iter()
            .filter(|(departure, _)| *departure >= since);
        let (Some(base), Some(recent)) =
            (self.base.iter().min(), recent.map(|(_, delay)| delay).min())
        else {
            return Duration::ZERO;
        };
        Duration::from_micros(u64::try_from(recent - base).unwrap_or_default())
    }

    /// How much the recent delays differ from each other: from the smallest to the middle one.
    pub(super) fn spread(&self) -> Duration {
        let mut delays: Vec<i64> = self.recent.iter().map(|(_, delay)| *delay).collect();
        delays.sort_unstable();
        let (Some(first), Some(middle)) = (delays.first(), delays.get(delays.len() / 2)) else {
            return Duration::ZERO;
        };
        Duration::from_micros(u64::try_from(middle - first).unwrap_or_default())
    }

    fn remember_base(&mut self, departure: Duration, delay: i64) {
        let part = BASE_WINDOW / 10;
        if self.base.is_empty() || departure.saturating_sub(self.part_began) >= part {
            self.base.push_back(delay);
            self.part_began = departure;
            if self.base.len() > BASE_PARTS {
                self.base.pop_front();
            }
        } else if let Some(smallest) = self.base.back_mut() {
            *smallest = delay.min(*smallest);
        }
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX / 4)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a packet is shorter than 2^52 bytes"
)]
fn bytes_to_f64(bytes: usize) -> f64 {
    bytes as f64
}

#[expect(clippy::cast_possible_truncation, reason = "a cast from f64 saturates")]
fn to_i64(micros: f64) -> i64 {
    micros as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// A packet every 20 ms from `from` on, each of which waits for so many ms.
    fn arrive(delay: &mut QueueingDelay, from: u64, waits: &[u64]) {
        for (n, wait) in (0_u64..).zip(waits) {
            let departure = ms(from + 20 * n);
            delay.arrived((departure, departure + ms(500 + wait)), 100, None);
        }
    }

    #[test]
    fn what_stands_in_the_queue_is_what_the_fastest_of_the_recent_packets_waited() {
        let mut delay = QueueingDelay::default();
        arrive(&mut delay, 0, &[0; 20]);

        arrive(&mut delay, 1_000, &[30, 90, 50, 80, 30, 70, 60, 35]);

        assert_eq!(delay.standing(), ms(30));
        assert_eq!(delay.newest(), ms(30));
        arrive(&mut delay, 1_160, &[60, 55]);
        assert_eq!((delay.standing(), delay.newest()), (ms(30), ms(35)));
    }

    #[test]
    fn a_queue_that_empties_between_frames_is_none() {
        let mut delay = QueueingDelay::default();

        arrive(
            &mut delay,
            0,
            &[0, 80, 60, 40, 20, 0, 80, 60, 40, 20, 0, 80, 60],
        );

        assert_eq!(delay.standing(), Duration::ZERO);
        assert!(delay.spread() >= ms(20));
    }

    #[test]
    fn a_path_that_has_become_longer_is_known_after_half_a_minute() {
        let mut delay = QueueingDelay::default();
        arrive(&mut delay, 0, &[0; 50]);

        arrive(&mut delay, 1_000, &[40; 1_400]);
        assert_eq!(delay.standing(), ms(40));
        arrive(&mut delay, 29_000, &[40; 300]);

        assert_eq!(delay.standing(), Duration::ZERO);
    }

    #[test]
    fn a_long_packet_takes_longer_by_itself_where_the_capacity_is_known() {
        let mut delay = QueueingDelay::default();
        arrive(&mut delay, 0, &[0; 10]);

        // 1,050 bytes more than a small one: 84 ms at 100 kb/s.
        for n in 0..10 {
            let departure = ms(2_000 + 100 * n);
            delay.arrived((departure, departure + ms(584)), 1_200, Some(100_000.0));
        }

        assert_eq!(delay.standing(), Duration::ZERO);
    }
}
