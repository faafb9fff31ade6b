//! What has arrived lately, and how much of what was sent that is.
//!
//! While packets stand in a queue, what leaves it is what the narrow place passes: then the
//! acknowledged rate is our share of the capacity, whatever we send.
//!
//! Packets that no report has told of count as arrived between those before and after them: left out,
//! each lost report would look like a path that carries a quarter less.
//!
//! Holds the packets of the last [`KEPT`], at most [`PACKETS`].

use std::collections::VecDeque;
use std::time::Duration;

use super::Fate;

/// How far back anything is asked for.
const KEPT: Duration = Duration::from_secs(2);

/// The most packets kept: 2 s of 8 Mb/s in packets of 1,000 bytes.
const PACKETS: usize = 2_048;

/// Fewer packets that arrived give no rate.
const MIN_PACKETS: usize = 4;

/// What came of the packets sent lately.
#[derive(Debug, Default)]
pub(super) struct Received {
    packets: VecDeque<Packet>,
}

#[derive(Clone, Copy, Debug)]
struct Packet {
    departure: Duration,
    fate: Fate,
    bits: f64,
}

/// Rates over the same packets, in bit/s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rates {
    /// As they left, lost ones included.
    pub(super) sent: f64,
    /// As those left that arrived.
    pub(super) survived: f64,
    /// As they arrived.
    pub(super) acknowledged: f64,
}

impl Received {
    /// A packet's fate, in the order of departure.
    pub(super) fn push(&mut self, departure: Duration, fate: Fate, bits: f64) {
        self.packets.push_back(Packet {
            departure,
            fate,
            bits,
        });
        while self.packets.len() > PACKETS
            || self
                .packets
                .front()
                .is_some_and(|first| departure.saturating_sub(first.departure) > KEPT)
        {
            self.packets.pop_front();
        }
    }

    /// The bits that left after `from` and up to `until`, whatever came of them.
    pub(super) fn left(&self, from: Duration, until: Duration) -> f64 {
        let within = |packet: &&Packet| packet.departure > from && packet.departure <= until;
        self.packets
            .iter()
            .filter(within)
            .map(|packet| packet.bits)
            .sum()
    }

    /// The rates over the packets that left within `window` of the last one; `None` until there
    /// are enough of them.
    pub(super) fn rates(&self, window: Duration) -> Option<Rates> {
        let last = self.packets.back()?.departure;
        let from = last.saturating_sub(window);
        self.between(from, last)
    }

    /// When the last packet left that is known of.
    pub(super) fn last_departure(&self) -> Option<Duration> {
        Some(self.packets.back()?.departure)
    }

    /// The rates over the packets that left from `from` to `until`. The first packet marks the
    /// beginning and does not count itself.
    pub(super) fn between(&self, from: Duration, until: Duration) -> Option<Rates> {
        Some(self.over(from, until)?.0)
    }

    /// As [`Self::between`], and how long those packets took to arrive.
    pub(super) fn over(&self, from: Duration, until: Duration) -> Option<(Rates, Duration)> {
        let within = |packet: &&Packet| packet.departure >= from && packet.departure <= until;
        let mut packets = self.packets.iter().filter(within);
        let first = packets.find(|packet| packet.fate.arrival().is_some())?;
        let first_arrival = first.fate.arrival()?;
        let (mut left, mut survived, mut arrived) =
            (first.departure, first.departure, first_arrival);
        let (mut sent, mut came, mut count) = (0.0, 0.0, 1);
        for packet in packets {
            left = packet.departure;
            sent += packet.bits;
            match packet.fate {
                Fate::Arrived(arrival) => {
                    came += packet.bits;
                    survived = packet.departure;
                    arrived = arrived.max(arrival);
                    count += 1;
                }
                Fate::Unheard => came += packet.bits,
                Fate::Lost => {}
            }
        }
        let seconds = |until: Duration, from: Duration| until.saturating_sub(from).as_secs_f64();
        let survived = seconds(survived, first.departure);
        let took = arrived.saturating_sub(first_arrival);
        let arrived = took.as_secs_f64();
        (count >= MIN_PACKETS && survived > 0.0 && arrived > 0.0).then(|| {
            let rates = Rates {
                sent: sent / seconds(left, first.departure),
                survived: came / survived,
                acknowledged: came / arrived,
            };
            (rates, took)
        })
    }
}
