//! What the tiles show, when.

use codecs::video::I420;

use super::fakes::{Frame, Tag, size};
use super::room::{RUNG, Room, id, pixel};
use crate::ParticipantId;
use crate::RoomTime;
use crate::video::{
    Camera, CanvasChange, Fit, Presence, RungId, SpeakerBorder, VideoConfig, VideoInput,
};

fn color(participant: u32) -> [u8; 3] {
    let step = u8::try_from(participant * 4).unwrap();
    [40 + step, 250 - step, 60 + step / 2]
}

fn shown(room: &Room) -> Vec<ParticipantId> {
    room.layout().tiles().iter().map(|tile| tile.0).collect()
}

/// A room where the first `count` ids have joined and sent their first picture, at 0 ms.
fn room_of(count: u32, config: VideoConfig) -> Room {
    let mut room = Room::new(config);
    for participant in 0..count {
        room.join(participant);
        room.add_track(participant);
        room.send(participant, 0, Frame::key(color(participant), 100));
    }
    room.tick(0);
    room
}

fn presence(room: &mut Room, participant: u32, presence: Presence) {
    let participant = id(participant);
    room.mixer.handle(VideoInput::Presence {
        participant,
        presence,
    });
}

fn camera(room: &mut Room, participant: u32, camera: Camera) {
    let participant = id(participant);
    room.mixer.handle(VideoInput::Camera {
        participant,
        camera,
    });
}

/// The placeholder that `participant` has in this room.
fn placeholder(room: &mut Room, participant: u32, ms: u64) -> I420 {
    camera(room, participant, Camera::Off);
    room.tick(ms);
    room.tile(participant)
}

#[test]
fn every_tile_shows_the_color_and_number_of_its_participant() {
    for count in [1, 2, 5, 9, 16, 25, 49] {
        let mut room = room_of(count, VideoConfig::default());

        for round in 1..4 {
            let ms = round * 33;
            let number = u8::try_from(ms).unwrap();
            for participant in 0..count {
                room.send(participant, ms, Frame::delta(color(participant), number));
            }
            room.tick(ms);

            for participant in 0..count {
                assert_eq!(room.shown(participant), (color(participant), number));
            }
        }
    }
}

#[test]
fn tiles_stand_in_the_order_of_ids_whatever_the_order_of_joining() {
    let mut room = Room::new(VideoConfig::default());
    for participant in [7, 2, 5] {
        room.join(participant);
    }

    let seen = room.tick(0);

    assert_eq!(shown(&room), [id(2), id(5), id(7)]);
    assert_eq!(seen.layout_changed, [RUNG]);
    assert!(room.tick(33).layout_changed.is_empty());
}

#[test]
fn a_tile_is_gone_at_the_next_tick_after_leaving() {
    let mut room = room_of(3, VideoConfig::default());

    room.leave(1);
    let seen = room.tick(33);

    assert_eq!(seen.layout_changed, [RUNG]);
    assert_eq!(shown(&room), [id(0), id(2)]);
    assert_eq!(room.shown(0).0, color(0));
    assert_eq!(room.shown(2).0, color(2));
    assert!(!room.canvas().view().u().contains(&color(1)[1]));
    assert!(room.mixer.counters(id(1)).is_none());
}

#[test]
fn the_last_one_to_leave_leaves_the_background() {
    let config = VideoConfig {
        background: [50, 60, 70],
        ..VideoConfig::default()
    };
    let mut room = room_of(1, config);

    room.leave(0);
    let seen = room.tick(33);

    assert_eq!(seen.frames.len(), 1);
    let mut background = I420::black(size(640, 360));
    background.fill([50, 60, 70]);
    assert_eq!(*room.canvas(), background);
}

#[test]
fn a_late_joiner_has_a_placeholder_then_a_picture() {
    let mut room = room_of(2, VideoConfig::default());

    room.join(9);
    room.tick(33);
    let before = room.tile(9);
    room.add_track(9);
    room.send(9, 50, Frame::key(color(9), 1));
    room.tick(66);

    assert_ne!(before, room.tile(9));
    assert_eq!(room.shown(9), (color(9), 1));
    assert_eq!(room.shown(0).0, color(0));
}

#[test]
fn only_the_newest_of_several_pictures_is_shown() {
    let mut room = room_of(1, VideoConfig::default());

    for number in 1..=3 {
        room.send(0, 20, Frame::delta(color(0), number));
    }
    room.tick(33);

    assert_eq!(room.shown(0), (color(0), 3));
    assert_eq!(room.counters(0).frames.decoded, 4);
}

#[test]
fn hidden_frames_are_decoded_but_not_shown() {
    let mut room = room_of(1, VideoConfig::default());

    room.send(
        0,
        20,
        Frame {
            tag: Tag::Hidden,
            ..Frame::delta([1, 2, 3], 7)
        },
    );
    room.tick(33);

    assert_eq!(room.shown(0), (color(0), 100));
    assert_eq!(room.counters(0).frames.decoded, 2);
}

