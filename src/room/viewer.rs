//! One viewer: which rung they are to get, and when they change over to it.
//!
//! A change is invisible at the other end: the picture goes on until a keyframe of the other rung
//! is there, and the counters in the frames go on as if nothing had happened. Nobody is kept on a
//! rung that is too much for their link, though: a keyframe that does not come within
//! [`CHANGE_WITHIN`] is waited for without a picture.

use std::time::Duration;

use codecs::rtp::vp8::PictureNumber;
use codecs::video::FrameKind;
use mixer::ladder::{Allocation, Downlink, Ladder, Receiver, VideoChoice, Wish};
use mixer::video::{Focus, RungFrame, RungId};
use mixer::{ParticipantId, RoomTime};

use super::encodings::View;

/// How long both rungs may be encoded for one who changes over.
const CHANGE_WITHIN: Duration = Duration::from_secs(1);

/// What one viewer gets.
#[derive(Debug)]
pub(super) struct Viewer {
    receiver: Receiver,
    allocation: Option<Allocation>,
    /// The rung whose frames go to them.
    current: Option<View>,
    /// The rung to change over to, and since when.
    next: Option<(View, RoomTime)>,
    number: PictureNumber,
}

/// Whether a change has begun, which takes a keyframe of the other rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Begun(RungId),
    None,
}

impl Viewer {
    /// Gets nothing yet. The frames will be numbered from `number` on, the audio is never of more
    /// than `max_audio_kbps`.
    pub(super) fn new(max_audio_kbps: u32, wish: Wish, number: PictureNumber) -> Self {
        let mut receiver = Receiver::new(max_audio_kbps);
        receiver.set_wish(wish);
        Self {
            receiver,
            allocation: None,
            current: None,
            next: None,
            number,
        }
    }

    /// Keeps sound to packets of at most `max_ms` milliseconds, or of the shortest there are.
    pub(super) fn cap_packets(&mut self, max_ms: u32) {
        self.receiver.cap_packets(max_ms);
    }

    /// Replaces what the viewer asks for, as of the next [`Self::allocate`].
    pub(super) fn set_wish(&mut self, wish: Wish) {
        self.receiver.set_wish(wish);
    }

    /// Whom the viewer asks to see large.
    pub(super) fn pin(&self) -> Option<ParticipantId> {
        self.receiver.wish().pin
    }

    /// Decides anew what the viewer is to get.
    pub(super) fn allocate(
        &mut self,
        now: RoomTime,
        ladder: &Ladder,
        downlink: Downlink,
    ) -> Allocation {
        let allocation = self.receiver.tick(now, ladder, downlink);
        self.allocation = Some(allocation);
        allocation
    }

    /// What the viewer's link would carry for the best there is for them, in kb/s.
    pub(super) fn useful_kbps(&self, ladder: &Ladder) -> u32 {
        self.receiver.useful_kbps(ladder)
    }

    /// What was decided last.
    pub(super) fn allocation(&self) -> Option<Allocation> {
        self.allocation
    }

    /// Turns to what was decided, for a viewer for whom speakers are shown with this focus.
    pub(super) fn turn(&mut self, now: RoomTime, ladder: &Ladder, focus: Focus) -> Turn {
        let Some(index) = self.allocation.and_then(|it| it.video.index()) else {
            (self.current, self.next) = (None, None);
            return Turn::None;
        };
        let arrangement = self.receiver.wish().arrangement(&ladder.rungs()[index]);
        let wanted = View::new(index, arrangement, focus);
        if self.current == Some(wanted) {
            self.next = None;
            return Turn::None;
        }
        match self.next {
            Some((next, since)) if next == wanted => {
                if now.since(since) >= CHANGE_WITHIN {
                    self.current = None;
                }
                Turn::None
            }
            _ => {
                self.next = Some((wanted, now));
                Turn::Begun(wanted.id())
            }
        }
    }

    /// The rungs that must be encoded for this viewer, each with the bitrate its encoder may have;
    /// `None` for one that is about to be left.
    pub(super) fn needs(&self) -> impl Iterator<Item = (View, Option<u32>)> {
        let kbps = match self.allocation.map(|it| it.video) {
            Some(VideoChoice::Rung { kbps, .. }) => Some(kbps),
            _ => None,
        };
        let stays = self.next.is_none();
        let current = self.current.map(|view| (view, kbps.filter(|_| stays)));
        let next = self.next.map(|(view, _)| (view, kbps));
        current.into_iter().chain(next)
    }

    /// The rung whose frames go to the viewer.
    pub(super) fn watches(&self) -> Option<View> {
        self.current
    }

    /// Which of a tick's `frames` goes to the viewer, and with which number.
    pub(super) fn take<'a>(
        &mut self,
        frames: &'a [RungFrame],
    ) -> Option<(&'a RungFrame, PictureNumber)> {
        let of = |view: View| frames.iter().find(move |frame| frame.rung == view.id());
        if let Some((view, _)) = self.next
            && of(view).is_some_and(|frame| frame.kind == FrameKind::Key)
        {
            (self.current, self.next) = (Some(view), None);
        }
        let frame = of(self.current?)?;
        let number = self.number;
        self.number = number.next();
        Some((frame, number))
    }
}

#[cfg(test)]
mod tests {
    use codecs::video::PictureSize;
    use mixer::ladder::WishedLayout;
    use mixer::video::CanvasChange;

    use super::*;

    fn ladder() -> Ladder {
        Ladder::usual(PictureSize::new(1280, 720).unwrap(), 30, 1_500).unwrap()
    }

    fn at(ms: u64) -> RoomTime {
        RoomTime::from_ms(ms)
    }

