//! The simulated path: one narrow place that any number of flows share, and time that goes on by
//! the millisecond.

use std::time::Duration;

use link::{Bandwidth, Jitter, Link, LinkConfig, Loss};

use super::flow::Flow;
use super::tcp::Tcp;

/// One way, of each direction.
pub(super) const DELAY: Duration = Duration::from_millis(40);

/// What may wait before the narrow place.
pub(super) const QUEUE: Duration = Duration::from_millis(300);

pub(super) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// What a flow puts on the path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parcel {
    pub(super) flow: usize,
    pub(super) seq: u64,
    pub(super) bytes: usize,
    pub(super) sent: Duration,
}

/// Whoever sends over the path.
pub(super) enum Sender {
    Ours(Box<Flow>),
    Tcp(Tcp),
}

/// The path and all who use it.
pub(super) struct Path {
    pub(super) now: Duration,
    pub(super) link: Link<Parcel>,
    pub(super) senders: Vec<Sender>,
    /// Per sender: when, how many bits came, and how long they had waited.
    log: Vec<Vec<(Duration, f64, Duration)>>,
    bits_per_second: u64,
    /// Whether nothing gets through.
    pub(super) is_gone: bool,
    /// How often everything is held back, and for how long, as by a radio that looks for others.
    pub(super) stalls: Option<(Duration, Duration)>,
    held: Vec<Parcel>,
}

pub(super) fn narrow(bits_per_second: u64, queue: Duration) -> Bandwidth {
    let queue_bytes = bits_per_second * u64::try_from(queue.as_millis()).unwrap() / 8_000;
    Bandwidth {
        bits_per_second,
        queue_bytes: usize::try_from(queue_bytes).unwrap().max(3_000),
    }
}

impl Path {
    /// With 2 % of loss.
    pub(super) fn new(bits_per_second: u64, seed: u64) -> Self {
        Self::with(bits_per_second, QUEUE, Loss::Random { share: 0.02 }, seed)
    }

    pub(super) fn set_jitter(&mut self, jitter: Jitter) {
        let config = LinkConfig {
            loss: Loss::Random { share: 0.02 },
            delay: DELAY,
            jitter,
            bandwidth: Some(narrow(self.bits_per_second, QUEUE)),
            ..LinkConfig::default()
        };
        self.link = Link::new(config, 1);
    }

    pub(super) fn with(bits_per_second: u64, queue: Duration, loss: Loss, seed: u64) -> Self {
        let config = LinkConfig {
            loss,
            delay: DELAY,
            bandwidth: Some(narrow(bits_per_second, queue)),
            ..LinkConfig::default()
        };
        Self {
            now: Duration::ZERO,
            link: Link::new(config, seed),
            senders: Vec::new(),
            log: Vec::new(),
            bits_per_second,
            is_gone: false,
            stalls: None,
            held: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, sender: Sender) -> usize {
        self.senders.push(sender);
        self.log.push(Vec::new());
        self.senders.len() - 1
    }

    pub(super) fn add_flow(&mut self, flow: Flow) -> usize {
        self.add(Sender::Ours(Box::new(flow)))
    }

    pub(super) fn flow(&mut self, index: usize) -> &mut Flow {
        match &mut self.senders[index] {
            Sender::Ours(flow) => flow,
            Sender::Tcp(_) => panic!("{index} is a TCP"),
        }
    }

    pub(super) fn set_bandwidth(&mut self, bits_per_second: u64) {
        self.bits_per_second = bits_per_second;
        self.link
            .set_bandwidth(Some(narrow(bits_per_second, QUEUE)));
    }

    pub(super) fn run_until(&mut self, until: Duration) {
        while self.now < until {
            self.now += ms(1);
            let now = self.now;
            for (index, sender) in self.senders.iter_mut().enumerate() {
                let packets = match sender {
                    Sender::Ours(flow) => flow.send(now),
                    Sender::Tcp(tcp) => tcp.send(now),
                };
                for (seq, bytes) in packets {
                    let parcel = Parcel {
                        flow: index,
                        seq,
                        bytes,
                        sent: now,
                    };
                    if !self.is_gone {
                        self.held.push(parcel);
                    }
                }
            }
            let since = |every: Duration| now.as_millis() % every.as_millis();
            let stalled = |(every, lasts): (Duration, Duration)| since(every) < lasts.as_millis();
            if !self.stalls.is_some_and(stalled) {
                for parcel in self.held.drain(..) {
                    self.link.send(now, parcel.bytes, parcel);
                }
            }
            for arrived in self.link.deliver(now) {
                let Parcel {
                    flow,
                    seq,
                    bytes,
                    sent,
                } = arrived.packet;
                let bits = bytes as f64 * 8.0;
                let own = Duration::from_secs_f64(bits / self.bits_per_second as f64);
                let waited = (arrived.at - sent).saturating_sub(DELAY + own);
                self.log[flow].push((arrived.at, bits, waited));
                match &mut self.senders[flow] {
                    Sender::Ours(flow) => flow.receive(arrived.at, seq),
                    Sender::Tcp(tcp) => tcp.receive(now, seq),
                }
            }
        }
    }

    /// The rate that arrived of `index` from `from` to `until`, in bit/s.
    pub(super) fn rate(&self, index: usize, from: Duration, until: Duration) -> f64 {
        let within = self.log[index]
            .iter()
            .filter(|(at, ..)| *at >= from && *at < until);
        within.map(|(_, bits, _)| bits).sum::<f64>() / (until - from).as_secs_f64()
    }

    /// The waits of `index` from `from` to `until`, in ms: the middle, the 95th percentile, the
    /// longest.
    pub(super) fn waits(
        &self,
        index: usize,
        from: Duration,
        until: Duration,
    ) -> (u128, u128, u128) {
        let within = self.log[index]
            .iter()
            .filter(|(at, ..)| *at >= from && *at < until);
        let mut waits: Vec<u128> = within.map(|(.., waited)| waited.as_millis()).collect();
        waits.sort_unstable();
        let at = |share: usize| waits.get(waits.len() * share / 100).copied().unwrap_or(0);
        (at(50), at(95), waits.last().copied().unwrap_or(0))
    }
}
