//! What one participant does wrong stays with that participant.

use bytes::Bytes;
use codecs::audio::{AudioCodecError, AudioDecoder, AudioEncoder, Channels};
use codecs::rtp::{RtpTimestamp, SeqNo};
use mixer::audio::{
    AudioConfig, AudioInput, AudioMixer, AudioPacket, LossClass, Muted, RecordedAudio,
};
use mixer::{ParticipantId, RoomTime};
use proptest::prelude::*;

use crate::fake::packet;
use crate::room::{Heard, PcmEncoder, Room, TICK, rung};

/// Refuses whatever it is asked.
#[derive(Debug)]
struct BrokenCodec;

impl AudioDecoder for BrokenCodec {
    fn decode(&mut self, _: &[u8], _: &mut Vec<i16>) -> Result<usize, AudioCodecError> {
        Err(AudioCodecError::Corrupt("always".into()))
    }

    fn recover(&mut self, _: &[u8], _: usize, _: &mut Vec<i16>) -> Result<usize, AudioCodecError> {
        Err(AudioCodecError::Corrupt("always".into()))
    }

    fn conceal(&mut self, _: usize, _: &mut Vec<i16>) -> Result<usize, AudioCodecError> {
        Err(AudioCodecError::Codec("always".into()))
    }
}

/// Refuses what is loud, and settings for loss.
#[derive(Clone, Debug)]
struct QuietEncoder;

impl AudioEncoder for QuietEncoder {
    fn encode(&mut self, pcm: &[i16], packet: &mut Vec<u8>) -> Result<(), AudioCodecError> {
        if pcm.iter().any(|&sample| sample > 1_000) {
            packet.push(0);
            return Err(AudioCodecError::Codec("too loud".into()));
        }
        PcmEncoder.encode(pcm, packet)
    }

    fn fork(&self) -> Box<dyn AudioEncoder> {
        Box::new(self.clone())
    }

    fn set_expected_loss(&mut self, percent: u8) -> Result<(), AudioCodecError> {
        match percent {
            0 => Ok(()),
            _ => Err(AudioCodecError::Codec("no copies".into())),
        }
    }
}

#[test]
fn a_decoder_that_fails_is_silent_and_disturbs_nobody() {
    let mut room = Room::of(3, Channels::Mono);
    room.mixer.handle(AudioInput::AddTrack {
        participant: ParticipantId(1),
        decoder: Box::new(BrokenCodec),
    });
    for seq in 0..10 {
        for id in 0..3 {
            room.send(id, seq, &[100; TICK]);
        }

        let heard = room.tick();

        if seq >= 1 {
            assert_eq!(heard.by(0), [100; TICK]);
            assert_eq!(heard.by(1), [200; TICK]);
            assert_eq!(heard.by(2), [100; TICK]);
        }
    }
    assert_eq!(room.mixer.counters(ParticipantId(1)).unwrap().corrupt, 9);
    assert_eq!(room.mixer.counters(ParticipantId(0)).unwrap().corrupt, 0);
}

#[test]
fn an_encode_that_fails_is_a_gap_for_its_listeners_and_for_nobody_else() {
    let mut room = Room::with(Box::new(QuietEncoder), Channels::Mono);
    (0..3).for_each(|id| room.join(id));
    room.send(0, 0, &[1_100; TICK]);
    room.send(1, 0, &[-200; TICK]);
    room.tick();
    (0..2).for_each(|id| room.send(id, 1, &[0; TICK]));

    let heard = room.tick();

    let failures = |id| {
        let counters = room.mixer.counters(ParticipantId(id)).unwrap();
        counters.encoder_failures
    };
    assert_eq!([0, 1, 2].map(failures), [0, 1, 0]);
    assert_eq!(heard.by(0), [-200; TICK]);
    assert_eq!(heard.by(2), [900; TICK]);
    assert_eq!(heard.outputs.len(), 2);
    assert_eq!(room.tick().outputs.len(), 3);
}

#[test]
fn an_encoder_that_refuses_a_setting_goes_on_and_is_counted() {
    let mut room = Room::with(Box::new(QuietEncoder), Channels::Mono);
    (0..2).for_each(|id| room.join(id));
    room.mixer.handle(AudioInput::SetRung {
        participant: ParticipantId(1),
        rung: rung().with_loss(LossClass::Ten),
    });
    room.send(0, 0, &[100; TICK]);
    room.tick();

    assert_eq!(room.tick().by(1), [100; TICK]);
    let counters = room.mixer.counters(ParticipantId(1)).unwrap();
    assert_eq!(counters.encoder_failures, 1);
}