    fn frame(rung: RungId, kind: FrameKind, timestamp: u64) -> RungFrame {
        RungFrame {
            rung,
            data: vec![0; 10],
            kind,
            timestamp,
            canvas: CanvasChange::Changed,
        }
    }

    /// A viewer whose link carries `kbps` from the first second on.
    fn viewer(kbps: u64) -> (Viewer, RungId) {
        let mut viewer = Viewer::new(32, Wish::default(), PictureNumber::new(32_766, 254));
        let rung = settle(&mut viewer, kbps, 0);
        (viewer, rung)
    }

    fn downlink(kbps: u64) -> Downlink {
        Downlink {
            bps: Some(kbps * 1_000),
            ..Downlink::default()
        }
    }

    /// Ten seconds from `from_ms` on, at the end of which the rung's keyframe comes.
    fn settle(viewer: &mut Viewer, kbps: u64, from_ms: u64) -> RungId {
        let mut begun = None;
        for ms in (from_ms..from_ms + 10_000).step_by(100) {
            viewer.allocate(at(ms), &ladder(), downlink(kbps));
            if let Turn::Begun(rung) = viewer.turn(at(ms), &ladder(), Focus::Speaker) {
                begun = Some(rung);
                let frames = [frame(rung, FrameKind::Key, ms * 90)];
                viewer.take(&frames).unwrap();
            }
        }
        begun.unwrap()
    }

    #[test]
    fn a_change_happens_at_a_keyframe_and_counters_go_on() {
        let (mut viewer, low) = viewer(90);
        let first = viewer.take(&[frame(low, FrameKind::Delta, 1)]).unwrap().1;
        for ms in (20_000..30_000).step_by(100) {
            viewer.allocate(at(ms), &ladder(), downlink(1_500));
        }
        let Turn::Begun(high) = viewer.turn(at(30_000), &ladder(), Focus::Speaker) else {
            panic!("the link has room");
        };

        let mut seen = Vec::new();
        for (kind, timestamp) in [
            (FrameKind::Delta, 2),
            (FrameKind::Key, 3),
            (FrameKind::Delta, 4),
        ] {
            let frames = [
                frame(low, FrameKind::Delta, timestamp),
                frame(high, kind, timestamp),
            ];
            let (taken, number) = viewer.take(&frames).unwrap();
            seen.push((taken.rung, taken.timestamp, number.picture_id()));
        }

        let id = first.picture_id();
        let expected = [(low, 2), (high, 3), (high, 4)];
        let mut ids = (1..).map(|step| id.wrapping_add(step) & 0x7fff);
        let expected = expected.map(|(rung, timestamp)| (rung, timestamp, ids.next().unwrap()));
        assert_eq!(seen, expected);
    }

    #[test]
    fn sound_comes_in_packets_that_are_no_longer_than_is_taken() {
        for (max_ms, expected_ms) in [(u32::MAX, 120), (120, 120), (119, 60), (50, 40), (3, 20)] {
            let mut viewer = Viewer::new(32, Wish::default(), PictureNumber::new(1, 1));
            viewer.cap_packets(max_ms);

            let audio = viewer.allocate(at(0), &ladder(), downlink(24)).audio;

            assert_eq!(audio.packet_time().ms(), expected_ms, "at most {max_ms}");
        }
    }

    #[test]
    fn both_rungs_are_needed_for_a_second_at_most() {
        let (mut viewer, _) = viewer(1_500);
        let needs = |viewer: &Viewer| viewer.needs().count();
        assert_eq!(needs(&viewer), 1);

        for ms in [20_000, 20_300] {
            viewer.allocate(at(ms), &ladder(), downlink(90));
        }
        assert!(matches!(
            viewer.turn(at(20_300), &ladder(), Focus::Speaker),
            Turn::Begun(_)
        ));
        assert_eq!(needs(&viewer), 2);
        viewer.turn(at(21_299), &ladder(), Focus::Speaker);
        assert_eq!(needs(&viewer), 2);
        viewer.turn(at(21_300), &ladder(), Focus::Speaker);

        assert_eq!(needs(&viewer), 1);
        assert_eq!(viewer.watches(), None);
    }

    #[test]
    fn a_rung_about_to_be_left_is_not_slowed_down_for_the_viewer() {
        let (mut viewer, high) = viewer(1_500);
        for ms in [20_000, 20_300] {
            viewer.allocate(at(ms), &ladder(), downlink(90));
        }

        viewer.turn(at(20_300), &ladder(), Focus::Speaker);

        let needs: Vec<_> = viewer.needs().collect();
        assert_eq!((needs[0].0.id(), needs[0].1), (high, None));
        assert!(needs[1].1.is_some_and(|kbps| kbps < 90));
    }

    #[test]
    fn who_becomes_the_speaker_changes_over_and_back_without_delay() {
        let (mut viewer, speaker) = viewer(90);

        let turned = viewer.turn(at(20_000), &ladder(), Focus::SpeakerBefore);
        assert!(matches!(turned, Turn::Begun(other) if other != speaker));

        // The rung has not been left yet.
        let back = viewer.turn(at(20_033), &ladder(), Focus::Speaker);
        assert_eq!(back, Turn::None);
        assert_eq!(viewer.needs().count(), 1);
    }

    #[test]
    fn a_wish_for_the_grid_changes_over_to_what_is_the_same_for_every_focus() {
        let (mut viewer, speaker) = viewer(90);
        viewer.set_wish(Wish {
            layout: Some(WishedLayout::Grid),
            ..Wish::default()
        });

        let turned = viewer.turn(at(20_000), &ladder(), Focus::Speaker);
        assert!(matches!(turned, Turn::Begun(other) if other != speaker));

        let same = viewer.turn(at(20_033), &ladder(), Focus::SpeakerBefore);
        assert_eq!(same, Turn::None);
    }
}
