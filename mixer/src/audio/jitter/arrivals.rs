//! How evenly one track's packets arrive.
//!
//! The *transit* of a packet is its arrival less its media time: its absolute value means nothing,
//! the sender's clock starts anywhere, but differences are how much longer one packet took than
//! another. The least of about the last two seconds is the path at its fastest; how much longer
//! the others took goes into a histogram that forgets, and whose upper end says how long a buffer
//! has to hold packets back.
//!
//! - A fast sender's transits shrink and a slow one's grow: the fastest path follows both.
//! - When the fastest path has become a lot slower, the histogram moves with it, lest its change
//!   pass for jitter.
//! - Packets that a path held back and let go together are one event, not as many as there are
//!   packets: only the first counts, so that one outage is not taken for jitter.
//! - A transit that is off by more than a second is another clock (a jump in media time), and the
//!   fastest path starts over.
//!
//! Lengths are samples per channel at 48 kHz. Bounds: a histogram of [`BINS`] numbers.

/// Width of a bin: 5 ms.
const BIN_SAMPLES: i64 = 240;

/// Half a second; the last bin holds whatever takes longer.
const BINS: usize = 100;

/// What the histogram holds in all.
const WHOLE: u64 = 1 << 40;

/// The histogram forgets to 1/e within this much media: 256 packets of 20 ms.
const MEMORY_SAMPLES: u64 = 256 * 960;

/// One in this many packets may take longer than [`Arrivals::spread`].
const ONE_IN: u64 = 100;

/// The fastest path is that of this many windows, each half a second of arrivals.
const WINDOWS: usize = 4;
const WINDOW_SAMPLES: i64 = 24_000;

/// A difference in transit that no network makes: a second.
const IMPLAUSIBLE_SAMPLES: i64 = 48_000;

/// A step by which the fastest path gets slower because the path has changed: 50 ms. Clocks and
/// chance make smaller ones, and the histogram forgets sooner than those add up.
const LARGE_STEP_SAMPLES: i64 = 2_400;

/// When a packet came, and when it belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) arrival: i64,
    pub(super) timestamp: i64,
    /// How long it plays, as far as is known.
    pub(super) length: i64,
}

impl Arrival {
    const fn transit(self) -> i64 {
        self.arrival - self.timestamp
    }
}

/// The distribution of the transits of recent packets.
#[derive(Debug)]
pub(super) struct Arrivals {
    histogram: [u64; BINS],
    /// The least transit of each window, the newest first.
    windows: [i64; WINDOWS],
    window_began: i64,
    newest: Option<Arrival>,
    /// Cached quantile.
    spread: i64,
}

impl Arrivals {
    /// Expects an even path until packets say otherwise.
    pub(super) const fn new() -> Self {
        let mut histogram = [0; BINS];
        histogram[0] = WHOLE;
        Self {
            histogram,
            windows: [i64::MAX; WINDOWS],
            window_began: 0,
            newest: None,
            spread: BIN_SAMPLES,
        }
    }

    /// Takes note of one packet.
    pub(super) fn observe(&mut self, packet: Arrival) {
        let Some(newest) = self.newest else {
            self.start_over(packet);
            return;
        };
        let before = self.fastest();
        if (packet.transit() - before).abs() > IMPLAUSIBLE_SAMPLES {
            self.start_over(packet);
            return;
        }
        self.follow_fastest(packet, before);
        if !is_catching_up(newest, packet) {
            let behind = (packet.transit() - self.fastest()).max(0) / BIN_SAMPLES;
            self.add(usize::try_from(behind).unwrap_or(BINS), packet.length);
        }
        if packet.timestamp > newest.timestamp {
            self.newest = Some(packet);
        }
        self.spread = self.quantile();
    }

    /// Expects the next packet to come from another clock.
    pub(super) const fn restart(&mut self) {
        self.newest = None;
    }

    /// The least transit of the last seconds. Zero before the first packet.
    pub(super) fn fastest(&self) -> i64 {
        self.windows
            .iter()
            .copied()
            .min()
            .filter(|&transit| transit != i64::MAX)
            .unwrap_or(0)
    }

    /// How much longer than the fastest all but one packet in [`ONE_IN`] take, at most, rounded up
    /// to a bin.
    pub(super) const fn spread(&self) -> i64 {
        self.spread
    }

    fn start_over(&mut self, packet: Arrival) {
        self.windows = [i64::MAX; WINDOWS];
        self.windows[0] = packet.transit();
        self.window_began = packet.arrival;
        self.newest = Some(packet);
    }

    fn follow_fastest(&mut self, packet: Arrival, before: i64) {
        // At most one window per packet, lest a pause make the next packet the fastest.
        if packet.arrival - self.window_began >= WINDOW_SAMPLES {
            self.windows.rotate_right(1);
            self.windows[0] = i64::MAX;
            self.window_began = packet.arrival;
        }
        self.windows[0] = self.windows[0].min(packet.transit());
        let step = self.fastest() - before;
        if step > LARGE_STEP_SAMPLES {
            self.shift_down(usize::try_from(step / BIN_SAMPLES).unwrap_or(BINS));
        }
    }

