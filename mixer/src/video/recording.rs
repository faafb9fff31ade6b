//! The frames of a recorded track that are not due yet.
//!
//! Frames come whole and in order, so there is nothing to sort: each is given out once its time
//! has come. Holds at most [`MAX_FRAMES`] frames of together [`MAX_BYTES`]; beyond that the oldest
//! go, are counted as dropped, and a keyframe must come before the next is given out.

use std::collections::VecDeque;

use bytes::Bytes;
use codecs::video::FrameKind;

use super::counters::FrameCounters;
use super::input::RecordedFrame;
use super::payload::kind_of;
use crate::RoomTime;

/// The most frames that wait: seventeen seconds of 30 fps.
pub(crate) const MAX_FRAMES: usize = 512;

/// The most bytes that wait.
pub(crate) const MAX_BYTES: usize = 32 << 20;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    frames: VecDeque<RecordedFrame>,
    bytes: usize,
    /// What the next frame must be.
    awaited: Awaited,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Awaited {
    #[default]
    Keyframe,
    Any,
}

impl Recording {
    /// Takes in the next frame.
    pub(crate) fn push(&mut self, frame: RecordedFrame, counters: &mut FrameCounters) {
        self.bytes += frame.data.len();
        self.frames.push_back(frame);
        while self.frames.len() > MAX_FRAMES || self.bytes > MAX_BYTES {
            self.pop();
            counters.dropped += 1;
            self.break_chain();
        }
    }

    /// The next frame that is due at `now` and can be decoded.
    pub(crate) fn take(
        &mut self,
        now: RoomTime,
        counters: &mut FrameCounters,
    ) -> Option<(FrameKind, Bytes)> {
        while self.frames.front().is_some_and(|frame| frame.time <= now) {
            let data = self.pop()?;
            let kind = kind_of(&data);
            if kind == FrameKind::Key || self.awaited == Awaited::Any {
                self.awaited = Awaited::Any;
                return Some((kind, data));
            }
            counters.dropped += 1;
        }
        None
    }

    /// What was taken last could not be decoded: wait for a keyframe.
    pub(crate) const fn break_chain(&mut self) {
        self.awaited = Awaited::Keyframe;
    }

    fn pop(&mut self) -> Option<Bytes> {
        let frame = self.frames.pop_front()?;
        self.bytes -= frame.data.len();
        Some(frame.data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: u8 = 0;
    const DELTA: u8 = 1;

    fn frame(ms: u64, tag: u8, number: u8) -> RecordedFrame {
        RecordedFrame {
            time: RoomTime::from_ms(ms),
            data: Bytes::from(vec![tag, number]),
        }
    }

    fn take_all(recording: &mut Recording, ms: u64, counters: &mut FrameCounters) -> Vec<u8> {
        let mut taken = Vec::new();
        while let Some((_, data)) = recording.take(RoomTime::from_ms(ms), counters) {
            taken.push(data[1]);
        }
        taken
    }

    #[test]
    fn frames_are_given_out_once_their_time_has_come() {
        let mut recording = Recording::default();
        let mut counters = FrameCounters::default();

        recording.push(frame(0, KEY, 0), &mut counters);
        recording.push(frame(33, DELTA, 1), &mut counters);
        recording.push(frame(66, DELTA, 2), &mut counters);

        assert_eq!(take_all(&mut recording, 0, &mut counters), [0]);
        assert_eq!(take_all(&mut recording, 32, &mut counters), []);
        assert_eq!(take_all(&mut recording, 66, &mut counters), [1, 2]);
        assert_eq!(counters, FrameCounters::default());
    }

    #[test]
    fn after_a_broken_chain_frames_are_dropped_until_a_keyframe() {
        let mut recording = Recording::default();
        let mut counters = FrameCounters::default();
        for (number, tag) in [DELTA, KEY, DELTA, DELTA, KEY, DELTA]
            .into_iter()
            .enumerate()
        {
            recording.push(frame(0, tag, u8::try_from(number).unwrap()), &mut counters);
        }

        let first = recording.take(RoomTime::START, &mut counters).unwrap();
        recording.break_chain();
        let others = take_all(&mut recording, 0, &mut counters);

        assert_eq!((first.0, first.1[1]), (FrameKind::Key, 1));
        assert_eq!(others, [4, 5]);
        assert_eq!(counters.dropped, 3);
    }

    #[test]
    fn more_frames_than_the_bound_push_the_oldest_out() {
        let mut recording = Recording::default();
        let mut counters = FrameCounters::default();

        for number in 0..MAX_FRAMES + 3 {
            let tag = if number.is_multiple_of(100) {
                KEY
            } else {
                DELTA
            };
            let number = u8::try_from(number / 100).unwrap();
            recording.push(frame(0, tag, number), &mut counters);
        }

        let taken = take_all(&mut recording, 0, &mut counters);
        assert_eq!(taken[0], 1);
        assert_eq!(counters.dropped, 100);
    }

    #[test]
    fn more_bytes_than_the_bound_push_the_oldest_out() {
        let mut recording = Recording::default();
        let mut counters = FrameCounters::default();

        for _ in 0..3 {
            let data = Bytes::from(vec![KEY; MAX_BYTES / 2]);
            let time = RoomTime::START;
            recording.push(RecordedFrame { time, data }, &mut counters);
        }

        assert_eq!(counters.dropped, 1);
        assert_eq!(recording.bytes, MAX_BYTES);
    }
}
