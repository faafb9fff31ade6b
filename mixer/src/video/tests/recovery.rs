//! Loss, disorder, garbage: what gets decoded, and who is asked for a keyframe.

use bytes::Bytes;

use super::fakes::{Frame, Tag};
use super::room::{Room, id};
use crate::video::{Camera, Presence, VideoConfig, VideoInput};

const COLOR: [u8; 3] = [90, 200, 60];

/// Somebody whose first keyframe, number 0, has been shown at 0 ms.
fn sender() -> (Room, super::fakes::DecodeLog) {
    let mut room = Room::new(VideoConfig::default());
    room.join(1);
    let log = room.add_track(1);
    room.send(1, 0, Frame::key(COLOR, 0));
    assert!(room.tick(0).asked.is_empty());
    (room, log)
}

#[test]
fn frames_out_of_order_are_decoded_in_order() {
    let (mut room, log) = sender();
    let first = room.packet(1, 20, Frame::delta(COLOR, 1));
    let second = room.packet(1, 21, Frame::delta(COLOR, 2));

    room.deliver(1, second);
    room.tick(33);
    assert_eq!(*log.lock().unwrap(), [0]);

    room.deliver(1, first);
    room.tick(66);
    assert_eq!(*log.lock().unwrap(), [0, 1, 2]);
    assert_eq!(room.shown(1), (COLOR, 2));
}

#[test]
fn after_a_loss_nothing_is_decoded_until_the_keyframe_that_is_asked_for() {
    let (mut room, log) = sender();
    let _lost = room.packet(1, 20, Frame::delta(COLOR, 1));

    let mut asked_at = Vec::new();
    for number in 2..40 {
        let ms = u64::from(number) * 33;
        room.send(1, ms, Frame::delta(COLOR, number));
        if room.tick(ms).asked == [id(1)] {
            asked_at.push(ms);
        }
    }
    assert_eq!(*log.lock().unwrap(), [0]);
    // Noticed with packet 2 at 66 ms, given up after the window, repeated after 500 ms.
    assert_eq!(asked_at, [231, 759]);

    room.send(1, 1_320, Frame::key(COLOR, 40));
    room.send(1, 1_320, Frame::delta(COLOR, 41));
    assert!(room.tick(1_320).asked.is_empty());
    assert_eq!(*log.lock().unwrap(), [0, 40, 41]);
    assert_eq!(room.shown(1), (COLOR, 41));
    assert_eq!(room.counters(1).packets.lost, 1);
    assert_eq!(room.counters(1).keyframes_requested, 2);
}

#[test]
fn a_track_that_begins_in_the_middle_is_asked_for_a_keyframe() {
    let mut room = Room::new(VideoConfig::default());
    room.join(1);
    room.add_track(1);
    assert!(room.tick(0).asked.is_empty());

    room.send(1, 10, Frame::delta(COLOR, 5));

    assert_eq!(room.tick(33).asked, [id(1)]);
    assert!(room.tick(66).asked.is_empty());
}

#[test]
fn corrupt_and_oversize_frames_are_counted_and_a_keyframe_is_asked_for() {
    for tag in [Tag::Corrupt, Tag::TooLarge] {
        let (mut room, log) = sender();

        room.send(
            1,
            20,
            Frame {
                tag,
                ..Frame::delta(COLOR, 1)
            },
        );
        room.send(1, 21, Frame::delta(COLOR, 2));
        let seen = room.tick(33);

        assert_eq!(seen.asked, [id(1)]);
        assert_eq!(*log.lock().unwrap(), [0]);
        assert_eq!(room.shown(1), (COLOR, 0));
        let frames = room.counters(1).frames;
        assert_eq!(frames.corrupt + frames.too_large, 1);
        assert_eq!(frames.decoded, 1);
    }
}

#[test]
fn malformed_payloads_are_counted_and_disturb_nobody() {
    let (mut room, _) = sender();
    room.join(2);
    room.add_track(2);
    room.send(2, 0, Frame::key([44, 55, 66], 0));

    for payload in [&[0x90][..], &[0x90, 0xf0, 0x80], &[0xff; 3]] {
        let mut packet = room.packet(1, 20, Frame::delta(COLOR, 1));
        packet.payload = Bytes::from_static(payload);
        room.deliver(1, packet);
    }
    room.tick(33);

    assert_eq!(room.counters(1).packets.malformed, 3);
    assert_eq!(room.shown(1), (COLOR, 0));
    assert_eq!(room.shown(2), ([44, 55, 66], 0));
}

#[test]
fn who_is_not_to_be_seen_is_not_asked() {
    for input in [
        VideoInput::Camera {
            participant: id(1),
            camera: Camera::Off,
        },
        VideoInput::Presence {
            participant: id(1),
            presence: Presence::Absent,
        },
    ] {
        let (mut room, _) = sender();
        room.mixer.handle(input);

        room.send(
            1,
            20,
            Frame {
                tag: Tag::Corrupt,
                ..Frame::delta(COLOR, 1)
            },
        );
        room.send(1, 21, Frame::delta(COLOR, 2));

        assert!(room.tick(33).asked.is_empty());
        room.mixer.handle(VideoInput::Camera {
            participant: id(1),
            camera: Camera::On,
        });
        let presence = Presence::Present;
        room.mixer.handle(VideoInput::Presence {
            participant: id(1),
            presence,
        });
        assert_eq!(room.tick(66).asked, [id(1)]);
    }
}

#[test]
fn a_sender_of_too_many_pixels_is_held_to_its_budget() {
    let config = VideoConfig {
        source_pixels_per_s: 160 * 88 * 20,
        ..VideoConfig::default()
    };
    let mut room = Room::new(config);
    room.join(1);
    let log = room.add_track(1);

    room.send(1, 0, Frame::key(COLOR, 0));
    for round in 0..300u64 {
        for _ in 0..10 {
            room.send(1, round * 33, Frame::delta(COLOR, 1));
        }
        room.tick(round * 33);
    }

    // Ten seconds and one in advance; the least price of a frame is that of 320x180.
    let frames = log.lock().unwrap().len();
    assert!(
        frames <= 11 * 160 * 88 * 20 / (320 * 180) + 2,
        "{frames} frames"
    );
    assert!(room.counters(1).packets.dropped > 0);
}

#[test]
fn a_recording_with_a_corrupt_frame_goes_on_at_its_next_keyframe() {
    let mut room = Room::new(VideoConfig::default());
    room.join(1);
    let log = room.add_track(1);
    let frames = [
        Tag::Key,
        Tag::Delta,
        Tag::Corrupt,
        Tag::Delta,
        Tag::Key,
        Tag::Delta,
    ];
    for (number, tag) in frames.into_iter().enumerate() {
        let number = u8::try_from(number).unwrap();
        room.record(
            1,
            u64::from(number) * 33,
            Frame {
                tag,
                ..Frame::key(COLOR, number)
            },
        );
    }

    for ms in [0, 33, 66, 99, 132, 165] {
        assert!(room.tick(ms).asked.is_empty());
    }

    assert_eq!(*log.lock().unwrap(), [0, 1, 4, 5]);
    assert_eq!(room.counters(1).frames.corrupt, 1);
    assert_eq!(room.counters(1).frames.dropped, 1);
}
