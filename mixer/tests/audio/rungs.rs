//! Changing rungs, as a listener hears it: every sample once, none twice, none missing.

use codecs::audio::{AudioCodecError, AudioEncoder, Channels};
use mixer::ParticipantId;
use mixer::audio::{AudioInput, AudioRung, LossClass, Muted, PacketTime};
use proptest::prelude::*;

use crate::room::{PcmEncoder, Room, TICK, rung, samples};

fn of(packet_time: PacketTime) -> AudioRung {
    AudioRung::new(24, packet_time).expect("within the range")
}

/// What one listener gets: where their next packet has to begin, and all samples so far.
#[derive(Debug, Default)]
struct Ear {
    next_sample: Option<u64>,
    pcm: Vec<i16>,
    packet_ticks: Vec<usize>,
}

impl Ear {
    /// Takes a packet in, which must begin where the one before ended.
    fn hear(&mut self, first_sample: u64, payload: &[u8]) {
        let pcm = samples(payload);
        assert_eq!(first_sample, self.next_sample.unwrap_or(first_sample));
        self.next_sample = Some(first_sample + pcm.len() as u64);
        self.packet_ticks.push(pcm.len() / TICK);
        self.pcm.extend(pcm);
    }
}

fn listen(room: &mut Room, id: u32, ear: &mut Ear) {
    for packet in room.packets() {
        if packet.listeners.contains(&id) {
            ear.hear(packet.first_sample, &packet.payload);
        }
    }
}

/// A different value for each sample of ten seconds.
fn ramp(seq: usize) -> Vec<i16> {
    (seq * TICK..(seq + 1) * TICK)
        .map(|at| (at % 30_000) as i16 - 15_000)
        .collect()
}

#[test]
fn from_20_to_60_to_120_to_20_ms_every_sample_is_sent_once() {
    let mut room = Room::of(2, Channels::Mono);
    let mut ear = Ear::default();
    for seq in 0..100 {
        room.send(0, seq, &ramp(seq));
        match seq {
            20 => room.set_rung(1, of(PacketTime::Ms60)),
            41 => room.set_rung(1, of(PacketTime::Ms120)),
            67 => room.set_rung(1, rung()),
            _ => {}
        }

        listen(&mut room, 1, &mut ear);
    }

    // What is sent with one tick is played with the next.
    let expected: Vec<i16> = (0..99).flat_map(ramp).collect();
    assert!(ear.pcm[TICK..] == expected[..ear.pcm.len() - TICK]);
    assert_eq!(ear.pcm.len(), 100 * TICK);
    // Changes wait for a border of both: 21, 42 and 72.
    let counts = |ticks| ear.packet_ticks.iter().filter(|&&it| it == ticks).count();
    assert_eq!([1, 3, 6].map(counts), [21 + 28, 7, 5]);
}

#[test]
fn who_joins_a_rung_in_mid_packet_gets_the_whole_packet() {
    let mut room = Room::new(Channels::Mono);
    room.join(0);
    room.set_rung(0, of(PacketTime::Ms120));
    for seq in 0..9 {
        room.send(0, seq, &ramp(seq));
        room.packets();
    }
    room.mixer.handle(AudioInput::AddOutput {
        participant: ParticipantId(5),
        rung: of(PacketTime::Ms120),
    });
    let mut ear = Ear::default();

    for seq in 9..18 {
        room.send(0, seq, &ramp(seq));
        listen(&mut room, 5, &mut ear);
    }

    // Nobody was on the shared encode before, so of its first packet only what followed is there.
    assert_eq!(ear.next_sample, Some(18 * TICK as u64));
    assert!(ear.pcm[..3 * TICK].iter().all(|&sample| sample == 0));
    assert!(ear.pcm[3 * TICK..] == (8..17).flat_map(ramp).collect::<Vec<_>>());
}

#[test]
fn ticks_that_are_skipped_are_silence_and_the_rest_keeps_its_time() {
    let mut room = Room::of(2, Channels::Mono);
    room.set_rung(1, of(PacketTime::Ms120));
    let mut packets = Vec::new();
    for seq in 0..24 {
        if seq == 9 {
            room.skip(5);
        }
        room.send(0, seq, &[500; TICK]);
        packets.extend(room.packets().into_iter().filter(|it| it.listeners == [1]));
    }

    let begins: Vec<u64> = packets
        .iter()
        .map(|it| it.first_sample / TICK as u64)
        .collect();
    // The one from 6 on was never whole.
    assert_eq!(begins, [0, 12, 18]);
    let gap = samples(&packets[1].payload);
    assert!(gap[..2 * TICK].iter().all(|&sample| sample == 0));
    assert!(gap[2 * TICK..].iter().any(|&sample| sample != 0));
}

