//! One direction between one client and the daemon: a link whose properties may change while
//! packets are under way.

use std::time::Duration;

use link::{During, Link, LinkConfig, Outage};
use serde_json::{Value, json};

/// Packets under way in one path; more are not taken.
const MOST_UNDER_WAY: usize = 10_000;

/// A path, and those it replaced for as long as they carry something.
pub(crate) struct Path {
    links: Vec<Link<Vec<u8>>>,
    config: LinkConfig,
    seed: u64,
    counters: Counters,
}

/// What became of the packets of a path, over all its configurations.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    sent: u64,
    delivered: u64,
    lost: u64,
    in_outage: u64,
    overflowed: u64,
}

impl Path {
    pub(crate) fn new(config: LinkConfig, seed: u64) -> Self {
        Self {
            links: vec![Link::new(config.clone(), seed)],
            config,
            seed,
            counters: Counters::default(),
        }
    }

    /// Packets from now on meet the new properties; those under way arrive as they would have.
    pub(crate) fn set(&mut self, config: LinkConfig) {
        self.seed = self.seed.wrapping_add(1);
        self.links.push(Link::new(config.clone(), self.seed));
        self.config = config;
        self.retire();
    }

    /// Loses everything that is sent from `now` on and before `until`.
    pub(crate) fn die(&mut self, now: Duration, until: Duration) {
        let mut config = self.config.clone();
        config.outages = vec![Outage {
            from: now,
            until,
            during: During::Lost,
        }];
        self.set(config);
    }

    pub(crate) fn send(&mut self, now: Duration, packet: Vec<u8>) {
        if let Some(link) = self.links.last_mut()
            && link.under_way() < MOST_UNDER_WAY
        {
            link.send(now, packet.len(), packet);
        }
    }

    /// Takes out what has arrived.
    pub(crate) fn deliver(&mut self, now: Duration, mut to: impl FnMut(Vec<u8>)) {
        for link in &mut self.links {
            for arrived in link.deliver(now) {
                to(arrived.packet);
            }
        }
        self.retire();
    }

    pub(crate) fn next_arrival(&self) -> Option<Duration> {
        self.links.iter().filter_map(Link::next_arrival).min()
    }

    pub(crate) fn counters(&self) -> Counters {
        self.links
            .iter()
            .fold(self.counters, |sum, link| sum.plus(link))
    }

    /// Lets go of links that were replaced and carry nothing any more.
    fn retire(&mut self) {
        let Some(current) = self.links.pop() else {
            return;
        };
        for link in self.links.extract_if(.., |link| link.under_way() == 0) {
            self.counters = self.counters.plus(&link);
        }
        self.links.push(current);
    }
}

impl Counters {
    fn plus(self, link: &Link<Vec<u8>>) -> Self {
        let counters = link.counters();
        self.and(Self {
            sent: counters.sent,
            delivered: counters.delivered,
            lost: counters.lost,
            in_outage: counters.in_outage,
            overflowed: counters.overflowed,
        })
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            sent: self.sent + other.sent,
            delivered: self.delivered + other.delivered,
            lost: self.lost + other.lost,
            in_outage: self.in_outage + other.in_outage,
            overflowed: self.overflowed + other.overflowed,
        }
    }

    pub(crate) fn to_json(self) -> Value {
        json!({
            "sent": self.sent,
            "delivered": self.delivered,
            "lost": self.lost,
            "in_outage": self.in_outage,
            "overflowed": self.overflowed,
        })
    }
}
