//! Whole canvases, as they were when somebody looked at them and found them good.

use std::sync::Arc;

use codecs::scale::PlainScaler;

use super::fakes::{FakeDecoder, FakeEncoder, Frame, hash, size};
use super::room::{RUNG, id, pool};
use crate::RoomTime;
use crate::video::{Fit, Presence, RecordedFrame, RungConfig, VideoConfig, VideoInput, VideoMixer};

/// Landscape, portrait, 4:3, absent with a picture, absent without, and somebody who never sent.
fn room_of_six(fit: Fit) -> VideoMixer {
    let config = VideoConfig {
        fit,
        ..VideoConfig::default()
    };
    let mut mixer = VideoMixer::new(config, Arc::clone(&pool(1)));
    let config = RungConfig::grid(size(640, 360), 500);
    let encoder = Box::new(FakeEncoder::default());
    mixer.handle(VideoInput::AddRung {
        rung: RUNG,
        config,
        encoder,
    });
    for participant in (0..6).map(id) {
        mixer.handle(VideoInput::Join { participant });
    }
    for (participant, sides) in [(0, [80, 45]), (1, [45, 80]), (2, [80, 60]), (3, [80, 45])] {
        let participant = id(participant);
        let decoder = Box::new(FakeDecoder::default());
        let scaler = Box::new(PlainScaler::new());
        mixer.handle(VideoInput::AddTrack {
            participant,
            decoder,
            scaler,
        });
        let data = Frame {
            sides,
            ..Frame::key([150, 90, 170], 60)
        }
        .encode();
        let frame = RecordedFrame {
            time: RoomTime::START,
            data,
        };
        mixer.handle(VideoInput::Recorded { participant, frame });
    }
    for participant in [3, 4].map(id) {
        let presence = Presence::Absent;
        mixer.handle(VideoInput::Presence {
            participant,
            presence,
        });
    }
    mixer.handle(VideoInput::ActiveSpeaker(Some(id(1))));
    mixer.tick(RoomTime::START);
    mixer
}

#[test]
fn six_states_side_by_side_look_as_they_did() {
    for (fit, expected) in [
        (Fit::Fit, 0x5915_bf20_6b7b_3115),
        (Fit::Fill, 0x4f3f_9182_f2b8_ca8a),
    ] {
        let mixer = room_of_six(fit);

        let canvas = mixer.canvas(RUNG).unwrap();

        assert_eq!(
            hash(canvas),
            expected,
            "{fit:?} looks different: {:#018x}",
            hash(canvas)
        );
    }
}