/// A packet is the settings with which it was made.
#[derive(Clone, Debug, Default)]
struct Settings([u8; 2]);

impl AudioEncoder for Settings {
    fn encode(&mut self, _: &[i16], packet: &mut Vec<u8>) -> Result<(), AudioCodecError> {
        packet.clear();
        packet.extend(self.0);
        Ok(())
    }

    fn fork(&self) -> Box<dyn AudioEncoder> {
        Box::new(self.clone())
    }

    fn set_bitrate(&mut self, kbps: u32) -> Result<(), AudioCodecError> {
        self.0[0] = kbps as u8;
        Ok(())
    }

    fn set_expected_loss(&mut self, percent: u8) -> Result<(), AudioCodecError> {
        self.0[1] = percent;
        Ok(())
    }
}

#[test]
fn a_rung_reaches_the_encoder_of_its_listeners_and_of_nobody_else() {
    let mut room = Room::with(Box::new(Settings::default()), Channels::Mono);
    (0..3).for_each(|id| room.join(id));
    let rows = [
        (rung(), [32, 0]),
        (rung().with_loss(LossClass::Ten), [32, 10]),
        (of(PacketTime::Ms20).with_loss(LossClass::Twenty), [24, 20]),
    ];
    for (rung, settings) in rows {
        room.set_rung(1, rung);

        let packets = room.packets();

        for packet in packets {
            let expected = if packet.listeners.contains(&1) {
                settings
            } else {
                [32, 0]
            };
            assert_eq!(packet.payload, expected, "{:?}", packet.listeners);
        }
    }
}

#[derive(Clone, Debug)]
enum Turn {
    Mute(u32, Muted),
    Rung(u32, PacketTime),
    Ticks(u32),
}

fn turn() -> impl Strategy<Value = Turn> {
    let id = 0..3u32;
    let times = prop::sample::select(&PacketTime::ALL[..]);
    prop_oneof![
        2 => (id.clone(), any::<bool>()).prop_map(|(id, muted)| {
            Turn::Mute(id, if muted { Muted::Yes } else { Muted::No })
        }),
        2 => (id, times).prop_map(|(id, time)| Turn::Rung(id, time)),
        4 => (1..30u32).prop_map(Turn::Ticks),
    ]
}

proptest! {
    #[test]
    fn whoever_speaks_and_changes_rung_hears_what_they_would_hear_anyway(
        turns in prop::collection::vec(turn(), 1..60)
    ) {
        let changing = play(&turns, true);
        let constant = play(&turns, false);

        for (changing, constant) in changing.iter().zip(&constant) {
            // A packet that is not whole yet has not been heard.
            prop_assert!(constant.pcm.len() - changing.pcm.len() < 6 * TICK);
            prop_assert!(changing.pcm == constant.pcm[..changing.pcm.len()]);
        }
    }
}

/// What each of three hears, with the changes of rung or without.
fn play(turns: &[Turn], with_rungs: bool) -> [Ear; 3] {
    let mut room = Room::with(Box::new(PcmEncoder), Channels::Mono);
    (0..3).for_each(|id| room.join(id));
    let mut ears: [Ear; 3] = Default::default();
    let mut seq = 0;
    for turn in turns {
        match *turn {
            Turn::Mute(id, muted) => room.mute(id, muted),
            Turn::Rung(id, time) if with_rungs => room.set_rung(id, of(time)),
            Turn::Rung(..) => {}
            Turn::Ticks(ticks) => {
                for _ in 0..ticks {
                    for id in 0..3 {
                        let level = 1_000 * (1 + id as i16);
                        room.send(id, seq, &[level + (seq % 100) as i16; TICK]);
                    }
                    seq += 1;
                    for packet in room.packets() {
                        for id in packet.listeners {
                            ears[id as usize].hear(packet.first_sample, &packet.payload);
                        }
                    }
                }
            }
        }
    }
    ears
}
