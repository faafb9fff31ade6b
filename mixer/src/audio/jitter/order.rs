//! Puts one track's packets in order and tells the odd ones apart.
//!
//! Sequence numbers decide the order, and timestamps must agree with it: of two kept packets the
//! later one has the later timestamp. A packet that contradicts this, or is too far from the
//! stream, is not kept but remembered; if the next one continues from it, the stream has started
//! over there (the probation of RFC 3550, appendix A.1). So a single wild packet harms nothing, and
//! a restarted sender is heard again from its second packet on.
//!
//! Holds at most [`CAPACITY`] packets; each is one datagram.

use std::collections::VecDeque;

use bytes::Bytes;
use codecs::audio::MAX_PACKET_SAMPLES;
use codecs::rtp::{ExtSeqNo, ExtTimestamp, RtpTimestamp, SeqNo, SeqUnwrapper, TimestampUnwrapper};

use super::SHORTEST_SAMPLES;
use crate::audio::{AudioCounters, AudioPacket};

/// The most packets one track can have waiting: 320 ms of the shortest kind, 2.5 ms.
pub(crate) const CAPACITY: usize = 128;

/// A sequence number this far ahead is not believed at once (RFC 3550, MAX_DROPOUT).
const MAX_DROPOUT: i64 = 3_000;

/// Nor one this far behind (RFC 3550, MAX_MISORDER).
const MAX_MISORDER: i64 = 100;

/// One packet in its place.
#[derive(Debug)]
pub(super) struct Ordered {
    pub(super) stamp: Stamp,
    pub(super) payload: Bytes,
}

/// Where a packet belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) seq: ExtSeqNo,
    pub(super) timestamp: ExtTimestamp,
}

/// What has become of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inserted {
    /// It waits in its place.
    Kept(Stamp),
    /// Its playout has passed; it is counted.
    Late(Stamp),
    /// It was not kept, and is counted.
    Refused,
    /// It waits in its place, the first of a stream that started over. What waited is gone.
    Restarted(Stamp),
}

/// Packets in order, from the next to play to the newest.
#[derive(Debug)]
pub(super) struct Order {
    packets: VecDeque<Ordered>,
    seqs: SeqUnwrapper,
    timestamps: TimestampUnwrapper,
    newest: Option<Stamp>,
    /// The last one that left.
    passed: Option<Stamp>,
    /// The first and the next sequence number that playout wants.
    wanted: Option<(ExtSeqNo, ExtSeqNo)>,
    /// Bit n: the packet n before the newest has come.
    seen: u128,
    /// The packet not believed.
    suspect: Option<(SeqNo, RtpTimestamp)>,
}

impl Order {
    pub(super) fn new() -> Self {
        Self {
            packets: VecDeque::with_capacity(CAPACITY + 1),
            seqs: SeqUnwrapper::default(),
            timestamps: TimestampUnwrapper::default(),
            newest: None,
            passed: None,
            wanted: None,
            seen: 0,
            suspect: None,
        }
    }

    /// Puts `packet` in its place, or counts why not.
    pub(super) fn insert(&mut self, packet: AudioPacket, counters: &mut AudioCounters) -> Inserted {
        let (mut seqs, mut timestamps) = (self.seqs.clone(), self.timestamps.clone());
        let stamp = Stamp {
            seq: seqs.unwrap(packet.seq),
            timestamp: timestamps.unwrap(packet.timestamp),
        };
        let place = self
            .packets
            .partition_point(|kept| kept.stamp.seq < stamp.seq);
        if !self.is_plausible(stamp, place) {
            return self.suspect(packet, counters);
        }
        self.suspect = None;
        if self.has_seen(stamp.seq) {
            counters.duplicate += 1;
            return Inserted::Refused;
        }
        self.mark_seen(stamp);
        (self.seqs, self.timestamps) = (seqs, timestamps);
        if let Some((first, next)) = self.wanted
            && stamp.seq < next
        {
            counters.late += 1;
            if stamp.seq >= first {
                // Its absence was counted as a loss.
                counters.lost = counters.lost.saturating_sub(1);
            }
            return Inserted::Late(stamp);
        }
        self.packets.insert(
            place,
            Ordered {
                stamp,
                payload: packet.payload,
            },
        );
        if self.packets.len() > CAPACITY {
            self.drop_front(counters);
        }
        Inserted::Kept(stamp)
    }

    pub(super) fn front(&self) -> Option<&Ordered> {
        self.packets.front()
    }

    pub(super) fn get(&self, at: usize) -> Option<&Ordered> {
        self.packets.get(at)
    }

