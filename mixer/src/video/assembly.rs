//! Orders one live track's packets and gives out the frames that can be decoded.
//!
//! Push fragments as they arrive; at each tick, take frames until there are none. A frame is given
//! out when all of it is here and so was every frame before it, back to a keyframe. A gap is
//! waited for, since retransmissions come late: until a window has passed since the first packet
//! beyond it. Then everything up to the next complete keyframe is given up.
//!
//! Whoever sends, this holds at most [`MAX_PACKETS`] packets of together [`MAX_BYTES`]. Beyond
//! that all of them go, and are counted as dropped. Time comes from the packets and from
//! [`Assembly::take`].

mod stream;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use codecs::rtp::{ExtSeqNo, RtpTimestamp, SeqNo};
use codecs::video::FrameKind;

use self::stream::{Entry, Stream};
use super::counters::PacketCounters;
use super::input::Marker;
use super::orientation::Orientation;
use crate::RoomTime;

/// The most packets that wait: two megabytes in packets of usual size.
pub(crate) const MAX_PACKETS: usize = 2_048;

/// The most payload bytes that wait, hence the largest frame: 30 times a good 720p keyframe.
pub(crate) const MAX_BYTES: usize = 2 << 20;

/// One packet, its payload understood.
#[derive(Clone, Debug)]
pub(crate) struct Fragment {
    pub(crate) seq: SeqNo,
    pub(crate) timestamp: RtpTimestamp,
    pub(crate) marker: Marker,
    pub(crate) arrival: RoomTime,
    pub(crate) orientation: Option<Orientation>,
    pub(crate) part: Part,
}

/// What is known of a frame beside its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) kind: FrameKind,
    /// What the frame says of how it is to be turned.
    pub(crate) orientation: Option<Orientation>,
}

/// Which part of a frame a packet carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The beginning, and so what kind of frame it is.
    Head(FrameKind, Bytes),
    /// More of it.
    Rest(Bytes),
    /// Nothing: a packet sent to fill the link.
    Padding,
}

impl Part {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Head(_, bytes) | Self::Rest(bytes) => bytes,
            Self::Padding => &[],
        }
    }

    pub(crate) const fn is_keyframe_head(&self) -> bool {
        matches!(self, Self::Head(FrameKind::Key, _))
    }
}

/// Whether the next frame in order can be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chain {
    /// Everything before it was given out.
    Whole,
    /// Something is missing: only a keyframe makes sense.
    Broken,
}

/// One track's waiting packets. See the module.
#[derive(Debug)]
pub(crate) struct Assembly {
    window: Duration,
    stream: Stream,
    held: BTreeMap<ExtSeqNo, Fragment>,
    held_bytes: usize,
    /// All below it was given out or given up. `None` until the first frame.
    floor: Option<ExtSeqNo>,
    chain: Chain,
    /// Whether a bound was exceeded since the last [`Self::take_overflow`].
    overflow: Overflow,
}

/// Whether more came than may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overflow {
    /// All that waited was dropped for it.
    Dropped,
    /// It all fits.
    None,
}

/// How far the frame that begins at some packet has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// All of it is here; the next frame begins at `end`.
    Complete { end: ExtSeqNo },
    /// Its last packets have not come yet, nor has anything beyond them.
    Growing,
    /// Something is missing before `resumes`, which is here.
    Gap { resumes: ExtSeqNo },
    /// Its packets contradict each other.
    Nonsense,
}

impl Assembly {
    /// Nothing yet. Gaps are given up `window` after the first packet beyond them.
    pub(crate) fn new(window: Duration) -> Self {
        Self {
            window,
            stream: Stream::default(),
            held: BTreeMap::new(),
            held_bytes: 0,
            floor: None,
            chain: Chain::Broken,
            overflow: Overflow::None,
        }
    }

