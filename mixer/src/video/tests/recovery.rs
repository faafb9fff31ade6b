//! Loss, disorder, garbage: what gets decoded, and who is asked for a keyframe.

use bytes::Bytes;
use codecs::rtp::vp8::{Packetizer, PacketizerConfig};
use codecs::rtp::{RtpTimestamp, SeqNo};
use proptest::prelude::*;

use super::fakes::{Frame, Tag};
use super::room::{RUNG, Room, id};
use crate::RoomTime;
use crate::video::{Camera, Marker, Presence, VideoConfig, VideoInput, VideoPacket};

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

/// Ticks at which participant 1 is thinned, of 300 with what `frames` sends at each.
fn thinned_ticks(mut frames: impl FnMut(&mut Room, u64)) -> (usize, Room) {
    let mut room = Room::new(VideoConfig::default());
    room.join(1);
    room.add_track(1);
    let mut thinned = 0;
    for round in 0..300 {
        frames(&mut room, round * 33);
        thinned += room.tick(round * 33).thinned.len();
    }
    (thinned, room)
}

#[test]
fn a_storm_of_keyframes_is_thinned_where_as_many_other_frames_are_not() {
    // 1020x1020 at 90 fps: three quarters of what is allowed.
    let send = |room: &mut Room, ms, tag| {
        for _ in 0..3 {
            let sides = [255, 255];
            room.send(
                1,
                ms,
                Frame {
                    tag,
                    sides,
                    ..Frame::key(COLOR, 0)
                },
            );
        }
    };

    let (storm, room) = thinned_ticks(|room, ms| send(room, ms, Tag::Key));
    assert!(storm > 200, "{storm} ticks");
    assert_eq!(room.counters(1).thinned_ticks, storm as u64);

    let (calm, _) = thinned_ticks(|room, ms| {
        send(room, ms, if ms == 0 { Tag::Key } else { Tag::Delta });
    });
    assert_eq!(calm, 0);
}

#[test]
fn what_is_shown_of_a_thinned_source_is_no_older_than_half_a_second_and_a_tick() {
    let (_, room) = {
        let (thinned, room) = thinned_ticks(|room, ms| {
            for _ in 0..20 {
                // The number is when it was sent, in tenths of a second.
                let number = u8::try_from(ms / 100 % 256).unwrap();
                let sides = [255, 255];
                room.send(
                    1,
                    ms,
                    Frame {
                        sides,
                        ..Frame::key(COLOR, number)
                    },
                );
            }
        });
        assert!(thinned > 200, "{thinned} ticks");
        (thinned, room)
    };

    let (_, shown) = room.shown(1);

    let last = 299 * 33 / 100;
    assert!(
        (last - 6..=last).contains(&u64::from(shown)),
        "{shown} of {last}"
    );
    assert!(room.counters(1).packets.dropped > 1_000);
}

#[test]
fn a_filled_gap_thins_nobody_for_more_than_a_tick_or_two() {
    let mut room = Room::new(VideoConfig::default());
    room.join(1);
    room.add_track(1);
    room.send(1, 0, Frame::key(COLOR, 0));
    let missing = room.packet(1, 5, Frame::delta(COLOR, 1));
    for number in 2..20 {
        room.send(1, 10, Frame::delta(COLOR, number));
    }
    room.tick(33);
    room.deliver(1, missing);

    let thinned = [66, 100, 133].map(|ms| room.tick(ms).thinned.len());

    assert_eq!(thinned, [1, 0, 0]);
    assert_eq!(room.counters(1).frames.decoded, 20);
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

/// Frames in packets of real sizes: every 20th a keyframe, numbered from 0.
fn packets_of(frames: u8, start: u16) -> Vec<VideoPacket> {
    let config = PacketizerConfig {
        max_payload_bytes: 1_200,
        first_picture_id: 32_760,
        first_tl0_pic_idx: 250,
    };
    let mut packetizer = Packetizer::new(config).unwrap();
    let (mut payloads, mut packets, mut seq) = (Vec::new(), Vec::new(), start);
    for number in 0..frames {
        let key = number.is_multiple_of(20);
        let frame = if key { Frame::key } else { Frame::delta }(COLOR, number).encode();
        let filler = vec![
            0;
            if key {
                9_000
            } else {
                100 * usize::from(number)
            }
        ];
        packetizer.packetize(&[&frame[..], &filler].concat(), &mut payloads);
        let last = payloads.len() - 1;
        for (index, payload) in payloads.drain(..).enumerate() {
            packets.push(VideoPacket {
                seq: SeqNo(seq),
                timestamp: RtpTimestamp(u32::from(number) * 3_000),
                marker: if index == last {
                    Marker::Last
                } else {
                    Marker::NotLast
                },
                arrival: RoomTime::from_ms(u64::from(number) * 33),
                orientation: None,
                payload,
            });
            seq = seq.wrapping_add(1);
        }
    }
    packets
}

/// Plays packets to a room, one tick per frame time, and gives the numbers of decoded frames.
/// Nobody watches, which saves drawing them.
fn decoded(packets: &[VideoPacket]) -> (Vec<u8>, Room) {
    let mut room = Room::new(VideoConfig::default());
    room.mixer.handle(VideoInput::RemoveRung { rung: RUNG });
    room.join(1);
    let log = room.add_track(1);
    let mut now = RoomTime::START;
    for packet in packets {
        while now < packet.arrival {
            now = now + std::time::Duration::from_millis(33);
            room.mixer.tick(now);
        }
        room.deliver(1, packet.clone());
    }
    room.mixer.tick(now);
    let numbers = log.lock().unwrap().clone();
    (numbers, room)
}

#[test]
fn frames_of_many_packets_come_through_whole_from_every_start() {
    for start in [0, 1, 32_767, 32_768, 65_534, 65_535] {
        let (numbers, room) = decoded(&packets_of(60, start));

        assert_eq!(numbers, (0..60).collect::<Vec<u8>>());
        assert_eq!(room.counters(1).packets.dropped, 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_a_link_does_each_decoded_delta_follows_the_frame_it_needs(
        start: u16,
        losses in prop::collection::vec(0usize..400, 0..12),
        repeats in prop::collection::vec(0usize..400, 0..12),
        delays in prop::collection::vec((0usize..400, 1u64..400), 0..40),
    ) {
        let all = packets_of(100, start);
        let mut packets = all.clone();
        for (index, late_ms) in delays {
            let count = packets.len();
            let packet = &mut packets[index % count];
            packet.arrival = packet.arrival + std::time::Duration::from_millis(late_ms);
        }
        for index in repeats {
            let again = packets[index % packets.len()].clone();
            packets.push(again);
        }
        for index in losses {
            packets.remove(index % packets.len());
        }
        packets.sort_by_key(|packet| packet.arrival);

        let (numbers, room) = decoded(&packets);

        for pair in numbers.windows(2) {
            let (before, after) = (pair[0], pair[1]);
            prop_assert!(after == before + 1 || (after > before && after.is_multiple_of(20)));
        }
        prop_assert!(numbers.first().is_none_or(|first| first.is_multiple_of(20)));
        let counters = room.counters(1).packets;
        prop_assert_eq!(counters.received, packets.len() as u64);
        let judged = counters.late + counters.duplicate + counters.dropped;
        prop_assert!(judged <= counters.received);
        prop_assert!(counters.lost <= all.len() as u64);
    }
}
