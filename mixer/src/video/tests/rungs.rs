//! What is encoded, when, and as what.

use codecs::video::FrameKind;

use super::fakes::{Frame, hash, size};
use super::room::{RUNG, Room, id};
use crate::video::{RungId, VideoConfig, VideoInput};

const OTHER: RungId = RungId(2);

fn kinds(room: &mut Room, times_ms: &[u64]) -> Vec<FrameKind> {
    let ticks = times_ms.iter().map(|ms| room.tick(*ms).frames[0].1);
    ticks.collect()
}

#[test]
fn the_first_frame_is_a_keyframe_and_the_others_are_not() {
    let mut room = Room::new(VideoConfig::default());

    let kinds = kinds(&mut room, &[0, 33, 66]);

    assert_eq!(kinds, [FrameKind::Key, FrameKind::Delta, FrameKind::Delta]);
}

#[test]
fn many_requests_make_one_keyframe_per_interval() {
    let mut room = Room::new(VideoConfig::default());
    room.tick(0);

    for _ in 0..20 {
        room.mixer
            .handle(VideoInput::RequestKeyframe { rung: RUNG });
    }

    let kinds = kinds(&mut room, &[499, 500, 533, 1_200]);
    assert_eq!(
        kinds,
        [
            FrameKind::Delta,
            FrameKind::Key,
            FrameKind::Delta,
            FrameKind::Delta
        ]
    );
    assert_eq!(room.mixer.rung_counters(RUNG).unwrap().keyframes, 2);
}

#[test]
fn a_frame_that_is_passed_over_is_not_made_and_the_one_after_it_is() {
    let mut room = Room::new(VideoConfig::default());
    room.tick(0);

    room.mixer.handle(VideoInput::PassOver { rung: RUNG });
    room.mixer
        .handle(VideoInput::RequestKeyframe { rung: RUNG });

    assert!(room.tick(500).frames.is_empty());
    assert_eq!(
        kinds(&mut room, &[533, 566]),
        [FrameKind::Key, FrameKind::Delta]
    );
}

#[test]
fn the_share_of_a_frame_that_is_passed_over_is_spent_on_no_other() {
    let mut room = Room::new(VideoConfig::default());
    let log = room.add_rung(OTHER, size(320, 180), 7_200);
    // Every other tick is due. A wish to pass over one that is not concerns none.
    for tick in 0..9 {
        if [2, 4, 7].contains(&tick) {
            room.mixer.handle(VideoInput::PassOver { rung: OTHER });
        }
        room.tick(tick * 40);
    }

    // Of five that were due the second and the third were passed over.
    assert_eq!(log.lock().unwrap().timestamps, [0, 7_200, 14_400]);
}

#[test]
fn what_is_encoded_is_the_canvas() {
    let mut room = Room::new(VideoConfig::default());
    room.join(1);
    room.add_track(1);

    for (ms, number) in [(0, 0), (33, 1), (66, 2)] {
        let frame = if ms == 0 { Frame::key } else { Frame::delta };
        room.send(1, ms, frame([90, 80, 70], number));
        let seen = room.tick(ms);

        assert_eq!(seen.frames[0].3[1..], hash(room.canvas()).to_be_bytes());
    }
}

#[test]
fn timestamps_are_exact_and_rise_even_when_time_stands_still() {
    let mut room = Room::new(VideoConfig::default());
    room.add_rung(RUNG, size(64, 64), 0);

    let ticks = [0, 0, 33, 50, 50, 1_000, 3_600_000].map(|ms| room.tick(ms).frames[0].2);

    assert_eq!(ticks, [0, 1, 2_970, 4_500, 4_501, 90_000, 324_000_000]);
}

#[test]
fn an_encoder_that_fails_costs_its_frame_and_keeps_the_wish_for_a_keyframe() {
    let mut room = Room::new(VideoConfig::default());
    room.encoder.lock().unwrap().failing = 2;

    assert!(room.tick(0).frames.is_empty());
    assert!(room.tick(33).frames.is_empty());

    let kinds = kinds(&mut room, &[500, 533]);
    assert_eq!(kinds, [FrameKind::Key, FrameKind::Delta]);
    let counters = room.mixer.rung_counters(RUNG).unwrap();
    assert_eq!((counters.frames, counters.encoder_errors), (2, 2));
    assert_eq!(counters.bytes, 18);
}

#[test]
fn a_slower_rung_gets_every_other_frame() {
    let mut room = Room::new(VideoConfig::default());
    room.add_rung(OTHER, size(320, 180), 6_000);

    let frames: Vec<usize> = (0..8)
        .map(|tick| room.tick((1_000 + tick * 100) / 3).frames.len())
        .collect();

    assert_eq!(frames, [2, 1, 2, 1, 2, 1, 2, 1]);
}

#[test]
fn after_a_pause_a_rung_does_not_catch_up() {
    let mut room = Room::new(VideoConfig::default());
    room.add_rung(OTHER, size(320, 180), 9_000);

    let frames = [0, 33, 1_000, 1_033, 1_066, 1_100].map(|ms| room.tick(ms).frames.len());

    assert_eq!(frames, [2, 1, 2, 1, 1, 2]);
}

#[test]
fn a_rung_that_was_not_due_shows_everything_new_when_it_is() {
    let mut room = Room::new(VideoConfig::default());
    room.add_rung(OTHER, size(320, 180), 6_000);
    room.join(1);
    room.add_track(1);
    room.send(1, 0, Frame::key([90, 80, 70], 1));
    room.tick(0);

    room.send(1, 20, Frame::delta([110, 80, 70], 2));
    room.tick(33);
    room.tick(66);

    let canvas = room.mixer.canvas(OTHER).unwrap();
    assert_eq!(canvas.view().y()[20 * 320 + 20], 110);
}

#[test]
fn bitrates_reach_the_encoder() {
    let mut room = Room::new(VideoConfig::default());

    room.mixer.handle(VideoInput::SetBitrate {
        rung: RUNG,
        bitrate_kbps: 120,
    });

    assert_eq!(room.encoder.lock().unwrap().bitrates, [500, 120]);
}

#[test]
fn a_removed_rung_is_encoded_no_more_and_can_come_back() {
    let mut room = Room::new(VideoConfig::default());
    room.join(1);
    room.tick(0);

    room.mixer.handle(VideoInput::RemoveRung { rung: RUNG });
    assert!(room.tick(33).frames.is_empty());
    assert!(room.mixer.canvas(RUNG).is_none());
    assert!(room.mixer.layout(RUNG).is_none());

    room.add_rung(RUNG, size(320, 180), 3_000);
    let seen = room.tick(66);
    assert_eq!(seen.layout_changed, [RUNG]);
    assert_eq!(seen.frames[0].1, FrameKind::Key);
    assert_eq!(room.canvas().size(), size(320, 180));
}

#[test]
fn inputs_that_name_nobody_are_ignored_and_counted() {
    let mut room = Room::new(VideoConfig::default());
    room.join(1);

    room.join(1);
    room.leave(2);
    room.send(1, 0, Frame::key([1, 2, 3], 0));
    room.add_track(2);
    room.record(3, 0, Frame::key([1, 2, 3], 0));
    room.mixer
        .handle(VideoInput::RemoveTrack { participant: id(1) });
    room.mixer.handle(VideoInput::RemoveRung { rung: OTHER });
    room.mixer
        .handle(VideoInput::RequestKeyframe { rung: OTHER });

    assert_eq!(room.mixer.ignored_inputs(), 8);
    assert_eq!(room.tick(0).frames.len(), 1);
}