    /// Takes in one packet, in whatever order they come.
    pub(crate) fn push(&mut self, fragment: Fragment, counters: &mut PacketCounters) {
        match self.stream.enter(fragment, self.floor) {
            Entry::At(seq, fragment) => self.hold(seq, fragment, counters),
            Entry::Late => counters.late += 1,
            Entry::Stray { displaced } => counters.dropped += u64::from(displaced),
            Entry::Restart(both) => {
                counters.dropped += self.held.len() as u64;
                self.held.clear();
                self.held_bytes = 0;
                self.floor = None;
                self.chain = Chain::Broken;
                for (seq, fragment) in both {
                    self.hold(seq, fragment, counters);
                }
            }
        }
    }

    /// Puts the next frame that can be decoded at `now` into `frame`, replacing what was in it.
    pub(crate) fn take(
        &mut self,
        now: RoomTime,
        frame: &mut Vec<u8>,
        counters: &mut PacketCounters,
    ) -> Option<Taken> {
        if self.chain == Chain::Whole
            && let Some(floor) = self.floor
        {
            let floor = self.skip_padding(floor);
            match self.progress(floor) {
                Progress::Complete { end } => return self.give_out(end, frame),
                Progress::Growing => return None,
                // A keyframe beyond the gap makes waiting pointless.
                Progress::Gap { resumes }
                    if !self.is_overdue(resumes, now) && self.complete_keyframe().is_none() =>
                {
                    return None;
                }
                Progress::Gap { .. } | Progress::Nonsense => self.chain = Chain::Broken,
            }
        }
        if let Some((start, end)) = self.complete_keyframe() {
            self.give_up_below(start, counters);
            self.chain = Chain::Whole;
            return self.give_out(end, frame);
        }
        self.give_up_overdue(now, counters);
        None
    }

    /// What was taken last could not be decoded: wait for a keyframe.
    pub(crate) const fn break_chain(&mut self) {
        self.chain = Chain::Broken;
    }

    /// Drops all that waits if the first of it has waited for longer than `patience`: what is shown
    /// is to be late by no more, if there is to be less of it.
    pub(crate) fn shed(
        &mut self,
        now: RoomTime,
        patience: Duration,
        counters: &mut PacketCounters,
    ) {
        let Some((_, oldest)) = self.held.first_key_value() else {
            return;
        };
        if now.since(oldest.arrival) > patience
            && let Some((newest, _)) = self.held.last_key_value()
        {
            let all = ExtSeqNo(newest.0 + 1);
            self.drop_all(all, counters);
        }
    }

    /// Drops all that waits, since nobody looks. After that, only a keyframe will do.
    pub(crate) fn rest(&mut self, counters: &mut PacketCounters) {
        self.chain = Chain::Broken;
        self.overflow = Overflow::None;
        if let Some((newest, _)) = self.held.last_key_value() {
            let all = ExtSeqNo(newest.0 + 1);
            self.give_up_below(all, counters);
        }
    }

    /// Whether anything waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Whether anything had to be dropped for want of room or patience since the last time.
    pub(crate) const fn take_overflow(&mut self) -> Overflow {
        std::mem::replace(&mut self.overflow, Overflow::None)
    }

    /// Whether only a keyframe can help, and none is on its way.
    pub(crate) fn needs_keyframe(&self) -> bool {
        let coming = || self.held.values().any(|held| held.part.is_keyframe_head());
        self.chain == Chain::Broken && self.stream.has_begun() && !coming()
    }

    fn hold(&mut self, seq: ExtSeqNo, fragment: Fragment, counters: &mut PacketCounters) {
        if self.held.contains_key(&seq) {
            counters.duplicate += 1;
            return;
        }
        self.held_bytes += fragment.part.bytes().len();
        self.held.insert(seq, fragment);
        if (self.held.len() > MAX_PACKETS || self.held_bytes > MAX_BYTES)
            && let Some((newest, _)) = self.held.last_key_value()
        {
            let all = ExtSeqNo(newest.0 + 1);
            self.drop_all(all, counters);
        }
    }

    fn drop_all(&mut self, end: ExtSeqNo, counters: &mut PacketCounters) {
        self.give_up_below(end, counters);
        self.chain = Chain::Broken;
        self.overflow = Overflow::Dropped;
    }

