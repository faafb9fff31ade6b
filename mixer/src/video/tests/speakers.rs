//! Rungs that show one participant large, and stills.

use codecs::video::FrameKind;

use super::fakes::{FakeEncoder, size};
use super::room::{Room, id};
use crate::ParticipantId;
use crate::video::{Arrangement, Focus, Keyframes, RungConfig, RungId, VideoConfig, VideoInput};

const ALONE: RungId = RungId(10);
const ALONE_FOR_SPEAKER: RungId = RungId(11);
const LARGE: RungId = RungId(12);

fn add(room: &mut Room, rung: RungId, config: RungConfig) {
    let encoder = Box::new(FakeEncoder::default());
    room.mixer.handle(VideoInput::AddRung {
        rung,
        config,
        encoder,
    });
}

/// A room of `participants` with a rung of either focus that shows one alone.
fn room_of(participants: u32) -> Room {
    let mut room = Room::new(VideoConfig::default());
    let config = RungConfig {
        arrangement: Arrangement::SpeakerAlone,
        ..RungConfig::grid(size(320, 180), 60)
    };
    add(&mut room, ALONE, config);
    let focus = Focus::SpeakerBefore;
    add(&mut room, ALONE_FOR_SPEAKER, RungConfig { focus, ..config });
    for participant in 1..=participants {
        room.join(participant);
    }
    room
}

fn speaks(room: &mut Room, participant: Option<u32>) {
    let speaker = participant.map(id);
    room.mixer.handle(VideoInput::ActiveSpeaker(speaker));
}

/// Who is alone on the rung for everybody, and on that for the active speaker.
fn shown(room: &mut Room, ms: u64) -> [Vec<ParticipantId>; 2] {
    room.tick(ms);
    [ALONE, ALONE_FOR_SPEAKER].map(|rung| {
        let tiles = room.mixer.layout(rung).unwrap().tiles();
        tiles.iter().map(|(participant, _)| *participant).collect()
    })
}

#[test]
fn everybody_sees_the_speaker_and_the_speaker_who_spoke_before() {
    let mut room = room_of(3);
    assert_eq!(shown(&mut room, 0), [[id(1)], [id(2)]]);

    speaks(&mut room, Some(2));
    assert_eq!(shown(&mut room, 33), [[id(2)], [id(1)]]);

    speaks(&mut room, Some(3));
    assert_eq!(shown(&mut room, 66), [[id(3)], [id(2)]]);

    speaks(&mut room, Some(2));
    assert_eq!(shown(&mut room, 99), [[id(2)], [id(3)]]);
    assert_eq!(room.mixer.in_focus(), Some(id(2)));
}

#[test]
fn who_has_left_is_shown_to_nobody() {
    let mut room = room_of(3);
    speaks(&mut room, Some(2));
    speaks(&mut room, Some(3));

    room.leave(2);
    assert_eq!(shown(&mut room, 0), [[id(3)], [id(1)]]);

    room.leave(3);
    speaks(&mut room, None);
    assert_eq!(shown(&mut room, 33), [[id(1)], [id(1)]]);

    room.leave(1);
    assert_eq!(shown(&mut room, 66), [[], []]);
    assert_eq!(room.mixer.in_focus(), None);
}

#[test]
fn who_is_pinned_is_large_whoever_speaks_and_sees_the_speaker() {
    let mut room = room_of(3);
    speaks(&mut room, Some(2));

    room.mixer.handle(VideoInput::Pin(Some(id(3))));
    assert_eq!(shown(&mut room, 0), [[id(3)], [id(2)]]);
    assert_eq!(room.mixer.in_focus(), Some(id(3)));

    speaks(&mut room, Some(3));
    assert_eq!(shown(&mut room, 33), [[id(3)], [id(2)]]);

    room.mixer.handle(VideoInput::Pin(None));
    speaks(&mut room, Some(1));
    assert_eq!(shown(&mut room, 66), [[id(1)], [id(3)]]);
}

#[test]
fn a_pin_goes_with_whom_it_held() {
    let mut room = room_of(3);
    room.mixer.handle(VideoInput::Pin(Some(id(3))));
    speaks(&mut room, Some(2));

    room.leave(3);

    assert_eq!(shown(&mut room, 0), [[id(2)], [id(1)]]);
}

#[test]
fn a_rung_on_one_participant_shows_them_while_they_are_there() {
    let mut room = room_of(3);
    let focus = Focus::On(id(3));
    let config = RungConfig {
        arrangement: Arrangement::SpeakerAlone,
        focus,
        ..RungConfig::grid(size(320, 180), 60)
    };
    add(&mut room, LARGE, config);
    speaks(&mut room, Some(2));
    room.mixer.handle(VideoInput::Pin(Some(id(1))));
    let who = |room: &mut Room, ms| {
        room.tick(ms);
        room.mixer.layout(LARGE).unwrap().tiles()[0].0
    };

    assert_eq!(who(&mut room, 0), id(3));
    room.leave(3);
    assert_eq!(who(&mut room, 33), id(1));
}

#[test]
fn who_speaks_has_a_place_beside_the_pinned_one_however_many_there_are() {
    let mut room = room_of(14);
    let config = RungConfig {
        arrangement: Arrangement::SpeakerLarge,
        ..RungConfig::grid(size(640, 360), 100)
    };
    add(&mut room, LARGE, config);
    room.mixer.handle(VideoInput::Pin(Some(id(2))));

    speaks(&mut room, Some(13));
    room.tick(0);

    let tiles = room.mixer.layout(LARGE).unwrap().tiles();
    let order: Vec<u32> = tiles.iter().map(|(who, _)| who.0).collect();
    assert_eq!(order, [2, 1, 3, 4, 5, 6, 7, 8, 9, 13]);
}

#[test]
fn nobody_speaking_leaves_the_last_speaker_in_focus() {
    let mut room = room_of(3);
    speaks(&mut room, Some(3));

    speaks(&mut room, None);

    assert_eq!(shown(&mut room, 0), [[id(3)], [id(1)]]);
}

#[test]
fn the_others_are_small_beside_the_speaker() {
    let mut room = room_of(4);
    let config = RungConfig {
        arrangement: Arrangement::SpeakerLarge,
        ..RungConfig::grid(size(426, 240), 100)
    };
    add(&mut room, LARGE, config);
    speaks(&mut room, Some(3));

    room.tick(0);

    let layout = room.mixer.layout(LARGE).unwrap();
    let order: Vec<_> = layout.tiles().iter().map(|(who, _)| *who).collect();
    assert_eq!(order, [id(3), id(1), id(2), id(4)]);
    assert_eq!(layout.region(id(3)).unwrap().size(), size(284, 160));
    assert_eq!(layout.region(id(4)).unwrap().size(), size(142, 80));
}

#[test]
fn stills_are_keyframes_and_come_no_sooner_when_asked_for() {
    let mut room = Room::new(VideoConfig::default());
    let config = RungConfig {
        frame_interval: 135_000,
        keyframes: Keyframes::Always,
        ..RungConfig::grid(size(320, 180), 20)
    };
    add(&mut room, ALONE, config);

    let mut stills = Vec::new();
    for tick in 0..150_u64 {
        let ms = tick * 100 / 3;
        room.mixer
            .handle(VideoInput::RequestKeyframe { rung: ALONE });
        let frames = room.tick(ms).frames;
        let still = frames.into_iter().find(|(rung, ..)| *rung == ALONE);
        stills.extend(still.map(|(_, kind, ..)| (ms, kind)));
    }

    let key = FrameKind::Key;
    assert_eq!(stills, [(0, key), (1_500, key), (3_000, key), (4_500, key)]);
}
