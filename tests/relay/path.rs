//! One direction between one client and the daemon: a link whose properties may change while
//! packets are under way.
//!
//! A packet is as long there as on any path: with its headers of IPv4 and UDP.

use std::time::Duration;

use link::{Link, LinkConfig, Outage};
use serde_json::{Value, json};

use crate::traffic::Traffic;

/// Packets under way in one path; more are not taken.
const MOST_UNDER_WAY: usize = 10_000;

/// What a datagram is longer than what is in it: IPv4 and UDP.
const HEADER_BYTES: usize = 20 + 8;

pub(crate) struct Path {
    link: Link<Vec<u8>>,
    traffic: Traffic,
}

/// What became of the packets of some paths.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters(link::Counters);

impl Path {
    pub(crate) fn new(config: LinkConfig, seed: u64) -> Self {
        Self {
            link: Link::new(config, seed),
            traffic: Traffic::default(),
        }
    }

    /// Packets from now on meet these properties, and the outages that were set before; those under
    /// way arrive as they would have.
    pub(crate) fn set(&mut self, config: LinkConfig) {
        let outages = self.link.config().outages.clone();
        self.link.change(LinkConfig { outages, ..config });
    }

    /// Lets nothing through for a while. An earlier outage is forgotten.
    pub(crate) fn die(&mut self, outage: Outage) {
        self.link.change(LinkConfig {
            outages: vec![outage],
            ..self.link.config().clone()
        });
    }

    pub(crate) fn send(&mut self, now: Duration, packet: Vec<u8>) {
        if self.link.under_way() < MOST_UNDER_WAY {
            let bytes = packet.len() + HEADER_BYTES;
            let start = [0, 1].map(|n| packet.get(n).copied().unwrap_or_default());
            if let Some(took) = self.link.send(now, bytes, packet) {
                self.traffic.count(start, bytes, took);
            }
        }
    }

    /// Takes out what has arrived.
    pub(crate) fn deliver(&mut self, now: Duration, mut to: impl FnMut(Vec<u8>)) {
        for arrived in self.link.deliver(now) {
            to(arrived.packet);
        }
    }

    pub(crate) fn next_arrival(&self) -> Option<Duration> {
        self.link.next_arrival()
    }

    pub(crate) const fn counters(&self) -> Counters {
        Counters(self.link.counters())
    }

    /// What got through.
    pub(crate) const fn traffic(&self) -> &Traffic {
        &self.traffic
    }
}

impl Counters {
    pub(crate) fn and(self, other: Self) -> Self {
        let (Self(one), Self(other)) = (self, other);
        Self(link::Counters {
            sent: one.sent + other.sent,
            delivered: one.delivered + other.delivered,
            lost: one.lost + other.lost,
            in_outage: one.in_outage + other.in_outage,
            overflowed: one.overflowed + other.overflowed,
            duplicated: one.duplicated + other.duplicated,
        })
    }

    pub(crate) fn to_json(self) -> Value {
        json!({
            "sent": self.0.sent,
            "delivered": self.0.delivered,
            "lost": self.0.lost,
            "in_outage": self.0.in_outage,
            "overflowed": self.0.overflowed,
            "duplicated": self.0.duplicated,
        })
    }
}