#[test]
fn a_canvas_without_news_is_unchanged() {
    let mut room = room_of(2, VideoConfig::default());
    let before = room.canvas().clone();

    let tick = room.mixer.tick(RoomTime::from_ms(33));

    assert_eq!(tick.frames[0].canvas, CanvasChange::Unchanged);
    assert_eq!(*room.canvas(), before);
    room.send(1, 40, Frame::delta(color(1), 2));
    let tick = room.mixer.tick(RoomTime::from_ms(66));
    assert_eq!(tick.frames[0].canvas, CanvasChange::Changed);
}

#[test]
fn a_picture_that_stands_still_is_marked_after_a_second_until_the_next() {
    let mut room = room_of(1, VideoConfig::default());

    room.tick(1_000);
    assert_eq!(room.shown(0).0, color(0));

    room.tick(1_001);
    let [luma, ..] = room.shown(0).0;
    assert!(luma < color(0)[0]);

    room.send(0, 1_010, Frame::delta(color(0), 3));
    room.tick(1_034);
    assert_eq!(room.shown(0), (color(0), 3));
}

#[test]
fn a_recorded_picture_lasts_until_the_next_however_long_that_takes() {
    let mut room = Room::new(VideoConfig::default());
    room.join(0);
    room.add_track(0);
    room.record(0, 0, Frame::key(color(0), 1));

    room.tick(0);
    room.tick(60_000);

    assert_eq!(room.shown(0), (color(0), 1));
}

#[test]
fn a_camera_that_is_off_shows_the_placeholder_whatever_comes() {
    let mut room = room_of(2, VideoConfig::default());
    let never_seen = {
        let mut room = Room::new(VideoConfig::default());
        room.join(0);
        room.join(1);
        room.tick(0);
        room.tile(0)
    };

    camera(&mut room, 0, Camera::Off);
    room.tick(33);
    assert_eq!(room.tile(0), never_seen);

    room.send(0, 40, Frame::delta(color(0), 2));
    room.tick(66);
    assert_eq!(room.tile(0), never_seen);
    assert_eq!(room.shown(1).0, color(1));
}

#[test]
fn a_camera_switched_on_shows_no_picture_from_before() {
    let mut room = room_of(2, VideoConfig::default());
    let placeholder = placeholder(&mut room, 0, 33);
    room.send(0, 40, Frame::delta(color(0), 2));
    room.tick(66);

    camera(&mut room, 0, Camera::On);
    room.tick(99);
    assert_eq!(room.tile(0), placeholder);

    room.send(0, 110, Frame::key(color(0), 3));
    room.tick(132);
    assert_eq!(room.shown(0), (color(0), 3));
}

#[test]
fn an_absent_participant_never_passes_for_live() {
    let mut room = room_of(2, VideoConfig::default());
    let live = room.tile(0);

    presence(&mut room, 0, Presence::Absent);
    room.tick(33);

    let [luma, u, _] = room.shown(0).0;
    assert!(luma < color(0)[0]);
    assert!(u.abs_diff(128) * 4 < color(0)[1].abs_diff(128));
    let gone = room.tile(0);
    let bytes = live.as_bytes().iter().zip(gone.as_bytes());
    let same = bytes.filter(|(before, after)| before == after);
    assert!(same.count() * 20 < live.as_bytes().len());
    assert_eq!(room.shown(1).0, color(1));
}

#[test]
fn an_absent_participant_without_picture_is_told_from_a_present_one() {
    let mut room = room_of(2, VideoConfig::default());
    let here = placeholder(&mut room, 0, 33);

    presence(&mut room, 0, Presence::Absent);
    room.tick(66);

    assert_ne!(room.tile(0), here);
}

#[test]
fn a_participant_who_is_back_is_live_with_the_next_picture() {
    let mut room = room_of(2, VideoConfig::default());
    presence(&mut room, 0, Presence::Absent);
    room.tick(5_000);

    presence(&mut room, 0, Presence::Present);
    room.tick(5_033);
    assert_ne!(room.shown(0).0, color(0));

    room.send(0, 5_040, Frame::delta(color(0), 9));
    room.tick(5_066);
    assert_eq!(room.shown(0), (color(0), 9));
}

#[test]
fn a_removed_track_leaves_the_placeholder_and_a_new_one_shows_nothing_of_it() {
    let mut room = room_of(2, VideoConfig::default());

    room.mixer
        .handle(VideoInput::RemoveTrack { participant: id(0) });
    room.tick(33);
    let without = room.tile(0);
    room.add_track(0);
    room.tick(66);

    assert_eq!(room.tile(0), without);
    assert_ne!(room.shown(0).0, color(0));
    room.send(0, 70, Frame::key([77, 88, 99], 1));
    room.tick(99);
    assert_eq!(room.shown(0), ([77, 88, 99], 1));
}

