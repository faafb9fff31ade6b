//! What is a ladder and what is not.

use proptest::prelude::*;

use super::{size, usual};
use crate::audio::{AudioRung, PacketTime};
use crate::ladder::overhead::{audio_wire_kbps, video_kbps, video_wire_kbps};
use crate::ladder::{Ladder, LadderError, Pace, RungSpec};
use crate::video::Arrangement;

fn rung(name: &str, min: u32, max: u32) -> RungSpec {
    RungSpec {
        name: name.to_owned(),
        size: size(320, 180),
        pace: Pace::Moving {
            frame_interval: 3_000,
        },
        kbps: min..=max,
        arrangement: Arrangement::Grid,
        payload_bytes: 500,
    }
}

fn described(ladder: &Ladder) -> Vec<String> {
    let rungs = ladder.rungs().iter();
    let describe = |rung: &RungSpec| {
        let interval = rung.pace.interval();
        let (min, max) = (rung.kbps.start(), rung.kbps.end());
        format!("{} {} {interval} {min}-{max}", rung.name, rung.size)
    };
    rungs.map(describe).collect()
}

#[test]
fn the_usual_ladder_goes_from_stills_to_the_canvas() {
    assert_eq!(
        described(&usual()),
        [
            "stills 320x180 135000 10-40",
            "speaker 320x180 9000 30-90",
            "low 426x240 6000 70-240",
            "medium 640x360 3000 200-700",
            "top 1280x720 3000 600-1500",
        ]
    );
}

#[test]
fn canvases_of_other_shapes_and_speeds_have_ladders_of_their_own() {
    let large = Ladder::usual(size(1920, 1080), 30, 4_000).unwrap();
    assert_eq!(
        described(&large)[4..],
        [
            "high 1280x720 3000 600-1500",
            "top 1920x1080 3000 1200-4000"
        ]
    );

    let old = Ladder::usual(size(640, 480), 10, 600).unwrap();
    assert_eq!(
        described(&old),
        [
            "stills 240x180 135000 10-40",
            "speaker 240x180 9000 30-90",
            "low 320x240 9000 70-240",
            "medium 480x360 9000 200-600",
            "top 640x480 9000 244-600",
        ]
    );
}

#[test]
fn a_canvas_that_needs_little_leaves_out_what_needs_as_much() {
    let small = Ladder::usual(size(320, 180), 30, 1_500).unwrap();
    assert_eq!(
        described(&small),
        [
            "stills 320x180 135000 10-40",
            "speaker 320x180 9000 30-90",
            "top 320x180 3000 70-1500",
        ]
    );

    let tiny = Ladder::usual(size(64, 64), 30, 50).unwrap();
    assert_eq!(described(&tiny), ["top 64x64 3000 10-50"]);
}

#[test]
fn what_is_no_ladder_is_refused_with_the_reason() {
    let rows = [
        (vec![], "ladder has 0 rungs, expected 1 to 8"),
        (
            vec![rung("", 10, 20)],
            "rung name \"\" is empty, longer than 32 bytes, or not the only one",
        ),
        (
            vec![rung("a", 10, 20), rung("a", 20, 30)],
            "rung name \"a\" is empty, longer than 32 bytes, or not the only one",
        ),
        (
            vec![rung("a", 30, 20)],
            "rung a has 30 to 20 kb/s, expected a range within 10 to 50000",
        ),
        (
            vec![rung("a", 1, 20)],
            "rung a has 1 to 20 kb/s, expected a range within 10 to 50000",
        ),
        (
            vec![rung("a", 10, 20), rung("b", 10, 30)],
            "rung b begins at 10 kb/s, expected more than the 10 of a below it",
        ),
        (
            vec![rung("a", 10, 20), rung("b", 21, 30)],
            "rung a ends at 20 kb/s, expected the 21 at which b begins, or more",
        ),
        (
            vec![RungSpec {
                size: size(321, 180),
                ..rung("a", 10, 20)
            }],
            "rung a is 321x180, expected even sides from 64 to 4096",
        ),
        (
            vec![RungSpec {
                payload_bytes: 199,
                ..rung("a", 10, 20)
            }],
            "rung a has payloads of 199 bytes, expected 200 to 1180",
        ),
        (
            vec![RungSpec {
                pace: Pace::Moving { frame_interval: 0 },
                ..rung("a", 10, 20)
            }],
            "rung a is not of 1 to 60 fps, or a still every 10 s or less",
        ),
        (
            vec![
                rung("a", 10, 20),
                RungSpec {
                    pace: Pace::Stills { interval: 90_000 },
                    ..rung("b", 20, 30)
                },
            ],
            "rung b is of stills, expected every rung above one that moves to move",
        ),
    ];

    for (rungs, reason) in rows {
        assert_eq!(Ladder::new(rungs).unwrap_err().to_string(), reason);
    }
    let many = (0..9).map(|n| rung(&n.to_string(), 10 + n, 50)).collect();
    assert_eq!(Ladder::new(many), Err(LadderError::Count(9)));
}

#[test]
fn headers_of_audio_are_what_a_flow_carries() {
    let headers =
        PacketTime::ALL.map(|time| audio_wire_kbps(AudioRung::new(12, time).unwrap()) - 12);

    assert_eq!(headers, [24, 12, 8, 4]);
}

proptest! {
    #[test]
    fn every_canvas_has_a_ladder(
        width in 32_u32..=2_048,
        height in 32_u32..=2_048,
        fps in 1_u32..=60,
        kbps in 50_u32..=20_000,
    ) {
        let canvas = size(width * 2, height * 2);

        let ladder = Ladder::usual(canvas, fps, kbps).unwrap();

        prop_assert_eq!(ladder.top().size, canvas);
        prop_assert_eq!(*ladder.top().kbps.end(), kbps);
    }

    #[test]
    fn what_a_link_has_room_for_fits_it(wire_kbps in 0_u32..100_000, index in 0_usize..5) {
        let ladder = usual();
        let rung = &ladder.rungs()[index];

        let kbps = video_kbps(rung, wire_kbps);

        prop_assert!(kbps == 0 || video_wire_kbps(rung, kbps) <= wire_kbps);
        prop_assert!(video_wire_kbps(rung, kbps + 2) > wire_kbps);
    }
}
