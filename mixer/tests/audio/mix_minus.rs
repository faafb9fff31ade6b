//! Everybody hears everybody else, to the last bit.

use std::time::Duration;

use codecs::audio::Channels;
use mixer::audio::{AudioInput, Muted, RecordedAudio};
use mixer::{ParticipantId, RoomTime};
use proptest::prelude::*;

use crate::fake::packet;
use crate::room::{Room, TICK};

#[test]
fn each_hears_the_tones_of_the_others_exactly_and_nothing_of_its_own() {
    for channels in [Channels::Mono, Channels::Stereo] {
        for count in [1u32, 2, 3, 9, 25] {
            let mut room = Room::of(count, channels);
            for seq in 0..8 {
                for id in 0..count {
                    room.send(id, seq, &tone(id, seq, channels));
                }

                let heard = room.tick();

                // What comes right with tick n is heard with tick n + 1.
                let Some(playing) = seq.checked_sub(1) else {
                    continue;
                };
                for id in 0..count {
                    assert!(heard.by(id) == sum_of_others(id, count, playing, channels));
                }
            }
        }
    }
}

#[test]
fn who_only_listens_hears_everybody() {
    let mut room = Room::of(2, Channels::Mono);
    room.join(7);
    room.mixer.handle(AudioInput::RemoveTrack {
        participant: ParticipantId(7),
    });
    room.send(0, 0, &[100; TICK]);
    room.send(1, 0, &[20; TICK]);
    room.tick();

    let heard = room.tick();

    assert_eq!(heard.by(7), [120; TICK]);
    assert_eq!(heard.levels.len(), 2);
}

#[test]
fn outputs_come_in_the_order_of_participants_on_every_tick_silence_included() {
    let mut room = Room::new(Channels::Mono);
    [5, 1, 9, 3].into_iter().for_each(|id| room.join(id));

    for _ in 0..3 {
        let heard = room.tick();

        let expected = [1, 3, 5, 9].map(|id| (ParticipantId(id), vec![0; TICK]));
        assert_eq!(heard.outputs, expected);
    }
}

#[test]
fn a_muted_participant_fades_within_a_tick_and_is_exactly_silent_then() {
    let mut room = Room::of(2, Channels::Mono);
    let mut heard = Vec::new();
    for seq in 0..10 {
        let muted = match seq {
            4 => Some(Muted::Yes),
            7 => Some(Muted::No),
            _ => None,
        };
        if let Some(muted) = muted {
            let participant = ParticipantId(0);
            room.mixer.handle(AudioInput::Mute { participant, muted });
        }
        room.send(0, seq, &[9_600; TICK]);
        heard.extend(room.tick().by(1).to_vec());
    }

    assert!(heard[TICK..4 * TICK].iter().all(|&s| s == 9_600));
    assert!(heard[5 * TICK..7 * TICK].iter().all(|&s| s == 0));
    assert!(heard[8 * TICK..].iter().all(|&s| s == 9_600));
    let moves = heard[TICK..]
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).abs());
    assert_eq!(moves.max(), Some(10));
}

#[test]
fn who_is_muted_has_no_level_and_does_not_become_the_active_speaker() {
    let mut room = Room::of(3, Channels::Mono);
    room.mixer.handle(AudioInput::Mute {
        participant: ParticipantId(0),
        muted: Muted::Yes,
    });

    let mut speakers = Vec::new();
    for seq in 0..100 {
        // Louder than the one who may speak, and earlier.
        room.send(0, seq, &[9_600; TICK]);
        room.send(1, seq, &[if seq < 50 { 0 } else { 1_200 }; TICK]);
        speakers.push(room.tick().active_speaker);
    }

    assert!(speakers[..50].iter().all(Option::is_none), "{speakers:?}");
    assert_eq!(speakers[99], Some(ParticipantId(1)));
}

#[test]
fn who_stays_muted_through_a_new_track_is_not_heard() {
    let mut room = Room::of(2, Channels::Mono);
    room.mixer.handle(AudioInput::Mute {
        participant: ParticipantId(0),
        muted: Muted::Yes,
    });
    room.tick();

    room.join(0);
    room.send(0, 0, &[9_600; TICK]);

    for _ in 0..4 {
        assert_eq!(room.tick().by(1), [0; TICK]);
    }
}

#[test]
fn recordings_play_at_their_media_time_without_delay() {
    let mut room = Room::of(3, Channels::Mono);
    for (id, begin_ms) in [(0, 0), (1, 10)] {
        room.mixer.handle(AudioInput::Recorded {
            participant: ParticipantId(id),
            packet: RecordedAudio {
                time: RoomTime::new(Duration::from_millis(begin_ms)),
                payload: packet(&[100 + id as i16; TICK]),
            },
        });
    }

    let heard = [room.tick(), room.tick()];

    assert_eq!(heard[0].by(2)[..480], [100; 480]);
    assert_eq!(heard[0].by(2)[480..], [201; 480]);
    assert_eq!(heard[1].by(2)[..480], [101; 480]);
    assert_eq!(heard[1].by(2)[480..], [0; 480]);
    assert_eq!(heard[0].by(0)[..480], [0; 480]);
}

#[test]
fn many_loud_voices_are_limited_and_never_wrap() {
    let mut room = Room::of(9, Channels::Mono);
    for seq in 0..5 {
        for id in 0..9 {
            room.send(id, seq, &[30_000; TICK]);
        }
        let heard = room.tick();

        if seq >= 1 {
            // 240 000, of which the gain makes full scale.
            assert!(heard.by(0).iter().all(|&s| (32_766..=32_767).contains(&s)));
        }
    }
}

proptest! {
    #[test]
    fn any_samples_that_fit_arrive_unchanged(
        voices in prop::collection::vec(prop::collection::vec(-8_000i16..=8_000, TICK), 2..=4)
    ) {
        let count = voices.len() as u32;
        let mut room = Room::of(count, Channels::Mono);
        for (id, voice) in (0..).zip(&voices) {
            room.send(id, 0, voice);
        }
        room.tick();

        let heard = room.tick();

        for own in 0..count {
            for (at, &sample) in heard.by(own).iter().enumerate() {
                let others = (0..).zip(&voices).filter(|(id, _)| *id != own);
                let expected: i16 = others.map(|(_, voice)| voice[at]).sum();
                prop_assert_eq!(sample, expected);
            }
        }
    }
}

/// A tone of its own for each participant, quiet enough for 25 of them.
fn tone(id: u32, seq: usize, channels: Channels) -> Vec<i16> {
    let frequency_hz = 200.0 + 110.0 * f64::from(id);
    (seq * TICK..(seq + 1) * TICK)
        .flat_map(|at| {
            let phase = at as f64 * frequency_hz / 48_000.0 * std::f64::consts::TAU;
            [(phase.sin() * 1_200.0) as i16, (phase.cos() * 900.0) as i16]
                .into_iter()
                .take(channels.count())
        })
        .collect()
}

fn sum_of_others(own: u32, count: u32, seq: usize, channels: Channels) -> Vec<i16> {
    let mut sum = vec![0; TICK * channels.count()];
    for id in (0..count).filter(|&id| id != own) {
        for (sum, sample) in sum.iter_mut().zip(tone(id, seq, channels)) {
            *sum += sample;
        }
    }
    sum
}
