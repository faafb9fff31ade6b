//! A TCP that always has something to send: slow start, additive increase, half after a loss, once
//! a round trip (RFC 5681; no SACK, no timeouts: a lost packet just does not come).

use std::collections::BTreeMap;
use std::time::Duration;

use super::path::DELAY;

const SEGMENT: usize = 1_240;

#[derive(Debug)]
pub(super) struct Tcp {
    starts: Duration,
    ends: Duration,
    window: f64,
    threshold: f64,
    next_seq: u64,
    under_way: BTreeMap<u64, Duration>,
    /// Acknowledgements on their way back.
    acks: Vec<(Duration, u64)>,
    recover_at: u64,
}

impl Tcp {
    pub(super) fn new(starts: Duration, ends: Duration) -> Self {
        Self {
            starts,
            ends,
            window: 4.0,
            threshold: 1e9,
            next_seq: 0,
            under_way: BTreeMap::new(),
            acks: Vec::new(),
            recover_at: 0,
        }
    }

    pub(super) fn send(&mut self, now: Duration) -> Vec<(u64, usize)> {
        let due: Vec<u64> = self
            .acks
            .extract_if(.., |(at, _)| *at <= now)
            .map(|(_, s)| s)
            .collect();
        for seq in due {
            self.acknowledged(seq);
        }
        // What has been under way for too long is forgotten: a timeout.
        let stale = |sent: &Duration| now.saturating_sub(*sent) > Duration::from_secs(2);
        if self.under_way.values().any(stale) {
            self.under_way.clear();
            self.window = 2.0;
        }
        let mut packets = Vec::new();
        while now >= self.starts && now < self.ends && (self.under_way.len() as f64) < self.window {
            self.under_way.insert(self.next_seq, now);
            packets.push((self.next_seq, SEGMENT));
            self.next_seq += 1;
        }
        packets
    }

    pub(super) fn receive(&mut self, now: Duration, seq: u64) {
        self.acks.push((now + DELAY, seq));
    }

    fn acknowledged(&mut self, seq: u64) {
        self.under_way.remove(&seq);
        self.window += if self.window < self.threshold {
            1.0
        } else {
            1.0 / self.window
        };
        // Three later ones have come.
        let lost: Vec<u64> = self
            .under_way
            .range(..seq.saturating_sub(2))
            .map(|(s, _)| *s)
            .collect();
        for seq in lost {
            self.under_way.remove(&seq);
            if seq >= self.recover_at {
                self.recover_at = self.next_seq;
                self.window = (self.window / 2.0).max(2.0);
                self.threshold = self.window;
            }
        }
    }
}