#[test]
fn the_active_speaker_has_a_border_inside_of_its_region() {
    let mut room = room_of(4, VideoConfig::default());
    let before: Vec<I420> = (0..4).map(|participant| room.tile(participant)).collect();

    room.mixer.handle(VideoInput::ActiveSpeaker(Some(id(2))));
    let seen = room.tick(33);

    assert!(seen.layout_changed.is_empty());
    for participant in [0, 1, 3] {
        assert_eq!(room.tile(participant), before[participant as usize]);
    }
    let rim = pixel(&room.tile(2), 0, 90);
    assert!(rim[0] > pixel(&before[2], 0, 90)[0]);
    assert_eq!(room.shown(2).0, color(2));

    room.mixer.handle(VideoInput::ActiveSpeaker(None));
    room.tick(66);
    assert_eq!(room.tile(2), before[2]);
}

#[test]
fn no_border_is_drawn_around_somebody_alone_or_where_it_is_not_wanted() {
    let hidden = VideoConfig {
        speaker_border: SpeakerBorder::Hidden,
        ..VideoConfig::default()
    };
    for (count, config) in [(1, VideoConfig::default()), (3, hidden)] {
        let mut room = room_of(count, config);
        let before = room.canvas().clone();

        room.mixer.handle(VideoInput::ActiveSpeaker(Some(id(0))));
        room.tick(33);

        assert_eq!(*room.canvas(), before);
    }
}

#[test]
fn whoever_speaks_has_a_tile_even_when_fifty_came_before() {
    let mut room = room_of(0, VideoConfig::default());
    for participant in 0..60 {
        room.join(participant);
    }
    room.tick(0);
    assert_eq!(shown(&room).last(), Some(&id(48)));

    room.mixer.handle(VideoInput::ActiveSpeaker(Some(id(57))));
    assert_eq!(room.tick(33).layout_changed, [RUNG]);
    assert_eq!(shown(&room).last(), Some(&id(57)));

    room.mixer.handle(VideoInput::ActiveSpeaker(Some(id(3))));
    room.tick(66);
    assert_eq!(shown(&room).last(), Some(&id(48)));
}

#[test]
fn portrait_sources_stand_upright_between_bars_or_fill_their_tile() {
    for (fit, beside) in [(Fit::Fit, [50, 60, 70]), (Fit::Fill, color(0))] {
        let config = VideoConfig {
            fit,
            background: [50, 60, 70],
            ..VideoConfig::default()
        };
        let mut room = Room::new(config);
        room.join(0);
        room.add_track(0);

        let sides = [22, 40];
        room.send(
            0,
            0,
            Frame {
                sides,
                ..Frame::key(color(0), 1)
            },
        );
        room.tick(0);

        // 88x160 in 640x360 is 198x360, in the middle.
        assert_eq!(pixel(room.canvas(), 219, 20), beside);
        assert_eq!(pixel(room.canvas(), 222, 20), color(0));
        assert_eq!(pixel(room.canvas(), 416, 20), color(0));
        assert_eq!(pixel(room.canvas(), 420, 20), beside);
    }
}

#[test]
fn a_source_may_change_its_size_in_the_middle() {
    let mut room = room_of(2, VideoConfig::default());

    let sides = [80, 45];
    room.send(
        0,
        20,
        Frame {
            sides,
            ..Frame::key(color(0), 2)
        },
    );
    room.tick(33);

    assert_eq!(room.shown(0), (color(0), 2));
}

#[test]
fn every_rung_shows_everybody_at_its_own_size() {
    let mut room = Room::new(VideoConfig::default());
    let small = RungId(0);
    room.add_rung(small, size(320, 180), 3_000);
    for participant in 0..4 {
        room.join(participant);
        room.add_track(participant);
        room.send(participant, 0, Frame::key(color(participant), 100));
    }

    let seen = room.tick(0);

    assert_eq!(
        seen.frames.iter().map(|frame| frame.0).collect::<Vec<_>>(),
        [small, RUNG]
    );
    let canvas = room.mixer.canvas(small).unwrap();
    for (participant, (x, y)) in [(20, 20), (180, 20), (20, 110), (180, 110)]
        .iter()
        .enumerate()
    {
        let participant = u32::try_from(participant).unwrap();
        assert_eq!(pixel(canvas, *x, *y), color(participant));
        assert_eq!(room.shown(participant).0, color(participant));
    }
}

#[test]
fn recorded_frames_are_shown_at_their_time() {
    let mut room = Room::new(VideoConfig::default());
    room.join(0);
    room.add_track(0);
    for number in 0..10 {
        let frame = if number == 0 {
            Frame::key
        } else {
            Frame::delta
        };
        room.record(0, u64::from(number) * 20, frame(color(0), number));
    }

    for (ms, number) in [(0, 0), (33, 1), (66, 3), (100, 5), (133, 6), (500, 9)] {
        room.tick(ms);

        assert_eq!(room.shown(0), (color(0), number), "at {ms} ms");
    }
}
