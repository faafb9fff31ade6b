//! The link itself: packets under way, in the order of their arrival.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::loss::Losses;
use crate::{Bandwidth, Delivery, During, Jitter, LinkConfig, Random};

/// Exponential jitter is cut here, in means.
const LONGEST_EXPONENTIAL: f64 = 10.0;

/// In nanoseconds.
const SECOND: u128 = 1_000_000_000;

/// One direction of a path that carries packets of any kind.
#[derive(Clone, Debug)]
pub struct Link<T> {
    config: LinkConfig,
    losses: Losses,
    /// Chance of the delay, and of duplication: streams of their own.
    delays: Random,
    copies: Random,
    /// By arrival, then by order of sending.
    under_way: BTreeMap<(Duration, u64), T>,
    /// Number of the next packet or copy.
    number: u64,
    /// When the narrow place will have passed everything it has taken.
    free_at: Duration,
    /// The latest arrival so far, for delivery in order.
    latest: Duration,
    counters: Counters,
}

/// One packet at the far end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrived<T> {
    /// When it arrived, not later than it was asked for.
    pub at: Duration,
    /// What was sent.
    pub packet: T,
}

/// What has become of the packets so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets handed over.
    pub sent: u64,
    /// Packets taken out, copies included.
    pub delivered: u64,
    /// Lost by chance.
    pub lost: u64,
    /// Lost in an outage.
    pub in_outage: u64,
    /// Dropped at a full queue.
    pub overflowed: u64,
    /// Second copies made.
    pub duplicated: u64,
}

impl<T: Clone> Link<T> {
    /// A link with nothing under way. The same `seed` makes the same luck.
    #[must_use]
    pub fn new(config: LinkConfig, seed: u64) -> Self {
        let mut seeds = Random::new(seed);
        Self {
            losses: Losses::new(config.loss, Random::new(seeds.bits())),
            delays: Random::new(seeds.bits()),
            copies: Random::new(seeds.bits()),
            config,
            under_way: BTreeMap::new(),
            number: 0,
            free_at: Duration::ZERO,
            latest: Duration::ZERO,
            counters: Counters::default(),
        }
    }

    /// Changes what is wrong with the path. Packets under way arrive as they would have, what waits
    /// before the narrow place passes at the rate it met, and chance goes on where it was.
    pub fn change(&mut self, config: LinkConfig) {
        self.losses.change(config.loss);
        self.config = config;
    }

    /// What is wrong with the path.
    #[must_use]
    pub const fn config(&self) -> &LinkConfig {
        &self.config
    }

    /// Hands over a packet of `bytes` at `now`; times must not run backwards. Says how long it takes
    /// from there through the queue and the narrow place, or `None` if it never gets through.
    pub fn send(&mut self, now: Duration, bytes: usize, packet: T) -> Option<Duration> {
        self.counters.sent += 1;
        // Drawn for every packet, whatever becomes of it.
        let lost = self.losses.loses();
        let delays = [self.delay(), self.delay()];
        let twice = self.copies.chance(self.config.duplication);

        let Some(begins) = self.after_outages(now) else {
            self.counters.in_outage += 1;
            return None;
        };
        if lost {
            self.counters.lost += 1;
            return None;
        }
        let Some(passed) = self.pass(begins, bytes) else {
            self.counters.overflowed += 1;
            return None;
        };
        if twice {
            self.counters.duplicated += 1;
            self.set_out(passed + delays[1], packet.clone());
        }
        self.set_out(passed + delays[0], packet);
        Some(passed - now)
    }

    /// Takes out what has arrived by `now`, in the order of arrival.
    pub fn deliver(&mut self, now: Duration) -> impl Iterator<Item = Arrived<T>> + '_ {
        std::iter::from_fn(move || {
            let first = self.under_way.first_entry()?;
            let (at, _) = *first.key();
            (at <= now).then(|| {
                self.counters.delivered += 1;
                let packet = first.remove();
                Arrived { at, packet }
            })
        })
    }

    /// Changes the narrow place. What it has taken already passes as it would have; what comes from
    /// now on waits behind that.
    pub const fn set_bandwidth(&mut self, bandwidth: Option<Bandwidth>) {
        self.config.bandwidth = bandwidth;
    }

    /// When the next packet arrives, if one is under way.
    #[must_use]
    pub fn next_arrival(&self) -> Option<Duration> {
        let ((at, _), _) = self.under_way.first_key_value()?;
        Some(*at)
    }

    /// How many packets are under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// What has become of the packets so far.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// When a packet sent at `now` sets out; `None` if never.
    fn after_outages(&self, now: Duration) -> Option<Duration> {
        let mut begins = now;
        for outage in &self.config.outages {
            if (outage.from..outage.until).contains(&now) {
                match outage.during {
                    During::Lost => return None,
                    During::Held => begins = begins.max(outage.until),
                }
            }
        }
        Some(begins)
    }

    /// When a packet that reaches the narrow place at `now` has passed it; `None` if the queue is
    /// full.
    fn pass(&mut self, now: Duration, bytes: usize) -> Option<Duration> {
        let Some(bandwidth) = self.config.bandwidth else {
            return Some(now);
        };
        let begins = self.free_at.max(now);
        let rate = u128::from(bandwidth.bits_per_second.max(1));
        // In bits times a second in nanoseconds, so that nothing is rounded: at 1 kb/s a bit more or
        // less in the queue is a millisecond.
        let waiting = (begins - now).as_nanos() * rate;
        let arriving = (bytes as u128) * 8 * SECOND;
        if waiting + arriving > (bandwidth.queue_bytes as u128) * 8 * SECOND {
            return None;
        }
        let takes = arriving / rate;
        self.free_at = begins + Duration::from_nanos(u64::try_from(takes).unwrap_or(u64::MAX));
        Some(self.free_at)
    }

    /// How long one packet takes.
    fn delay(&mut self) -> Duration {
        let delay = self.config.delay;
        match self.config.jitter {
            Jitter::None => delay,
            Jitter::Uniform(half) => {
                (delay + half.mul_f64(2.0 * self.delays.unit())).saturating_sub(half)
            }
            Jitter::Exponential(mean) => {
                delay + mean.mul_f64(self.delays.exponential().min(LONGEST_EXPONENTIAL))
            }
        }
    }

    fn set_out(&mut self, arrival: Duration, packet: T) {
        let arrival = match self.config.delivery {
            Delivery::InOrder => arrival.max(self.latest),
            Delivery::Reordered => arrival,
        };
        self.latest = self.latest.max(arrival);
        self.under_way.insert((arrival, self.number), packet);
        self.number += 1;
    }
}
