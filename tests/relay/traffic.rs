//! What got through a path: bytes by kind, and how long each packet took through the queue.
//!
//! All of it is encrypted, but what a datagram is shows in its first two bytes (RFC 7983 §7, RFC 5761
//! §4), and RTP says its payload type. Holds at most a count for each type and each step of the
//! histogram.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

/// Steps of the histogram, in ms.
const STEP_MS: u64 = 2;

/// Whatever took longer counts as this, in ms.
const LONGEST_MS: u64 = 4_000;

/// What a datagram carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Stun,
    Dtls,
    Rtcp,
    /// With its payload type.
    Rtp(u8),
    Other,
}

/// What got through.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traffic {
    bytes: BTreeMap<Kind, u64>,
    /// Packets by the time they took, in ms, rounded down to the step.
    queue: BTreeMap<u64, u64>,
}

impl Traffic {
    /// A packet of `bytes`, headers included, that begins with `start` took so long.
    pub(crate) fn count(&mut self, start: [u8; 2], bytes: usize, took: Duration) {
        let bytes = u64::try_from(bytes).unwrap_or_default();
        *self.bytes.entry(Kind::of(start)).or_default() += bytes;
        let ms = u64::try_from(took.as_millis()).unwrap_or(LONGEST_MS);
        let step = ms.min(LONGEST_MS) / STEP_MS * STEP_MS;
        *self.queue.entry(step).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (kind, bytes) in &other.bytes {
            *self.bytes.entry(*kind).or_default() += bytes;
        }
        for (step, packets) in &other.queue {
            *self.queue.entry(*step).or_default() += packets;
        }
    }

    /// Bytes by kind: `stun`, `dtls`, `rtcp`, `other`, and of RTP by its payload type.
    pub(crate) fn bytes_json(&self) -> Value {
        let named = self
            .bytes
            .iter()
            .map(|(kind, bytes)| (kind.name(), json!(bytes)));
        Value::Object(named.collect::<Map<_, _>>())
    }

    /// `[ms, packets]`, the shortest time first.
    pub(crate) fn queue_json(&self) -> Value {
        self.queue
            .iter()
            .map(|(step, packets)| json!([step, packets]))
            .collect()
    }
}

impl Kind {
    fn of([first, second]: [u8; 2]) -> Self {
        match (first, second) {
            (0..=3, _) => Self::Stun,
            (20..=63, _) => Self::Dtls,
            (128..=191, 192..=223) => Self::Rtcp,
            (128..=191, _) => Self::Rtp(second & 0x7f),
            _ => Self::Other,
        }
    }

    fn name(self) -> String {
        match self {
            Self::Stun => "stun".to_owned(),
            Self::Dtls => "dtls".to_owned(),
            Self::Rtcp => "rtcp".to_owned(),
            Self::Rtp(payload_type) => payload_type.to_string(),
            Self::Other => "other".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted_by_what_the_first_two_say() {
        let mut traffic = Traffic::default();

        for (start, bytes) in [
            ([0, 1], 100),
            ([22, 254], 200),
            ([0x80, 200], 30),
            ([0x8f, 205], 40),
            ([0x90, 111], 300),
            ([0x80, 0x80 | 96], 1_000),
            ([0x80, 96], 1),
            ([255, 0], 7),
        ] {
            traffic.count(start, bytes, Duration::ZERO);
        }

        let expected = json!({
            "stun": 100, "dtls": 200, "rtcp": 70, "111": 300, "96": 1_001, "other": 7
        });
        assert_eq!(traffic.bytes_json(), expected);
    }

    #[test]
    fn times_are_counted_in_steps_over_several_paths() {
        let [mut one, mut other] = [Traffic::default(), Traffic::default()];
        for ms in [0, 1, 2, 103] {
            one.count([0x80, 96], 1, Duration::from_millis(ms));
        }
        for ms in [3, 10_000] {
            other.count([0x80, 96], 1, Duration::from_millis(ms));
        }

        one.add(&other);

        let expected = json!([[0, 2], [2, 2], [102, 1], [4_000, 1]]);
        assert_eq!(one.queue_json(), expected);
        assert_eq!(one.bytes_json(), json!({ "96": 6 }));
    }
}