    /// Follows the frame that begins at `start` as far as it is here.
    fn progress(&self, start: ExtSeqNo) -> Progress {
        let mut expected = start;
        let mut frame_time = None;
        for (seq, held) in self.held.range(start..) {
            if *seq != expected {
                return Progress::Gap { resumes: *seq };
            }
            let head = matches!(held.part, Part::Head(..));
            match frame_time {
                _ if held.part == Part::Padding => {}
                None if head => frame_time = Some(held.timestamp),
                // The next frame: a sender that sets no marker bits.
                Some(_) if head => return Progress::Complete { end: *seq },
                Some(time) if time == held.timestamp => {}
                None | Some(_) => return Progress::Nonsense,
            }
            expected = ExtSeqNo(seq.0 + 1);
            if frame_time.is_some() && held.marker == Marker::Last {
                return Progress::Complete { end: expected };
            }
        }
        Progress::Growing
    }

    /// Whether the gap before `resumes` has been open for longer than the window.
    fn is_overdue(&self, resumes: ExtSeqNo, now: RoomTime) -> bool {
        let beyond = self.held.range(resumes..);
        let noticed_at = beyond.map(|(_, held)| held.arrival).min();
        noticed_at.is_some_and(|noticed_at| now.since(noticed_at) >= self.window)
    }

    /// The first keyframe that is all here: its first packet, and the one after its last.
    fn complete_keyframe(&self) -> Option<(ExtSeqNo, ExtSeqNo)> {
        let mut heads = self
            .held
            .iter()
            .filter(|(_, held)| held.part.is_keyframe_head());
        heads.find_map(|(start, _)| match self.progress(*start) {
            Progress::Complete { end } => Some((*start, end)),
            _ => None,
        })
    }

    /// Without a keyframe to hope for, packets wait only as long as a gap would.
    fn give_up_overdue(&mut self, now: RoomTime, counters: &mut PacketCounters) {
        while let Some((seq, held)) = self.held.first_key_value() {
            let (seq, arrival) = (*seq, held.arrival);
            let end = if held.part.is_keyframe_head() {
                match self.progress(seq) {
                    Progress::Gap { resumes } if self.is_overdue(resumes, now) => resumes,
                    Progress::Nonsense => ExtSeqNo(seq.0 + 1),
                    _ => return,
                }
            } else if now.since(arrival) >= self.window {
                ExtSeqNo(seq.0 + 1)
            } else {
                return;
            };
            self.give_up_below(end, counters);
        }
    }

    /// Drops what is held below `seq`; what is not held is lost.
    fn give_up_below(&mut self, seq: ExtSeqNo, counters: &mut PacketCounters) {
        let first = self.held.first_key_value().map_or(seq, |(first, _)| *first);
        let begin = self.floor.unwrap_or(first);
        let mut dropped = 0;
        while let Some(entry) = self.held.first_entry()
            && *entry.key() < seq
        {
            self.held_bytes -= entry.remove().part.bytes().len();
            dropped += 1;
        }
        counters.dropped += dropped;
        counters.lost +=
            u64::try_from(seq.0 - begin.0).map_or(0, |all| all.saturating_sub(dropped));
        self.floor = Some(seq);
    }

    fn skip_padding(&mut self, mut floor: ExtSeqNo) -> ExtSeqNo {
        while self
            .held
            .get(&floor)
            .is_some_and(|held| held.part == Part::Padding)
        {
            self.held.remove(&floor);
            floor = ExtSeqNo(floor.0 + 1);
        }
        self.floor = Some(floor);
        floor
    }

    fn give_out(&mut self, end: ExtSeqNo, frame: &mut Vec<u8>) -> Option<Taken> {
        frame.clear();
        let mut kind = None;
        let mut orientation = None;
        while let Some(entry) = self.held.first_entry()
            && *entry.key() < end
        {
            let held = entry.remove();
            orientation = held.orientation.or(orientation);
            let part = held.part;
            self.held_bytes -= part.bytes().len();
            frame.extend_from_slice(part.bytes());
            if let Part::Head(head, _) = part {
                kind = Some(head);
            }
        }
        self.floor = Some(end);
        kind.map(|kind| Taken { kind, orientation })
    }
}

#[cfg(test)]
mod tests;
