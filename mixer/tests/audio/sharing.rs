//! Who shares an encode with whom, and what silence costs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use codecs::audio::{AudioCodecError, AudioEncoder, Channels};
use mixer::ParticipantId;
use mixer::audio::{AudioConfig, AudioInput, AudioRung, Dtx, LossClass, Muted, PacketTime};
use proptest::prelude::*;

use crate::room::{PcmEncoder, Room, TICK, rung};

/// What was asked of an encoder and its forks.
#[derive(Debug, Default)]
struct Tally {
    forks: AtomicUsize,
    encodes: AtomicUsize,
}

impl Tally {
    fn forks(&self) -> usize {
        self.forks.load(Ordering::Relaxed)
    }

    fn encodes(&self) -> usize {
        self.encodes.load(Ordering::Relaxed)
    }
}

/// A packet is its samples, and a pause a byte.
#[derive(Clone, Debug, Default)]
struct Tallied {
    tally: Arc<Tally>,
}

impl AudioEncoder for Tallied {
    fn encode(&mut self, pcm: &[i16], packet: &mut Vec<u8>) -> Result<(), AudioCodecError> {
        self.tally.encodes.fetch_add(1, Ordering::Relaxed);
        PcmEncoder.encode(pcm, packet)
    }

    fn fork(&self) -> Box<dyn AudioEncoder> {
        self.tally.forks.fetch_add(1, Ordering::Relaxed);
        Box::new(self.clone())
    }

    fn pause(&mut self, packet: &mut Vec<u8>) {
        packet.clear();
        packet.push(0);
    }
}

/// A room in which 0 to `count` send and listen, and what is asked of its encoders.
fn room_of(count: u32) -> (Room, Arc<Tally>) {
    let encoder = Tallied::default();
    let tally = Arc::clone(&encoder.tally);
    let mut room = Room::with(Box::new(encoder), Channels::Mono);
    (0..count).for_each(|id| room.join(id));
    (room, tally)
}

/// Who hears the same packets in the next tick.
fn groups(room: &mut Room) -> BTreeSet<Vec<u32>> {
    let packets = room.packets();
    packets.into_iter().map(|packet| packet.listeners).collect()
}

fn set<const N: usize>(groups: [&[u32]; N]) -> BTreeSet<Vec<u32>> {
    groups.into_iter().map(<[u32]>::to_vec).collect()
}

#[test]
fn all_who_say_nothing_share_one_encode_and_each_who_speaks_has_another() {
    let (mut room, tally) = room_of(6);
    for seq in 0..50 {
        [1, 4]
            .into_iter()
            .for_each(|id| room.send(id, seq, &[500; TICK]));

        let groups = groups(&mut room);

        if seq >= 1 {
            assert_eq!(groups, set([&[0, 2, 3, 5], &[1], &[4]]));
            assert_eq!(room.mixer.encodes(), 3);
        }
    }
    // One encoder for all, and one more for each talker.
    assert_eq!(tally.forks(), 3);
}

#[test]
fn who_falls_silent_returns_after_300_ms_and_forks_once_more_when_speaking_again() {
    let (mut room, tally) = room_of(3);
    let mut alone = Vec::new();
    for seq in 0..100 {
        room.send(0, seq, &[500; TICK]);
        room.send(1, seq, &[300; TICK]);
        match seq {
            10 | 60 => room.mute(1, Muted::Yes),
            50 | 70 => room.mute(1, Muted::No),
            _ => {}
        }

        if groups(&mut room).contains(&[1][..]) {
            alone.push(seq);
        }
    }

    // Muting takes the tick in which it fades; the pause from 60 to 70 is too short to return.
    let expected: Vec<usize> = (1..25).chain(50..100).collect();
    assert_eq!(alone, expected);
    // The shared one, that of 0, and twice that of 1.
    assert_eq!(tally.forks(), 4);
}

#[test]
fn who_is_alone_on_a_rung_speaks_and_falls_silent_with_one_encoder() {
    let (mut room, tally) = room_of(2);
    room.set_rung(1, rung().with_loss(LossClass::Ten));
    room.tick();
    let forks = tally.forks();
    for seq in 0..100 {
        room.send(1, seq, &[500; TICK]);
        match seq {
            20 => room.mute(1, Muted::Yes),
            70 => room.mute(1, Muted::No),
            _ => {}
        }

        assert_eq!(groups(&mut room), set([&[0], &[1]]));
    }

    assert_eq!(tally.forks(), forks);
}

#[test]
fn silence_is_encoded_for_400_ms_and_repeated_at_no_cost_from_then_on() {
    for packet_time in PacketTime::ALL {
        let (mut room, tally) = room_of(1);
        room.mixer.handle(AudioInput::AddOutput {
            participant: ParticipantId(9),
            rung: AudioRung::new(32, packet_time).unwrap(),
        });
        room.mixer.handle(AudioInput::RemoveOutput {
            participant: ParticipantId(0),
        });
        let mut packets = 0;
        let mut encodes = Vec::new();
        for tick in 0..240 {
            if tick >= 200 {
                room.send(0, tick, &[500; TICK]);
            }
            packets += room.packets().len();
            encodes.push(tally.encodes());
        }

        let ticks = packet_time.ticks();
        assert_eq!(packets, 240 / ticks);
        let until_settled = 20_usize.div_ceil(ticks);
        assert_eq!(encodes[199], until_settled, "{packet_time:?}");
        // Of the last 40 ticks the first is still silent: who is sent to it plays with the next.
        let spoken = (240 / ticks) - 201 / ticks;
        assert_eq!(encodes[239] - encodes[199], spoken, "{packet_time:?}");
    }
}

