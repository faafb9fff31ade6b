//! Pictures of cameras that are not held upright.

use proptest::prelude::*;

use super::fakes::{Frame, Tag};
use super::room::{Room, pixel};
use crate::video::{Fit, Mirroring, Orientation, Rotation, VideoConfig};

const COLOR: [u8; 3] = [60, 90, 170];

/// What the lower right quarter of a fake picture shows.
const NUMBER: u8 = 200;

fn turn(rotation: Rotation, mirroring: Mirroring) -> Option<Orientation> {
    Some(Orientation {
        rotation,
        mirroring,
    })
}

fn room(fit: Fit) -> Room {
    let mut room = Room::new(VideoConfig {
        fit,
        ..VideoConfig::default()
    });
    room.join(0);
    room.add_track(0);
    room
}

fn show(room: &mut Room, ms: u64, tag: Tag, orientation: Option<Orientation>) {
    let frame = Frame {
        tag,
        ..Frame::key(COLOR, NUMBER)
    };
    let mut packet = room.packet(0, ms, frame);
    packet.orientation = orientation;
    room.deliver(0, packet);
    room.tick(ms);
}

/// Which quarters of the canvas' middle square show the number: upper left, upper right, lower
/// left, lower right.
fn marked(room: &Room) -> [bool; 4] {
    [(290, 150), (350, 150), (290, 210), (350, 210)]
        .map(|(x, y)| pixel(room.canvas(), x, y)[0] == NUMBER)
}

/// Where the background begins from the left, in the middle row.
fn width_of_left_bar(room: &Room) -> usize {
    let background = pixel(room.canvas(), 0, 180);
    (0..320)
        .find(|x| pixel(room.canvas(), *x, 180) != background)
        .unwrap_or(320)
}

#[test]
fn a_turned_camera_stands_upright_in_its_tile() {
    use Mirroring::{LeftRight, None as Plain};
    use Rotation::{Half, None as Upright, Quarter, ThreeQuarters};
    let rows = [
        (Upright, Plain, [false, false, false, true]),
        (Quarter, Plain, [false, false, true, false]),
        (Half, Plain, [true, false, false, false]),
        (ThreeQuarters, Plain, [false, true, false, false]),
        (Upright, LeftRight, [false, false, true, false]),
        (Quarter, LeftRight, [true, false, false, false]),
        (Half, LeftRight, [false, true, false, false]),
        (ThreeQuarters, LeftRight, [false, false, false, true]),
    ];
    for fit in [Fit::Fit, Fit::Fill] {
        for (rotation, mirroring, expected) in rows {
            let mut room = room(fit);

            show(&mut room, 0, Tag::Key, turn(rotation, mirroring));

            assert_eq!(
                marked(&room),
                expected,
                "{rotation:?} {mirroring:?} {fit:?}"
            );
        }
    }
}

#[test]
fn a_picture_that_lies_on_its_side_has_bars_left_and_right() {
    let mut room = room(Fit::Fit);

    show(
        &mut room,
        0,
        Tag::Key,
        turn(Rotation::Quarter, Mirroring::None),
    );

    // 160x88 upright is 88x160: 198 of 640 columns.
    assert_eq!(width_of_left_bar(&room), 220);
}

#[test]
fn what_was_said_holds_until_something_else_is_said_or_a_keyframe_says_nothing() {
    let mut room = room(Fit::Fit);
    let quarter = turn(Rotation::Quarter, Mirroring::None);
    let half = turn(Rotation::Half, Mirroring::None);
    let lower_left = [false, false, true, false];
    let upper_left = [true, false, false, false];
    let lower_right = [false, false, false, true];
    let rows = [
        (Tag::Key, None, lower_right),
        (Tag::Delta, quarter, lower_left),
        (Tag::Delta, None, lower_left),
        (Tag::Delta, half, upper_left),
        (Tag::Hidden, quarter, upper_left),
        (Tag::Delta, None, lower_left),
        (Tag::Key, half, upper_left),
        (Tag::Key, None, lower_right),
    ];

    for ((tag, said, expected), ms) in rows.into_iter().zip((0..).step_by(33)) {
        show(&mut room, ms, tag, said);

        assert_eq!(marked(&room), expected, "at {ms} ms");
    }
}

proptest! {
    #[test]
    fn pictures_of_any_shape_turn_without_touching_the_bars(
        sides in (1_u8..=255, 1_u8..=255),
        rotation in prop::sample::select(vec![
            Rotation::None, Rotation::Quarter, Rotation::Half, Rotation::ThreeQuarters,
        ]),
        mirrored in any::<bool>(),
        fill in any::<bool>(),
    ) {
        let fit = if fill { Fit::Fill } else { Fit::Fit };
        let mirroring = if mirrored { Mirroring::LeftRight } else { Mirroring::None };
        let mut room = room(fit);
        let frame = Frame { sides: [sides.0, sides.1], ..Frame::key(COLOR, COLOR[0]) };
        let mut packet = room.packet(0, 0, frame);
        packet.orientation = turn(rotation, mirroring);
        room.deliver(0, packet);

        room.tick(0);

        prop_assert_eq!(pixel(room.canvas(), 320, 180), COLOR);
        let bar = pixel(room.canvas(), 0, 0);
        let opposite = pixel(room.canvas(), 639, 359);
        prop_assert_eq!(bar, opposite, "bars are alike, or there are none");
    }
}
