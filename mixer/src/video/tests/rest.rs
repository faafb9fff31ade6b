//! Whoever nobody sees is not decoded, and is back as soon as somebody does.

use super::fakes::{Frame, size};
use super::room::{RUNG, Room, id};
use crate::video::{Camera, RungId, VideoConfig, VideoInput};

const COLOR: [u8; 3] = [90, 200, 60];
const OTHER: RungId = RungId(2);

/// Sends a frame and ticks, every 100 ms up to `until_ms`.
fn go_on(room: &mut Room, from_ms: u64, until_ms: u64) {
    for ms in (from_ms..until_ms).step_by(100) {
        let number = u8::try_from(ms / 100 % 251).unwrap();
        room.send(1, ms, Frame::delta(COLOR, number));
        assert!(room.tick(ms).asked.is_empty(), "{ms} ms");
    }
}

#[test]
fn a_source_that_nobody_sees_is_decoded_for_a_while_and_then_rests() {
    let mut room = Room::new(VideoConfig::default());
    room.join(1);
    let log = room.add_track(1);
    room.send(1, 0, Frame::key(COLOR, 0));
    room.tick(0);
    room.mixer.handle(VideoInput::RemoveRung { rung: RUNG });

    go_on(&mut room, 100, 10_000);

    // Unseen since 100 ms: up to 5 s and what came by 5,000 ms.
    let decoded = log.lock().unwrap().clone();
    assert_eq!(decoded, (0..=50).collect::<Vec<u8>>());
    let counters = room.counters(1);
    assert_eq!(
        (counters.frames.decoded, counters.packets.dropped),
        (51, 49)
    );
    assert_eq!((counters.resting_ticks, counters.thinned_ticks), (49, 0));
}

#[test]
fn who_is_seen_again_is_asked_for_a_keyframe_at_once_and_shown_with_it() {
    let mut room = Room::new(VideoConfig::default());
    room.join(1);
    let log = room.add_track(1);
    room.send(1, 0, Frame::key(COLOR, 0));
    room.tick(0);
    room.mixer.handle(VideoInput::RemoveRung { rung: RUNG });
    go_on(&mut room, 100, 10_000);
    log.lock().unwrap().clear();

    room.add_rung(RUNG, size(640, 360), 0);
    room.send(1, 10_000, Frame::delta(COLOR, 60));
    assert_eq!(room.tick(10_000).asked, [id(1)]);
    assert!(room.tick(10_033).asked.is_empty(), "once is enough for now");
    room.send(1, 10_066, Frame::key(COLOR, 61));
    room.tick(10_066);

    assert_eq!(*log.lock().unwrap(), [61]);
    assert_eq!(room.shown(1), (COLOR, 61));
}

#[test]
fn who_is_seen_again_soon_has_missed_nothing() {
    let mut room = Room::new(VideoConfig::default());
    room.join(1);
    room.add_track(1);
    room.send(1, 0, Frame::key(COLOR, 0));
    room.tick(0);
    room.mixer.handle(VideoInput::RemoveRung { rung: RUNG });
    go_on(&mut room, 100, 5_000);

    room.add_rung(RUNG, size(640, 360), 0);
    room.send(1, 5_000, Frame::delta(COLOR, 77));

    assert!(room.tick(5_000).asked.is_empty());
    assert_eq!(room.shown(1), (COLOR, 77));
}

#[test]
fn who_is_seen_on_one_rung_of_two_does_not_rest() {
    let mut room = Room::new(VideoConfig::default());
    room.add_rung(OTHER, size(320, 180), 0);
    room.join(1);
    room.add_track(1);
    room.send(1, 0, Frame::key(COLOR, 0));
    room.tick(0);
    room.mixer.handle(VideoInput::RemoveRung { rung: RUNG });

    go_on(&mut room, 100, 10_000);

    assert_eq!(room.counters(1).resting_ticks, 0);
}

#[test]
fn a_recording_that_nobody_sees_goes_on() {
    let mut room = Room::new(VideoConfig::default());
    room.join(1);
    let log = room.add_track(1);
    room.mixer.handle(VideoInput::RemoveRung { rung: RUNG });
    room.record(1, 0, Frame::key(COLOR, 0));
    room.record(1, 9_000, Frame::delta(COLOR, 1));

    for ms in [0, 5_000, 9_000] {
        room.tick(ms);
    }

    assert_eq!(*log.lock().unwrap(), [0, 1]);
}

#[test]
fn who_is_not_to_be_seen_is_not_decoded_whatever_they_send() {
    let mut room = Room::new(VideoConfig::default());
    room.join(1);
    let log = room.add_track(1);
    room.send(1, 0, Frame::key(COLOR, 0));
    room.tick(0);
    let participant = id(1);
    let camera = |camera| VideoInput::Camera {
        participant,
        camera,
    };
    log.lock().unwrap().clear();

    room.mixer.handle(camera(Camera::Off));
    go_on(&mut room, 100, 1_000);
    assert!(log.lock().unwrap().is_empty());

    room.mixer.handle(camera(Camera::On));
    assert_eq!(room.tick(1_000).asked, [participant]);
    room.send(1, 1_033, Frame::key(COLOR, 7));
    room.tick(1_033);
    assert_eq!(room.shown(1), (COLOR, 7));
}