#[test]
fn a_flood_of_packets_in_one_tick_is_bounded_and_disturbs_nobody() {
    let mut room = Room::of(2, Channels::Mono);
    for seq in 0..5_000 {
        room.send(0, seq, &[100; TICK]);
    }
    room.send(1, 0, &[100; TICK]);
    room.tick();

    let heard = room.tick();

    assert_eq!(heard.by(0), [100; TICK]);
    let counters = room.mixer.counters(ParticipantId(0)).unwrap();
    assert_eq!(counters.received, 5_000);
    // Of the last 500 ms, less the tick in which they came, all are kept.
    assert_eq!(counters.dropped, 4_975);
}

#[test]
fn a_bad_network_of_one_changes_no_sample_of_the_others() {
    let play = |bad: bool| {
        let mut room = Room::of(3, Channels::Mono);
        let mut random = link::Random::new(5);
        let mut others = Vec::new();
        for seq in 0..500 {
            room.send(0, seq, &[100 + seq as i16; TICK]);
            room.send(1, seq, &[-(seq as i16); TICK]);
            // Lost, twice, late and out of order, or garbage.
            match random.bits() % 6 {
                _ if !bad => {}
                0 => {}
                1 => (0..2).for_each(|_| room.send(2, seq, &[0; TICK])),
                2 => room.send(2, seq.saturating_sub(3), &[0; TICK]),
                3 => room.send_bytes(2, seq * 7, Bytes::from_static(b"odd")),
                _ => room.send(2, seq, &[0; TICK]),
            }
            room.mixer.handle(AudioInput::Mute {
                participant: ParticipantId(2),
                muted: Muted::Yes,
            });
            let heard = room.tick();
            others.push([heard.by(0).to_vec(), heard.by(1).to_vec()]);
        }
        others
    };

    assert!(play(true) == play(false));
}

#[test]
fn empty_packets_count_as_corrupt() {
    let mut room = Room::of(1, Channels::Mono);

    room.send_bytes(0, 0, Bytes::new());

    let counters = room.mixer.counters(ParticipantId(0)).unwrap();
    assert_eq!((counters.received, counters.corrupt), (1, 1));
}

#[test]
fn inputs_for_unknown_participants_are_counted_and_change_nothing() {
    let mut room = Room::of(1, Channels::Mono);
    let participant = ParticipantId(9);

    room.send(9, 0, &[100; TICK]);
    room.mixer.handle(AudioInput::RemoveTrack { participant });
    room.mixer.handle(AudioInput::RemoveOutput { participant });
    room.mixer.handle(AudioInput::Mute {
        participant,
        muted: Muted::Yes,
    });
    room.mixer.handle(AudioInput::SetRung {
        participant,
        rung: rung(),
    });

    assert_eq!(room.mixer.ignored(), 5);
    assert_eq!(room.mixer.counters(participant), None);
    assert_eq!(room.tick().outputs.len(), 1);
}

#[test]
fn who_has_left_is_heard_no_more_and_is_forgotten() {
    let mut room = Room::of(2, Channels::Mono);
    let participant = ParticipantId(0);
    (0..20).for_each(|seq| {
        room.send(0, seq, &[9_000; TICK]);
        room.tick();
    });
    assert_eq!(room.tick().active_speaker, Some(participant));

    room.mixer.handle(AudioInput::RemoveTrack { participant });
    let heard = room.tick();
    room.mixer.handle(AudioInput::RemoveOutput { participant });

    assert_eq!(heard.by(1), [0; TICK]);
    assert_eq!(heard.active_speaker, None);
    assert_eq!(room.mixer.counters(participant), None);
    assert_eq!(room.tick().outputs.len(), 1);
}

#[test]
fn a_track_fed_in_two_ways_keeps_to_the_first() {
    let mut room = Room::of(2, Channels::Mono);
    room.send(0, 0, &[100; TICK]);

    room.mixer.handle(AudioInput::Recorded {
        participant: ParticipantId(0),
        packet: RecordedAudio {
            time: RoomTime::START,
            payload: packet(&[5_000; TICK]),
        },
    });

    let counters = room.mixer.counters(ParticipantId(0)).unwrap();
    assert_eq!((counters.received, counters.dropped), (2, 1));
    let heard = [room.tick(), room.tick()];
    assert_eq!(heard[1].by(1), [100; TICK]);
}