    /// Counts everything as `bins` bins less behind the fastest.
    fn shift_down(&mut self, bins: usize) {
        let bins = bins.min(BINS - 1);
        let fallen: u64 = self.histogram[..=bins].iter().sum();
        self.histogram.copy_within(bins.., 0);
        self.histogram[0] = fallen;
        self.histogram[BINS - bins..].fill(0);
    }

    fn add(&mut self, bin: usize, length: i64) {
        let length = u64::try_from(length).unwrap_or(0).min(MEMORY_SAMPLES);
        for weight in &mut self.histogram {
            *weight -= *weight / MEMORY_SAMPLES * length;
        }
        self.histogram[bin.min(BINS - 1)] += WHOLE / MEMORY_SAMPLES * length;
    }

    fn quantile(&self) -> i64 {
        let whole: u64 = self.histogram.iter().sum();
        let mut above = 0;
        for (bin, weight) in self.histogram.iter().enumerate().rev() {
            above += weight;
            if above > whole / ONE_IN {
                return (bin as i64 + 1) * BIN_SAMPLES;
            }
        }
        BIN_SAMPLES
    }
}

/// Whether `packet` follows `newest` faster than it was sent, out of the same place.
const fn is_catching_up(newest: Arrival, packet: Arrival) -> bool {
    let sent_apart = packet.timestamp - newest.timestamp;
    let came_apart = packet.arrival - newest.arrival;
    sent_apart > 0 && 2 * came_apart < sent_apart
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: i64 = 960;

    /// Observes packets of 20 ms, each `behind` its time by so many ms.
    fn observe(arrivals: &mut Arrivals, first: i64, behind_ms: impl IntoIterator<Item = i64>) {
        for (at, behind_ms) in (first..).zip(behind_ms) {
            arrivals.observe(Arrival {
                arrival: at * TICK + behind_ms * 48,
                timestamp: at * TICK,
                length: TICK,
            });
        }
    }

    fn spread_ms(arrivals: &Arrivals) -> i64 {
        arrivals.spread() / 48
    }

    #[test]
    fn an_even_path_has_the_least_spread() {
        let mut arrivals = Arrivals::new();

        observe(&mut arrivals, 0, [70; 500]);

        assert_eq!(spread_ms(&arrivals), 5);
        assert_eq!(arrivals.fastest(), 70 * 48);
    }

    #[test]
    fn jitter_is_answered_within_a_few_packets_and_forgotten_within_some_seconds() {
        let mut arrivals = Arrivals::new();
        observe(&mut arrivals, 0, [0; 100]);

        observe(&mut arrivals, 100, [0, 38, 0, 38, 0, 38]);
        assert_eq!(spread_ms(&arrivals), 40);

        observe(&mut arrivals, 106, [0; 100]);
        assert_eq!(spread_ms(&arrivals), 5);
    }

    #[test]
    fn strong_jitter_is_remembered_for_seconds_after_it_ends() {
        let mut arrivals = Arrivals::new();
        observe(&mut arrivals, 0, (0..500).map(|at| at * 17 % 40));

        observe(&mut arrivals, 500, [0; 250]);
        assert!((20..=40).contains(&spread_ms(&arrivals)));

        observe(&mut arrivals, 750, [0; 1_000]);
        assert_eq!(spread_ms(&arrivals), 5);
    }

    #[test]
    fn packets_held_back_and_let_go_together_count_once() {
        let mut arrivals = Arrivals::new();
        observe(&mut arrivals, 0, [0; 300]);

        observe(&mut arrivals, 300, (0..25).map(|at| 500 - at * 20));
        observe(&mut arrivals, 325, [0; 10]);

        assert_eq!(spread_ms(&arrivals), 5);
    }

    #[test]
    fn the_fastest_path_follows_a_clock_that_drifts_and_the_spread_does_not() {
        // One sample in five packets, 208 ppm.
        for drift in [-1, 1] {
            let mut arrivals = Arrivals::new();
            for at in 0..20_000i64 {
                arrivals.observe(Arrival {
                    arrival: at * TICK + at * drift / 5 + at % 3 * 480,
                    timestamp: at * TICK,
                    length: TICK,
                });
                let spread_ms = spread_ms(&arrivals);
                assert!(
                    at < 500 || (20..=30).contains(&spread_ms),
                    "{at} {spread_ms}"
                );
            }
            assert!((arrivals.fastest() - 4_000 * drift).abs() <= 30);
        }
    }

    #[test]
    fn a_path_that_has_become_longer_for_good_is_no_jitter_after_two_seconds() {
        let mut arrivals = Arrivals::new();
        observe(&mut arrivals, 0, [0; 300]);

        observe(&mut arrivals, 300, [200; 150]);

        assert_eq!(arrivals.fastest(), 200 * 48);
        assert_eq!(spread_ms(&arrivals), 5);
    }

    #[test]
    fn a_jump_in_media_time_starts_the_fastest_path_over_and_keeps_the_spread() {
        let mut arrivals = Arrivals::new();
        observe(&mut arrivals, 0, (0..300).map(|at| at % 2 * 30));

        observe(&mut arrivals, 300, [-90_000, -90_000]);

        assert_eq!(arrivals.fastest(), -90_000 * 48);
        assert_eq!(spread_ms(&arrivals), 35);
    }
}