    /// The packets that have not come, of those that playout still wants: each with the place of
    /// the first packet after it, in order.
    pub(super) fn holes(&self) -> impl Iterator<Item = (ExtSeqNo, Stamp)> + '_ {
        let next = self.wanted.map(|(_, next)| next.0);
        let first = self.packets.front().map(|front| front.stamp.seq.0);
        // As far back as a packet is believed.
        let mut seq = next
            .or(first)
            .zip(self.newest)
            .map_or(0, |(seq, newest)| seq.max(newest.seq.0 - MAX_MISORDER));
        self.packets.iter().flat_map(move |kept| {
            let hole = seq..kept.stamp.seq.0;
            seq = seq.max(kept.stamp.seq.0 + 1);
            hole.map(|missing| (ExtSeqNo(missing), kept.stamp))
        })
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.packets.len()
    }

    /// Where the first packet at or after `timestamp` stands.
    pub(super) fn position_at(&self, timestamp: i64) -> usize {
        self.packets
            .partition_point(|kept| kept.stamp.timestamp.0 < timestamp)
    }

    /// How long the first packet plays, if the one after it waits too; a multiple of
    /// [`SHORTEST_SAMPLES`] that a packet can have.
    pub(super) fn front_length(&self) -> Option<i64> {
        let (front, second) = (self.packets.front()?.stamp, self.packets.get(1)?.stamp);
        let length = second.timestamp.0 - front.timestamp.0;
        let shortest = SHORTEST_SAMPLES as i64;
        let is_length = (shortest..=MAX_PACKET_SAMPLES as i64).contains(&length)
            && length % shortest == 0
            && second.seq.0 - front.seq.0 == 1;
        is_length.then_some(length)
    }

    /// Whether the first packet is more than `most` before `newest`, and not because of a jump in
    /// media time that comes right after it.
    pub(super) fn front_waits_longer(&self, newest: i64, most: i64) -> bool {
        let (Some(front), Some(second)) = (self.packets.front(), self.packets.get(1)) else {
            return false;
        };
        let (front, second) = (front.stamp.timestamp.0, second.stamp.timestamp.0);
        newest - front > most
            && (newest - second >= most || second - front <= MAX_PACKET_SAMPLES as i64)
    }

    /// The timestamp of the last packet that waits.
    pub(super) fn back_timestamp(&self) -> Option<i64> {
        Some(self.packets.back()?.stamp.timestamp.0)
    }

    /// How many packets are missing before the first that waits.
    pub(super) fn missing(&self) -> i64 {
        match (self.wanted, self.packets.front()) {
            (Some((_, next)), Some(front)) => front.stamp.seq.0 - next.0,
            _ => 0,
        }
    }

    /// Stops waiting for the next packet.
    pub(super) fn give_up_next(&mut self, counters: &mut AudioCounters) {
        if let Some((_, next)) = &mut self.wanted {
            next.0 += 1;
            counters.lost += 1;
        }
    }

    /// Takes the first packet out; whatever is missing before it is lost.
    pub(super) fn pop_front(&mut self, counters: &mut AudioCounters) -> Option<Ordered> {
        let missing = self.missing();
        let front = self.packets.pop_front()?;
        counters.lost += u64::try_from(missing).unwrap_or(0);
        let next = ExtSeqNo(front.stamp.seq.0 + 1);
        let first = self.wanted.map_or(front.stamp.seq, |(first, _)| first);
        self.wanted = Some((first, next));
        self.passed = Some(front.stamp);
        Some(front)
    }

    /// Throws the first packet away.
    pub(super) fn drop_front(&mut self, counters: &mut AudioCounters) {
        if self.pop_front(counters).is_some() {
            counters.dropped += 1;
        }
    }

    /// Whether `stamp`, whose place would be `place`, agrees with its neighbors.
    fn is_plausible(&self, stamp: Stamp, place: usize) -> bool {
        let Some(newest) = self.newest else {
            return true;
        };
        let ahead = stamp.seq.0 - newest.seq.0;
        if !(-MAX_MISORDER..=MAX_DROPOUT).contains(&ahead) {
            return false;
        }
        let below = match place.checked_sub(1) {
            Some(before) => self.packets.get(before).map(|kept| kept.stamp),
            None => self.passed,
        };
        [
            below,
            self.packets.get(place).map(|kept| kept.stamp),
            Some(newest),
        ]
        .into_iter()
        .flatten()
        .all(|other| stamp.seq.cmp(&other.seq) == stamp.timestamp.cmp(&other.timestamp))
    }

    fn suspect(&mut self, packet: AudioPacket, counters: &mut AudioCounters) -> Inserted {
        let continues = self.suspect.is_some_and(|(seq, timestamp)| {
            let step = packet.timestamp.0.wrapping_sub(timestamp.0);
            packet.seq.0 == seq.0.wrapping_add(1) && (1..1 << 31).contains(&step)
        });
        if !continues {
            self.suspect = Some((packet.seq, packet.timestamp));
            counters.dropped += 1;
            return Inserted::Refused;
        }
        counters.dropped += self.packets.len() as u64;
        self.forget();
        match self.insert(packet, counters) {
            Inserted::Kept(stamp) => Inserted::Restarted(stamp),
            other => other,
        }
    }

    /// Back to the state of [`Order::new`], keeping the memory.
    fn forget(&mut self) {
        self.packets.clear();
        self.seqs = SeqUnwrapper::default();
        self.timestamps = TimestampUnwrapper::default();
        self.newest = None;
        self.passed = None;
        self.wanted = None;
        self.seen = 0;
        self.suspect = None;
    }

    fn has_seen(&self, seq: ExtSeqNo) -> bool {
        self.newest.is_some_and(|newest| {
            u32::try_from(newest.seq.0 - seq.0)
                .ok()
                .and_then(|behind| self.seen.checked_shr(behind))
                .is_some_and(|bits| bits & 1 == 1)
        })
    }

    fn mark_seen(&mut self, stamp: Stamp) {
        let ahead = self.newest.map_or(0, |newest| stamp.seq.0 - newest.seq.0);
        if ahead >= 0 {
            let shift = u32::try_from(ahead).unwrap_or(u32::MAX);
            self.seen = self.seen.checked_shl(shift).unwrap_or(0) | 1;
            self.newest = Some(stamp);
        } else {
            let behind = u32::try_from(-ahead).unwrap_or(u32::MAX);
            self.seen |= 1u128.checked_shl(behind).unwrap_or(0);
        }
    }
}