#[test]
fn with_dtx_silence_is_a_packet_every_400_ms_and_sound_leaves_at_once() {
    let (mut room, tally) = room_of(1);
    room.mixer.handle(AudioInput::AddOutput {
        participant: ParticipantId(9),
        rung: rung().with_dtx(Dtx::On),
    });
    room.mixer.handle(AudioInput::RemoveOutput {
        participant: ParticipantId(0),
    });
    let mut pauses = Vec::new();
    let mut whole = Vec::new();
    for seq in 0..160 {
        room.send(0, seq, &[500; TICK]);
        match seq {
            30 => room.mute(0, Muted::Yes),
            130 => room.mute(0, Muted::No),
            _ => {}
        }
        for packet in room.packets() {
            assert_eq!(packet.first_sample, (seq * TICK) as u64);
            match packet.payload.len() {
                1 => pauses.push(seq),
                _ => whole.push(seq),
            }
        }
    }

    // Silent from 31 on, of which 400 ms are encoded, up to 50.
    assert_eq!(pauses, [51, 71, 91, 111]);
    let expected: Vec<usize> = (0..51).chain(130..160).collect();
    assert_eq!(whole, expected);
    assert_eq!(tally.encodes(), whole.len());
}

#[test]
fn who_sends_the_noise_of_a_quiet_room_shares_where_there_is_a_gate() {
    for (gate_minus_dbov, encodes) in [(None, 4), (Some(60), 1)] {
        let config = AudioConfig {
            gate_minus_dbov,
            ..AudioConfig::default()
        };
        let mut room = Room::of_config(Box::new(Tallied::default()), config);
        (0..4).for_each(|id| room.join(id));
        for seq in 0..100 {
            // −64 dBov.
            (0..4).for_each(|id| room.send(id, seq, &[20; TICK]));
            room.tick();
        }

        assert_eq!(room.mixer.encodes(), encodes);
    }
}

#[derive(Clone, Debug)]
enum Turn {
    Mute(u32, Muted),
    Rung(u32, usize),
    Leave(u32),
    Join(u32),
    Ticks(u32),
}

const PEOPLE: u32 = 5;

/// Rungs of all packet times, two of them alike in it.
fn rungs() -> [AudioRung; 5] {
    let of = |time| AudioRung::new(24, time).expect("within the range");
    let [ms20, ms40, ms60, ms120] = PacketTime::ALL.map(of);
    [ms20, ms40, ms60, ms120, ms60.with_loss(LossClass::Twenty)]
}

fn turn() -> impl Strategy<Value = Turn> {
    let id = 0..PEOPLE;
    prop_oneof![
        2 => (id.clone(), any::<bool>()).prop_map(|(id, muted)| {
            Turn::Mute(id, if muted { Muted::Yes } else { Muted::No })
        }),
        2 => (id.clone(), 0..rungs().len()).prop_map(|(id, rung)| Turn::Rung(id, rung)),
        1 => id.clone().prop_map(Turn::Leave),
        1 => id.prop_map(Turn::Join),
        4 => (1..40u32).prop_map(Turn::Ticks),
    ]
}

proptest! {
    #[test]
    fn there_are_never_more_encodes_than_people_who_speak_and_rungs_in_use(
        turns in prop::collection::vec(turn(), 1..60)
    ) {
        let (mut room, _) = room_of(PEOPLE);
        let mut seq = 0;
        let mut present: BTreeSet<u32> = (0..PEOPLE).collect();
        let mut wanted = [rung(); PEOPLE as usize];
        // When each was last heard.
        let mut heard = [None::<usize>; PEOPLE as usize];
        for turn in turns {
            let ticks = match turn {
                Turn::Mute(id, muted) => {
                    room.mute(id, muted);
                    0
                }
                Turn::Rung(id, index) => {
                    if present.contains(&id) {
                        wanted[id as usize] = rungs()[index];
                    }
                    room.set_rung(id, rungs()[index]);
                    0
                }
                Turn::Leave(id) => {
                    let participant = ParticipantId(id);
                    room.mixer.handle(AudioInput::RemoveOutput { participant });
                    present.remove(&id);
                    0
                }
                Turn::Join(id) => {
                    let (participant, rung) = (ParticipantId(id), rung());
                    room.mixer.handle(AudioInput::AddOutput { participant, rung });
                    wanted[id as usize] = rung;
                    present.insert(id);
                    0
                }
                Turn::Ticks(ticks) => ticks,
            };
            for since_turn in 0..ticks {
                (0..PEOPLE).for_each(|id| room.send(id, seq, &[500; TICK]));
                seq += 1;
                let tick = room.tick();
                for (id, level) in tick.levels {
                    if level.minus_dbov() < 127 {
                        heard[id.0 as usize] = Some(seq);
                    }
                }
                let speaking = present.iter().filter(|id| {
                    // 300 ms, and as long as it takes to the border of a packet.
                    heard[**id as usize].is_some_and(|at| seq - at < 15 + 6)
                });
                let on: BTreeSet<AudioRung> = present.iter().map(|id| wanted[*id as usize]).collect();
                // After 120 ms all changes are made.
                if since_turn >= 6 {
                    prop_assert!(room.mixer.encodes() <= speaking.count() + on.len());
                    prop_assert!(room.mixer.encodes() <= present.len());
                }
            }
        }
    }
}