#[test]
fn a_room_beyond_its_most_participants_ignores_the_rest() {
    let mut mixer = AudioMixer::new(AudioConfig::default(), Box::new(PcmEncoder));

    for id in 0..=AudioMixer::MAX_PARTICIPANTS as u32 {
        mixer.handle(AudioInput::AddTrack {
            participant: ParticipantId(id),
            decoder: Box::new(BrokenCodec),
        });
    }

    assert_eq!(mixer.ignored(), 1);
}

#[derive(Clone, Debug)]
enum Operation {
    Join(u32),
    Leave(u32),
    RemoveTrack(u32),
    AddOutput(u32),
    Send(u32, i16),
    Garbage {
        id: u32,
        seq: u16,
        timestamp: u32,
        arrival_ms: u64,
        payload: Vec<u8>,
    },
    Recorded {
        id: u32,
        time_ms: u64,
        payload: Vec<u8>,
    },
    Mute(u32, bool),
    Tick,
}

fn operation() -> impl Strategy<Value = Operation> {
    let id = 0..4u32;
    let payload = prop::collection::vec(any::<u8>(), 0..400);
    prop_oneof![
        2 => id.clone().prop_map(Operation::Join),
        1 => id.clone().prop_map(Operation::Leave),
        1 => id.clone().prop_map(Operation::RemoveTrack),
        1 => id.clone().prop_map(Operation::AddOutput),
        8 => (id.clone(), any::<i16>()).prop_map(|(id, value)| Operation::Send(id, value)),
        4 => (id.clone(), any::<u16>(), any::<u32>(), any::<u64>(), payload.clone()).prop_map(
            |(id, seq, timestamp, arrival_ms, payload)| Operation::Garbage {
                id, seq, timestamp, arrival_ms, payload,
            }
        ),
        1 => (id.clone(), any::<u64>(), payload).prop_map(|(id, time_ms, payload)| {
            Operation::Recorded { id, time_ms, payload }
        }),
        1 => (id, any::<bool>()).prop_map(|(id, muted)| Operation::Mute(id, muted)),
        6 => Just(Operation::Tick),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_every_output_gets_its_tick_and_twice_the_same(
        operations in prop::collection::vec(operation(), 1..200)
    ) {
        let once = replay(&operations)?;
        let again = replay(&operations)?;

        prop_assert_eq!(once, again);
    }
}

/// Plays a log of operations; checks what holds for every tick.
fn replay(operations: &[Operation]) -> Result<Vec<Heard>, TestCaseError> {
    let mut room = Room::new(Channels::Mono);
    let mut sent = [0usize; 4];
    let mut log = Vec::new();
    for operation in operations {
        match operation.clone() {
            Operation::Join(id) => room.join(id),
            Operation::Leave(id) => {
                let participant = ParticipantId(id);
                room.mixer.handle(AudioInput::RemoveTrack { participant });
                room.mixer.handle(AudioInput::RemoveOutput { participant });
            }
            Operation::RemoveTrack(id) => room.mixer.handle(AudioInput::RemoveTrack {
                participant: ParticipantId(id),
            }),
            Operation::AddOutput(id) => room.mixer.handle(AudioInput::AddOutput {
                participant: ParticipantId(id),
                rung: rung(),
            }),
            Operation::Send(id, value) => {
                room.send(id, sent[id as usize], &[value; TICK]);
                sent[id as usize] += 1;
            }
            Operation::Garbage {
                id,
                seq,
                timestamp,
                arrival_ms,
                payload,
            } => {
                room.mixer.handle(AudioInput::Packet {
                    participant: ParticipantId(id),
                    packet: AudioPacket {
                        seq: SeqNo(seq),
                        timestamp: RtpTimestamp(timestamp),
                        arrival: RoomTime::from_ms(arrival_ms),
                        payload: payload.into(),
                    },
                });
            }
            Operation::Recorded {
                id,
                time_ms,
                payload,
            } => {
                room.mixer.handle(AudioInput::Recorded {
                    participant: ParticipantId(id),
                    packet: RecordedAudio {
                        time: RoomTime::from_ms(time_ms),
                        payload: payload.into(),
                    },
                });
            }
            Operation::Mute(id, muted) => room.mixer.handle(AudioInput::Mute {
                participant: ParticipantId(id),
                muted: if muted { Muted::Yes } else { Muted::No },
            }),
            Operation::Tick => {
                let heard = room.tick();
                prop_assert!(heard.outputs.iter().all(|(_, pcm)| pcm.len() == TICK));
                prop_assert!(heard.outputs.is_sorted_by_key(|(id, _)| *id));
                prop_assert!(heard.levels.is_sorted_by_key(|(id, _)| *id));
                log.push(heard);
            }
        }
    }
    Ok(log)
}
